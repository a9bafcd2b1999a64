"""Who may install an entry for whom, and who may see, change and fill in an installation.

Called by `control/changes/`, with the action of the operation. A personal installation holds one person's credential:
they alone fill it, whatever others hold.
"""

from control.registry.access import Caller
from control.registry.actions import Action
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


def may_install(caller: Caller, owner: Owner) -> bool:
    """Whether the caller may make an installation of this owner: for themselves, or, with `installation:share`, one
    that others call with too.
    """
    if isinstance(owner, Person):
        return owner.id == caller.user_id
    return caller.may_for("installation:share", owner)


def may_fill(caller: Caller, action: Action, owner: Owner) -> bool:
    """Whether the caller may give its answers: nobody fills in another person's credential, not even an admin."""
    if isinstance(owner, Person):
        return owner.id == caller.user_id
    return caller.may_for(action, owner)


def may_see(caller: Caller, owner: Owner) -> bool:
    """Whether the caller may read it (never its secrets); the organisation's is shown to everybody."""
    return isinstance(owner, Organisation) or caller.may_for("installation:read", owner)
