"""Whose records of calls a caller may read. Rules only; called by the operations of `/records`.

Everybody reads those of their own calls; who holds `record:read` for a team those of the team's tokens; who holds it
for the organisation all. A call that a person made is theirs, also where a team's credential served it.
"""

from control.registry.access import Caller
from control.registry.owner import Owner, Person, TeamOwner, owner_key


def principals_read_by(caller: Caller) -> list[str] | None:
    """The callers of gateways, as records name them, whose records `caller` may read; None: of all."""
    if caller.may("record:read"):
        return None
    owners: list[Owner] = [Person(caller.user_id), *map(TeamOwner, caller.teams_with("record:read"))]
    return [owner_key(one) for one in owners if caller.may_for("record:read", one)]
