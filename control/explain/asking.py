"""Who may ask what would become of whose call: everybody about their own, others' with `gateway:explain`, noted.

Called by the admin API and by the page, so that both hold to one rule.
"""

from typing import Final

from control.changes.refusals import NotAllowed, NotThere
from control.changes.write import changing
from control.explain.explaining import AskedCall, Explaining, Explanation
from control.explain.subject import subject_of
from control.registry.access import Caller
from control.registry.actions import lacking
from control.registry.broken_rule import BrokenRule
from control.store.pool import Pool
from core.resolve import Way

MAX_ARGUMENTS: Final = 256 << 10
"""Bytes of arguments that a question may have."""


async def explain_to(
    caller: Caller,
    pool: Pool,
    explaining: Explaining,
    gateway: str,
    *,
    tool: str,
    subject: str | None,
    by: Way | None,
    client: str = "",
    arguments: str = "{}",
) -> Explanation:
    """What would become of the call, as far as this caller may know. `subject` None: of their own.

    Raises as `Explaining.explain`; BrokenRule for arguments that are too long; NotAllowed for another's without the
    permission, NotThere for one's own where nobody is behind the request.
    """
    if len(arguments.encode()) > MAX_ARGUMENTS:
        raise BrokenRule("arguments", f"are longer than {MAX_ARGUMENTS} bytes; leave out what does not decide")
    own = f"user:{caller.user_id}"
    if subject is None and not caller.user_id:
        raise NotThere("person behind this request")
    named = subject_of(subject or own, by)
    if str(named) != own:
        if not caller.may("gateway:explain"):
            raise NotAllowed(lacking("gateway:explain"))
        async with changing(pool, caller) as write:  # nothing changes; the trail says who asked
            about = {"subject": str(named), "by": named.by, "tool": tool}
            await write.record("explain", "gateway", gateway, None, about)
    call = AskedCall(gateway, tool, named, arguments, client)
    return await explaining.explain(call, everything=caller.may("gateway:explain"))
