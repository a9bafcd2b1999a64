"""Rules of bearer tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control.registry.access import Caller
from control.registry.actions import Action
from control.registry.broken_rule import BrokenRule
from control.registry.owner import Organisation, Person, TeamOwner
from control.registry.token import (
    Token,
    owner_of_new,
    principal_of_token,
    puts_off,
    refuse_use,
    told_of_token,
)
from core.resolve import Principal

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=1)
ADMIN = Caller("u1", "Ann", "admin")
MEMBER = Caller("u2", "Bea", "member", {"red": "admin", "blue": "member"})
MANAGING: tuple[Action, ...] = ("token:read", "token:update", "token:revoke", "token:delete")


def token(**fields: Any) -> Token:
    usual: dict[str, Any] = {
        "id": "t1", "digest": "d" * 64, "name": "ci", "owner": Person("u2"), "owner_name": "Bea", "created_by": "u2",
        "created_at": NOW, "last_used_at": None, "expires_at": None, "expired": False, "revoked_at": None,
        "owner_disabled_at": None, "version": 1,
    }  # fmt: skip
    return Token(**usual | fields)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "active"),
        ({"owner_disabled_at": NOW}, "disabled"),
        ({"owner_disabled_at": NOW, "expired": True}, "expired"),
        ({"owner_disabled_at": NOW, "expired": True, "revoked_at": NOW}, "revoked"),
    ],
)
def test_people_are_told_why_a_token_is_not_accepted(fields, state) -> None:
    assert told_of_token(token(**fields))["state"] == state


@pytest.mark.parametrize(
    ("owner", "kind", "user", "team"),
    [
        (Person("u2"), "user", "u2", None),
        (TeamOwner("red"), "team", None, "red"),
        (Organisation(), "organisation", None, None),
    ],
)
def test_people_are_told_whose_a_token_is_and_never_its_digest(owner, kind, user, team) -> None:
    told = told_of_token(token(owner=owner))
    assert (told["kind"], told["user_id"], told["team_id"], told["owner"]) == (kind, user, team, "Bea")
    assert "d" * 64 not in told.values()


def test_people_manage_their_own_and_admins_of_a_team_its_tokens() -> None:
    for action in MANAGING:
        assert MEMBER.may_for(action, token().owner)
        assert not MEMBER.may_for(action, token(owner=Person("u1")).owner)
        assert MEMBER.may_for(action, token(owner=TeamOwner("red")).owner)
        assert not MEMBER.may_for(action, token(owner=TeamOwner("blue")).owner)
        assert not MEMBER.may_for(action, token(owner=Organisation()).owner)
        assert ADMIN.may_for(action, token(owner=Organisation()).owner)


def test_a_new_token_is_the_callers_own_unless_it_names_another_owner() -> None:
    assert owner_of_new(MEMBER, "user", None, None) == Person("u2")
    assert owner_of_new(MEMBER, "user", "u3", None) == Person("u3")
    assert owner_of_new(MEMBER, "team", None, "red") == TeamOwner("red")
    assert owner_of_new(MEMBER, "organisation", None, None) == Organisation()


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


@pytest.mark.parametrize(("use", "kind"), [("gateways", "user"), ("gateways", "team"), ("api", "user")])
def test_a_token_is_for_gateways_or_for_the_api(use, kind) -> None:
    refuse_use(use, kind)


@pytest.mark.parametrize("kind", ["team", "organisation"])
def test_the_api_takes_no_token_of_a_team_or_the_organisation(kind) -> None:
    with pytest.raises(BrokenRule) as broken:
        refuse_use("api", kind)
    assert broken.value.field == "use"


@pytest.mark.parametrize(
    ("before", "after", "put_off"),
    [(NOW, LATER, True), (NOW, None, True), (LATER, NOW, False), (NOW, NOW, False), (None, LATER, False)],
)
def test_an_end_is_put_off_by_a_later_one_or_by_none(before, after, put_off) -> None:
    assert puts_off(before, after) is put_off


@pytest.mark.parametrize(
    ("fields", "principal"),
    [
        ({"owner": Organisation()}, Principal("organisation", "organisation", "ci")),
        ({"owner": TeamOwner("red"), "owner_name": "Red"}, Principal("team", "red", "Red", frozenset({"red"}))),
        ({"owner": Person("u2")}, Principal("user", "u2", "Bea", frozenset({"blue"}))),
    ],
)
def test_who_calls_with_it_is_its_owner_with_the_teams_that_they_are_in(
    fields: dict[str, Any], principal: Principal
) -> None:
    assert principal_of_token(token(**fields), ["blue"]) == principal
