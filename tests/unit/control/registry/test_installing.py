from dataclasses import replace

import pytest

from control.registry.access import Caller, GivenSet
from control.registry.actions import Action
from control.registry.broken_rule import BrokenRule
from control.registry.credential import ClientCredentials, NoCredential, OAuthCredential, StaticCredential
from control.registry.entry import Remote
from control.registry.installing import (
    MOST_SERVERS,
    check_can_hold,
    check_few_servers,
    may_fill,
    may_install,
    may_see,
    needed_for,
    owner_for,
)
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner
from control.registry.self_hosted import SelfHosted

ANNA = Caller("anna", "Anna", "member", {"blue": "member"})
LENA = Caller("lena", "Lena", "member", {"blue": "admin"})
EVE = Caller("eve", "Eve", "member", {"blue": "editor"})
EDITOR = Caller("ed", "Ed", "editor")
ADMIN = Caller("root", "Root", "admin")
CHANGING: tuple[Action, ...] = ("installation:update", "installation:discover", "installation:delete")
PERSONAL, TEAM, SHARED = Person("anna"), TeamOwner("blue"), Organisation()
PROGRAM = ServiceAccount("nightly")


@pytest.mark.parametrize(
    ("caller", "owner", "sees", "manages", "fills"),
    [
        (ANNA, PERSONAL, True, True, True),
        (LENA, PERSONAL, False, False, False),
        (ADMIN, PERSONAL, True, True, False),
        (EDITOR, PERSONAL, True, True, False),
        (ANNA, TEAM, True, False, False),
        (LENA, TEAM, True, True, True),
        (EVE, TEAM, True, True, True),
        (Caller("ben", "Ben", "member"), TEAM, False, False, False),
        (ADMIN, TEAM, True, True, True),
        (ANNA, SHARED, True, False, False),
        (EVE, SHARED, True, False, False),
        (EDITOR, SHARED, True, True, True),
        (ADMIN, SHARED, True, True, True),
        (ANNA, PROGRAM, False, False, False),
        (LENA, PROGRAM, False, False, False),
        (EDITOR, PROGRAM, True, True, False),
        (ADMIN, PROGRAM, True, True, True),
    ],
)
def test_who_may_do_what(caller: Caller, owner: Owner, sees: bool, manages: bool, fills: bool) -> None:
    assert may_see(caller, owner) is sees
    assert may_install(caller, owner) is fills
    for action in CHANGING:
        assert caller.may_for(action, owner) is manages
        assert may_fill(caller, action, owner) is fills


def test_what_others_share_is_installed_with_a_permission_of_its_own() -> None:
    sharing = replace(ANNA, given=(GivenSet("blue", {"installation:share"}),))
    assert may_install(sharing, TEAM)
    assert not may_install(sharing, SHARED)
    assert not may_install(replace(ANNA, given=(GivenSet("blue", {"installation:create"}),)), TEAM)
    assert may_install(replace(ANNA, given=(GivenSet(None, {"installation:share"}),)), SHARED)


def test_what_a_service_account_acts_with_is_given_by_who_may_change_that_client_and_by_nobody_else() -> None:
    """No set of permissions can give the one for clients, so these are the organisation's admins."""
    sharing = replace(ANNA, given=(GivenSet(None, {"installation:share", "oauth_client:update"}),))
    assert not may_install(sharing, PROGRAM)
    assert "needs oauth_client:update" in needed_for(sharing, "installation:share", PROGRAM)
    assert "needs installation:share" in needed_for(ANNA, "installation:share", PROGRAM)
    assert "needs oauth_client:update" in needed_for(EDITOR, "installation:update", PROGRAM)
    assert needed_for(ADMIN, "installation:update", PERSONAL) == "This needs the owner of the installation."


def test_a_service_account_holds_no_credential_for_which_somebody_signs_in() -> None:
    for owner in (PERSONAL, TEAM, SHARED):
        check_can_hold(OAuthCredential(), owner)
    for credential in (NoCredential(), StaticCredential("bearer"), ClientCredentials()):
        check_can_hold(credential, PROGRAM)
    with pytest.raises(BrokenRule, match="a service account cannot sign in") as broken:
        check_can_hold(OAuthCredential(), PROGRAM)
    assert broken.value.field == "scope"


@pytest.mark.parametrize("owner", [TEAM, SHARED, PROGRAM])
def test_a_person_alone_has_so_many_servers_of_an_entry_that_we_run_and_no_more(owner: Owner) -> None:
    check_few_servers(SelfHosted(), PERSONAL, MOST_SERVERS - 1)
    check_few_servers(Remote("https://a.example"), PERSONAL, 1_000)
    check_few_servers(SelfHosted(), owner, 1_000)
    with pytest.raises(BrokenRule, match="delete one first"):
        check_few_servers(SelfHosted(), PERSONAL, MOST_SERVERS)


def test_a_personal_installation_is_the_callers() -> None:
    assert owner_for(ANNA, "personal", None) == Person("anna")
    assert owner_for(ANNA, "team", "blue") == TeamOwner("blue")
    assert owner_for(ADMIN, "organisation", None) == Organisation()
    assert owner_for(ADMIN, "service", None, "nightly") == PROGRAM


def test_who_is_no_person_has_no_personal_installation() -> None:
    with pytest.raises(BrokenRule, match="scope"):
        owner_for(Caller("", "run", "admin"), "personal", None)


def test_a_team_goes_with_the_scope_team_and_with_no_other() -> None:
    with pytest.raises(BrokenRule, match="team_id: is needed"):
        owner_for(LENA, "team", None)
    with pytest.raises(BrokenRule, match="leave it out"):
        owner_for(LENA, "personal", "blue")


def test_a_client_goes_with_the_scope_service_and_with_no_other() -> None:
    with pytest.raises(BrokenRule, match="oauth_client_id: is needed"):
        owner_for(ADMIN, "service", None)
    with pytest.raises(BrokenRule, match="oauth_client_id: is allowed only with the scope 'service'"):
        owner_for(ADMIN, "organisation", None, "nightly")
    with pytest.raises(BrokenRule, match="team_id: is allowed only with the scope 'team'"):
        owner_for(ADMIN, "service", "blue", "nightly")
