"""Rules of bearer tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.tokens import manages, owner_of_new, puts_off, refusal_of, state_of, why_not_made_by

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=1)
ADMIN = Caller("u1", "Ann", "admin")
MEMBER = Caller("u2", "Bea", "member", {"red": "admin", "blue": "member"})


def row(**columns: Any) -> dict[str, Any]:
    usual = {"kind": "user", "user_id": "u2", "team_id": None, "revoked_at": None, "expired": False}
    return {**usual, "owner_disabled_at": None, **columns}


@pytest.mark.parametrize(
    ("columns", "refused", "state"),
    [
        ({}, "", "active"),
        ({"owner_disabled_at": NOW}, "disabled", "disabled"),
        ({"owner_disabled_at": NOW, "expired": True}, "expired", "expired"),
        ({"owner_disabled_at": NOW, "expired": True, "revoked_at": NOW}, "revoked", "revoked"),
    ],
)
def test_a_token_holds_unless_revoked_expired_or_of_a_disabled_user(columns, refused, state) -> None:
    assert (refusal_of(row(**columns)), state_of(row(**columns))) == (refused, state)


def test_people_manage_their_own_and_admins_of_a_team_its_tokens() -> None:
    assert manages(MEMBER, row())
    assert not manages(MEMBER, row(user_id="u1"))
    assert manages(MEMBER, row(kind="team", user_id=None, team_id="red"))
    assert not manages(MEMBER, row(kind="team", user_id=None, team_id="blue"))
    assert not manages(MEMBER, row(kind="organisation", user_id=None))
    assert manages(ADMIN, row(kind="organisation", user_id=None))


def test_a_new_token_is_the_callers_own_unless_it_names_another_owner() -> None:
    assert owner_of_new(MEMBER, "user", None, None) == ("u2", None)
    assert owner_of_new(MEMBER, "user", "u3", None) == ("u3", None)
    assert owner_of_new(MEMBER, "team", None, "red") == (None, "red")
    assert owner_of_new(MEMBER, "organisation", None, None) == (None, None)


@pytest.mark.parametrize(
    ("kind", "user", "team", "field"),
    [
        ("team", "u2", "red", "user_id"),
        ("organisation", "u2", None, "user_id"),
        ("user", None, "red", "team_id"),
        ("organisation", None, "red", "team_id"),
        ("team", None, None, "team_id"),
    ],
)
def test_an_owner_that_does_not_fit_the_kind_is_refused(kind, user, team, field) -> None:
    with pytest.raises(BrokenRule) as broken:
        owner_of_new(MEMBER, kind, user, team)
    assert broken.value.field == field


def test_who_may_make_a_token_for_whom() -> None:
    assert why_not_made_by(MEMBER, "user", "u2", None) == ""
    assert "needs an admin" in why_not_made_by(MEMBER, "user", "u1", None)
    assert why_not_made_by(MEMBER, "team", None, "red") == ""
    assert "admin of the team" in why_not_made_by(MEMBER, "team", None, "blue")
    assert "needs an admin" in why_not_made_by(MEMBER, "organisation", None, None)
    assert [why_not_made_by(ADMIN, *of) for of in (("user", "u2", None), ("organisation", None, None))] == ["", ""]


@pytest.mark.parametrize(
    ("before", "after", "put_off"),
    [(NOW, LATER, True), (NOW, None, True), (LATER, NOW, False), (NOW, NOW, False), (None, LATER, False)],
)
def test_an_end_is_put_off_by_a_later_one_or_by_none(before, after, put_off) -> None:
    assert puts_off(before, after) is put_off
