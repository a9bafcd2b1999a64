"""Who may install an entry for whom, and who may see, change and fill in an installation.

Called by `control/changes/`. A personal installation holds one person's credential: they alone fill it. A team's
needs an admin of that team, the organisation's an admin.
"""

from typing import assert_never

from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.owner import Organisation, Owner, Person, Scope, TeamOwner


def owner_for(caller: Caller, scope: Scope, team_id: str | None) -> Owner:
    """Whose a new installation is, as the caller asks for it; else BrokenRule."""
    if scope == "team" and team_id is None:
        raise BrokenRule("team_id", "is needed with the scope 'team'; give the team's id")
    if scope != "team" and team_id is not None:
        raise BrokenRule("team_id", f"is allowed only with the scope 'team'; leave it out for {scope!r}")
    if team_id is not None:
        return TeamOwner(team_id)
    if scope == "organisation":
        return Organisation()
    if not caller.user_id:
        raise BrokenRule(
            "scope", "cannot be 'personal' for the token of this run, which belongs to no person; use a user's token"
        )
    return Person(caller.user_id)


def may_manage(caller: Caller, owner: Owner) -> bool:
    """Whether the caller may change or delete it."""
    match owner:
        case Person(user_id):
            return caller.owns(user_id)
        case TeamOwner(team_id):
            return caller.administers(team_id)
        case Organisation():
            return caller.is_admin
    assert_never(owner)


def may_fill(caller: Caller, owner: Owner) -> bool:
    """Whether the caller may give its answers: nobody fills in another person's credential, not even an admin."""
    if isinstance(owner, Person):
        return owner.id == caller.user_id
    return may_manage(caller, owner)


def may_see(caller: Caller, owner: Owner) -> bool:
    """Whether the caller may read it (never its secrets)."""
    match owner:
        case Person():
            return may_manage(caller, owner)
        case TeamOwner(team_id):
            return caller.belongs_to(team_id)
        case Organisation():
            return True
    assert_never(owner)
