from typing import Any

import pytest

from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.installing import check_owner, fill, may_fill, may_manage, may_see
from core.egress.addresses import AddressPolicy

POLICY = AddressPolicy()
ANNA = Caller("anna", "Anna", "member", {"blue": "member"})
LENA = Caller("lena", "Lena", "member", {"blue": "admin"})
ADMIN = Caller("root", "Root", "admin")
ENTRY: dict[str, Any] = {
    "name": "Time", "url": "https://a.example/mcp", "credential_model": "static",
    "credential_placement": {"style": "bearer"},
    "fields": [{"name": "pin", "type": "secret", "header": "x-pin"}],
}  # fmt: skip
PERSONAL = ("personal", "anna", None)
TEAM = ("team", None, "blue")
SHARED = ("organisation", None, None)


@pytest.mark.parametrize(
    ("caller", "installation", "sees", "manages", "fills"),
    [
        (ANNA, PERSONAL, True, True, True),
        (LENA, PERSONAL, False, False, False),
        (ADMIN, PERSONAL, True, True, False),
        (ANNA, TEAM, True, False, False),
        (LENA, TEAM, True, True, True),
        (Caller("ben", "Ben", "member"), TEAM, False, False, False),
        (ADMIN, TEAM, True, True, True),
        (ANNA, SHARED, True, False, False),
        (ADMIN, SHARED, True, True, True),
    ],
)
def test_who_may_do_what(
    caller: Caller, installation: tuple[str, str | None, str | None], sees: bool, manages: bool, fills: bool
) -> None:
    assert may_see(caller, *installation) is sees
    assert may_manage(caller, *installation) is manages
    assert may_fill(caller, *installation) is fills


def test_a_personal_installation_is_the_callers() -> None:
    assert check_owner(ANNA, "personal", None) == "anna"
    assert check_owner(ANNA, "team", "blue") is None


def test_who_is_no_person_has_no_personal_installation() -> None:
    with pytest.raises(BrokenRule, match="scope"):
        check_owner(Caller("", "run", "admin"), "personal", None)


def test_a_team_goes_with_the_scope_team_and_with_no_other() -> None:
    with pytest.raises(BrokenRule, match="team_id: is needed"):
        check_owner(LENA, "team", None)
    with pytest.raises(BrokenRule, match="take it out"):
        check_owner(LENA, "personal", "blue")


def test_secrets_stand_apart_and_are_bound_to_the_origin() -> None:
    filled = fill(ENTRY, {"pin": "1234"}, "k3y", POLICY)
    assert (filled.secret, filled.secret_names) == ({"pin": "1234", "credential": "k3y"}, ["credential", "pin"])
    assert filled.origin == "https://a.example"
    assert "1234" not in repr(filled)
    assert "k3y" not in repr(filled)


def test_what_was_given_earlier_stands_until_it_is_replaced() -> None:
    kept = {"pin": "1234", "credential": "k3y"}
    assert fill(ENTRY, {}, None, POLICY, kept).secret == kept
    assert fill(ENTRY, {"pin": "5678"}, None, POLICY, kept).secret == {"pin": "5678", "credential": "k3y"}
    assert fill(ENTRY, {}, "n3w", POLICY, kept).secret == {"pin": "1234", "credential": "n3w"}


def test_a_secret_that_the_entry_no_longer_asks_for_is_dropped() -> None:
    assert fill({**ENTRY, "fields": []}, {}, None, POLICY, {"pin": "1234", "credential": "k"}).secret == {
        "credential": "k"
    }


def test_null_takes_an_answer_away() -> None:
    with pytest.raises(BrokenRule, match=r"values\.pin: is required"):
        fill(ENTRY, {"pin": None}, None, POLICY, {"pin": "1234", "credential": "k3y"})


def test_a_credential_is_asked_for_and_taken_only_where_the_entry_has_one() -> None:
    with pytest.raises(BrokenRule, match="credential: is needed"):
        fill(ENTRY, {"pin": "1234"}, None, POLICY)
    with pytest.raises(BrokenRule, match="credential: is not taken"):
        fill({**ENTRY, "credential_model": "none", "fields": []}, {}, "k3y", POLICY)
