"""Whether a client has called a gateway yet, as the person who sets it up would want to know.

Called by Connect and by its event stream. Looked for are calls of the person, and of those whose tokens they look
after, so that somebody else's call turns nobody's light green. Also a call that was refused is one: the client found
the way, and its reason says what is missing.
"""

from dataclasses import dataclass
from datetime import datetime

from control.registry.access import Caller
from control.registry.owner import Organisation, Owner, Person, TeamOwner, owner_key
from control.store import records
from control.store.pool import Connection
from control.store.records import KeptRecord, Wanted


@dataclass(frozen=True, slots=True)
class LastCall:
    """The last call of a gateway by somebody whose calls are one's own."""

    id: str
    moment: datetime
    tool: str
    client: str
    well: bool
    """Whether the server answered: an answer that tells of an error is one too."""
    reason: str
    """What the caller was told, where it did not go well."""


def looked_after(caller: Caller) -> list[str]:
    """The callers, as records name them, whose calls this person waits for."""
    owners: list[Owner] = [Person(caller.user_id), *map(TeamOwner, caller.teams_with("token:read"))]
    if caller.may("token:read"):
        owners.append(Organisation())
    return [owner_key(one) for one in owners]


async def last_call(connection: Connection, caller: Caller, gateway_id: str) -> LastCall | None:
    """The last of the days that are kept; None where there is none."""
    wanted = Wanted(gateway_id=gateway_id, principals=looked_after(caller))
    found = await records.page(connection, wanted, limit=1, before=None)
    return told(found[0]) if found else None


def told(kept: KeptRecord) -> LastCall:
    """What is shown of a record."""
    record = kept.record
    well = record.get("status") in {"ok", "tool_error"}
    return LastCall(
        kept.id, kept.time, record.get("tool", ""), record.get("client", ""), well, record.get("reason", "")
    )
