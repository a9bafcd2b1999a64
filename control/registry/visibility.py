"""Who sees an entry, a gateway or an installation, and which settings of visibility go together.

Organisation: everybody here. Teams: their members. Personal: the owner alone. Who holds the action for the whole
organisation sees every row in the admin API; that lets them call nothing (the proxy asks `core.snapshot.Visibility`).
"""

from collections.abc import Collection
from typing import Literal

from control.registry.access import Caller
from control.registry.actions import Action
from control.registry.broken_rule import BrokenRule

VisibilityKind = Literal["organisation", "teams", "personal"]
MAX_TEAMS = 200


def check_visibility(kind: VisibilityKind, teams: Collection[str], owner: str | None) -> None:
    """BrokenRule where the parts do not fit: teams need a team, personal needs an owner, and no other has one."""
    if kind == "teams" and not teams:
        raise BrokenRule("teams", "needs at least one team where visibility is 'teams'; add one or choose another")
    if kind != "teams" and teams:
        raise BrokenRule("teams", f"are allowed only with the visibility 'teams'; leave them out for {kind!r}")
    if len(teams) > MAX_TEAMS:
        raise BrokenRule("teams", f"has {len(teams)} teams; at most {MAX_TEAMS} are allowed")
    if kind == "personal" and owner is None:
        raise BrokenRule("owner_id", "is needed where visibility is 'personal'; give the user's id")
    if kind != "personal" and owner is not None:
        raise BrokenRule("owner_id", f"is allowed only with the visibility 'personal'; leave it out for {kind!r}")


def why_not_called_by(caller: Caller, kind: VisibilityKind, teams: Collection[str], owner: str | None) -> str | None:
    """Why this very caller gets 404 at a gateway that the admin API shows them; None where they may call it."""
    if kind == "teams" and not any(team in caller.teams for team in teams):
        return "You are in none of its teams, so you cannot call it yourself: its URL answers you with 404."
    if kind == "personal" and owner != caller.user_id:
        return "It belongs to another person, so you cannot call it yourself: its URL answers you with 404."
    return None


def sees(
    caller: Caller, action: Action, kind: VisibilityKind, teams: Collection[str], owner: str | None = None
) -> bool:
    """Whether `caller` may see the object; `action` is the one that shows it, such as `entry:read`."""
    if caller.may(action) or kind == "organisation":
        return True
    if kind == "teams":
        return any(team in caller.teams for team in teams)
    return owner is not None and owner == caller.user_id
