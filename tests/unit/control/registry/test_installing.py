from dataclasses import replace

import pytest

from control.registry.access import Caller, GivenSet
from control.registry.actions import Action
from control.registry.broken_rule import BrokenRule
from control.registry.installing import may_fill, may_install, may_see, owner_for
from control.registry.owner import Organisation, Owner, Person, TeamOwner

ANNA = Caller("anna", "Anna", "member", {"blue": "member"})
LENA = Caller("lena", "Lena", "member", {"blue": "admin"})
EVE = Caller("eve", "Eve", "member", {"blue": "editor"})
EDITOR = Caller("ed", "Ed", "editor")
ADMIN = Caller("root", "Root", "admin")
CHANGING: tuple[Action, ...] = ("installation:update", "installation:discover", "installation:delete")
PERSONAL, TEAM, SHARED = Person("anna"), TeamOwner("blue"), Organisation()


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


def test_a_personal_installation_is_the_callers() -> None:
    assert owner_for(ANNA, "personal", None) == Person("anna")
    assert owner_for(ANNA, "team", "blue") == TeamOwner("blue")
    assert owner_for(ADMIN, "organisation", None) == Organisation()


def test_who_is_no_person_has_no_personal_installation() -> None:
    with pytest.raises(BrokenRule, match="scope"):
        owner_for(Caller("", "run", "admin"), "personal", None)


def test_a_team_goes_with_the_scope_team_and_with_no_other() -> None:
    with pytest.raises(BrokenRule, match="team_id: is needed"):
        owner_for(LENA, "team", None)
    with pytest.raises(BrokenRule, match="leave it out"):
        owner_for(LENA, "personal", "blue")
