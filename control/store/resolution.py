"""What the choice of a credential looks at, read in one transaction.

Called by `control/internal/` after the caller's token was checked in the same transaction.
"""

from typing import Final

from control.credentials.resolution import ResolutionRows
from control.registry.gateway import visibility_of
from control.store import entries, gateways, installations
from control.store.pool import Connection
from core.resolve import Principal

_ASSIGNMENT: Final = """
    select a.installation_id as pinned, t.entry_id
    from assignments a
    join entry_tools t on t.id = a.tool_id
    where a.id = $1 and a.gateway_id = $2
"""


async def resolution_rows(
    connection: Connection, gateway_id: str, assignment_id: str, principal: Principal
) -> ResolutionRows | None:
    """The rows for one caller and one assigned tool; None where the assignment is not on that gateway."""
    found = await connection.fetchrow(_ASSIGNMENT, assignment_id, gateway_id)
    if found is None:
        return None
    gateway = await gateways.one(connection, gateway_id)
    entry = await entries.one(connection, found["entry_id"])
    assert gateway is not None  # the assignment refers to it
    assert entry is not None  # its tool refers to it
    own_teams = sorted(principal.teams)
    if found["pinned"] is not None:
        pinned = await installations.one(connection, found["pinned"])
        candidates = [] if pinned is None else [pinned]
    else:
        person = principal.id if principal.kind == "user" else None
        candidates = await installations.candidates(connection, found["entry_id"], person, own_teams)
    names = await connection.fetch("select id, name from teams where id = any($1::uuid[])", own_teams)
    return ResolutionRows(
        visibility_of(gateway),
        entry,
        found["pinned"],
        candidates,
        {row["id"]: row["name"] for row in names},
    )
