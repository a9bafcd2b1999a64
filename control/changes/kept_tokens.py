"""Changes of what identity providers gave at people's own sign-ins: leased, kept, refused, forgotten.

Called by `control/identity/`, and by the changes of users and of providers after which nothing may be kept. Nobody
decided them, so the audit trail says nothing of them; proxies hold none of it.
"""

from datetime import datetime
from typing import Final

from control.changes.write import Write
from control.registry.identity import Identity
from control.store.writes import kept_tokens as rows

_LONGEST_FAULT: Final = 500


async def lease(write: Write, identity: Identity, owner: str, seconds: float) -> bool:
    """Whether `owner` alone asks the provider about this identity from now on; the lease ends by itself."""
    taken = await rows.lease(write, identity.id, identity.tokens_version, owner, seconds)
    await _observed(write)
    return taken


async def keep(write: Write, identity: Identity, tokens: bytes | None, ends: datetime | None) -> bool:
    """Keep what the provider gave in place of what this identity had, sealed; None: nothing can be used. False where
    there is newer, as after a sign-in. `ends`: when it ends for good; None: it can be refreshed.
    """
    kept = await rows.keep(write, identity.id, identity.tokens_version, tokens, ends)
    await _observed(write)
    return kept


async def note_answer(write: Write, identity: Identity, fault: str = "") -> None:
    """The provider knows the person. `fault`: what it said of them could not be had, so it is asked again soon."""
    await rows.note_answer(write, identity.id, fault[:_LONGEST_FAULT])
    await _observed(write)


async def fail(write: Write, identity: Identity, owner: str, fault: str) -> None:
    """Keep why the provider gave nothing; what there was stays, and nobody is shut out."""
    await rows.fail(write, identity.id, owner, fault[:_LONGEST_FAULT])
    await _observed(write)


async def forget_ended(write: Write) -> None:
    """Forget what has ended and cannot be refreshed."""
    await rows.forget_ended(write)
    await _observed(write)


async def _observed(write: Write) -> None:
    await write.announce()
    write.observed()
