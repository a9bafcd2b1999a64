"""Nobody gives what they do not hold: whether a caller may give, or take away, what a role or a set of permissions
holds.

Called by `control/changes/` for roles of people, roles in teams, and sets of permissions. Rules only; no I/O.
"""

from collections.abc import Collection

from control.registry.access import Caller
from control.registry.actions import lacking, permissions_of, team_permissions_of

_MOST_NAMED = 5


def why_not_given(caller: Caller, permissions: Collection[str], team_id: str | None = None) -> str:
    """Why the caller may not give these to somebody, for a team or (None) for the organisation; '' where they may.

    What every member holds is given by letting somebody in, and needs nothing more.
    """
    if team_id is None:
        held, usual = caller.permissions, permissions_of("member")
    else:
        held, usual = caller.permissions_for(team_id), team_permissions_of("member")
    more = set(permissions) - usual
    if not more:
        return ""
    if "role:grant" not in held:
        return lacking("role:grant")
    return why_more_than_held(more - held)


def why_more_than_held(missing: Collection[str]) -> str:
    """The sentence for permissions that somebody would give and does not hold; '' for none."""
    if not missing:
        return ""
    first = sorted(missing)
    more = f" and {len(first) - _MOST_NAMED} more" if len(first) > _MOST_NAMED else ""
    return f"Nobody gives what they do not hold, and you lack {', '.join(first[:_MOST_NAMED])}{more}; ask an admin."
