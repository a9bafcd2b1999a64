"""Roles that admins made, as the page of a person offers them: those alone that whoever looks may give.

What may be given is judged by the change (`control/changes/roles.py`); this only leaves out what it would refuse.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from control.registry.access import Caller
from control.registry.owner import Organisation, Owner, TeamOwner
from control.registry.role import Holder, Role, not_for_a_team
from control.registry.team import TeamOfUser


@dataclass(frozen=True, slots=True)
class RoleChoices:
    """What can be given, and for what: pairs of value and label."""

    roles: Sequence[tuple[str, str]]
    scopes: Sequence[tuple[str, str]]
    """For the whole organisation (''), or for a team of the person."""


def roles_seen(caller: Caller, held: Iterable[Holder]) -> list[Holder]:
    """Of what somebody holds, that which the caller may see and take away: theirs to give for the same."""
    return [one for one in held if caller.may_for("role:grant", _owner(one.team_id))]


def role_choices(caller: Caller, made: Iterable[Role], teams: Iterable[TeamOfUser]) -> RoleChoices:
    """What the caller may give somebody who is in these teams."""
    scopes = [("", "the whole organisation")] if caller.may("role:grant") else []
    scopes += [(one.id, f"the team {one.name}") for one in teams if caller.may_for("role:grant", TeamOwner(one.id))]
    found = [(one.id, one.name) for one in made if any(_may_give(caller, one, scope) for scope, _ in scopes)]
    return RoleChoices(found, scopes if found else [])


def _may_give(caller: Caller, role: Role, team_id: str) -> bool:
    if not team_id:
        return set(role.permissions) <= caller.permissions
    return not not_for_a_team(role.permissions) and set(role.permissions) <= caller.permissions_for(team_id)


def _owner(team_id: str | None) -> Owner:
    return Organisation() if team_id is None else TeamOwner(team_id)
