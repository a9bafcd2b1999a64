"""Who may install an entry for whom, and who may see, change and fill in an installation.

Called by `control/changes/`, with the action of the operation. A personal installation holds one person's credential:
they alone fill it, whatever others hold. What a service account acts with is given by those who may change that OAuth
client, as they may give it another secret or another team: no permission for installations alone is enough.
"""

from typing import Final, assert_never

from control.registry.access import Caller
from control.registry.actions import Action, lacking
from control.registry.broken_rule import BrokenRule
from control.registry.credential import Credential, OAuthCredential
from control.registry.entry import Reached
from control.registry.owner import Organisation, Owner, Person, Scope, ServiceAccount, TeamOwner
from control.registry.self_hosted import SelfHosted

MOST_SERVERS: Final = 10
"""Of one entry that Archway runs for one person."""


def owner_for(caller: Caller, scope: Scope, team_id: str | None, oauth_client_id: str | None = None) -> Owner:
    """Whose a new installation is, as the caller asks for it; else BrokenRule."""
    if scope != "team" and team_id is not None:
        raise BrokenRule("team_id", f"is allowed only with the scope 'team'; leave it out for {scope!r}")
    if scope != "service" and oauth_client_id is not None:
        raise BrokenRule("oauth_client_id", f"is allowed only with the scope 'service'; leave it out for {scope!r}")
    match scope:
        case "team":
            if team_id is None:
                raise BrokenRule("team_id", "is needed with the scope 'team'; give the team's id")
            return TeamOwner(team_id)
        case "service":
            if oauth_client_id is None:
                raise BrokenRule("oauth_client_id", "is needed with the scope 'service'; give the OAuth client's id")
            return ServiceAccount(oauth_client_id)
        case "organisation":
            return Organisation()
        case "personal":
            return _oneself(caller)
    assert_never(scope)


def check_can_hold(credential: Credential, owner: Owner) -> None:
    """BrokenRule where an installation of this owner can never have such a credential: a program cannot sign in, and
    a person who did so for it would lend it their own account.
    """
    if isinstance(owner, ServiceAccount) and isinstance(credential, OAuthCredential):
        raise BrokenRule(
            "scope",
            "cannot be 'service' for an entry with the credential model oauth: a service account cannot sign in, and "
            "whoever signed in for it would lend it their own account. Install it for a team or the organisation, or "
            "make an entry with the model client_credentials or static",
        )


def check_few_servers(reached: Reached, owner: Owner, others: int) -> None:
    """BrokenRule where a person has enough servers of one entry that run here: each is a program of ours, and
    everybody installs for themselves.
    """
    if isinstance(reached, SelfHosted) and isinstance(owner, Person) and others >= MOST_SERVERS:
        raise BrokenRule("entry_id", f"has {others} servers that run here for you already; delete one first")


def may_install(caller: Caller, owner: Owner) -> bool:
    """Whether the caller may make an installation of this owner: for themselves, or, with `installation:share`, one
    that others call with too; for a service account with `oauth_client:update` besides.
    """
    if isinstance(owner, Person):
        return owner.id == caller.user_id
    return caller.may_for("installation:share", owner) and _decides_for(caller, owner)


def may_fill(caller: Caller, action: Action, owner: Owner) -> bool:
    """Whether the caller may give its answers: nobody fills in another person's credential, not even an admin, and
    a service account's only who may change that client.
    """
    if isinstance(owner, Person):
        return owner.id == caller.user_id
    return caller.may_for(action, owner) and _decides_for(caller, owner)


def may_see(caller: Caller, owner: Owner) -> bool:
    """Whether the caller may read it (never its secrets); the organisation's is shown to everybody."""
    return isinstance(owner, Organisation) or caller.may_for("installation:read", owner)


def needed_for(caller: Caller, action: Action, owner: Owner) -> str:
    """The sentence for a caller who may not do this to an installation of `owner`."""
    if isinstance(owner, Person):
        return "This needs the owner of the installation."
    return lacking(action if not caller.may_for(action, owner) else "oauth_client:update")


def _oneself(caller: Caller) -> Person:
    if not caller.user_id:
        raise BrokenRule(
            "scope", "cannot be 'personal' for the token of this run, which belongs to no person; use a user's token"
        )
    return Person(caller.user_id)


def _decides_for(caller: Caller, owner: Owner) -> bool:
    return not isinstance(owner, ServiceAccount) or caller.may("oauth_client:update")
