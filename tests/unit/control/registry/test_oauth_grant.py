"""Whether a grant holds, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from control.registry.oauth_grant import Grant, Refusal, refusal_of, told_of_grant
from tests.fakes.registry import MADE_AT


def a_grant(**changes: Any) -> Grant:
    usual: dict[str, Any] = {
        "id": "g1", "client_pk": "p1", "client_id": "c1", "client_name": "Claude", "client_disabled_at": None,
        "user_id": "u1", "user_name": "Ann", "user_disabled_at": None, "gateway_id": "w1", "gateway_slug": "work",
        "allowed_clients": (), "scopes": ("mcp",), "redirect_host": "claude.ai", "created_at": MADE_AT,
        "redeemed_at": MADE_AT, "last_used_at": None, "expires_at": MADE_AT, "expired": False, "revoked_at": None,
        "revoked_for": "",
    }  # fmt: skip
    return Grant(**{**usual, **changes})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"allowed_clients": ("c1", "c2")}, ""),
        ({"revoked_at": MADE_AT, "expired": True}, "revoked"),
        ({"expired": True}, "expired"),
        ({"user_disabled_at": MADE_AT}, "disabled"),
        ({"client_disabled_at": MADE_AT}, "client_gone"),
        ({"allowed_clients": ("c2",)}, "client_not_allowed"),
        ({"by_assertion": True}, ""),
        ({"by_assertion": True, "vouched_for": False}, "not_vouched_for"),
    ],
)
def test_a_grant_holds_while_everything_does_that_it_stands_on(changes: dict[str, Any], why: Refusal) -> None:
    grant = a_grant(**changes)
    assert refusal_of(grant) == why
    assert told_of_grant(grant)["state"] == (why or "active")


def test_people_are_told_who_may_do_what_where_and_not_how_that_is_judged() -> None:
    told = told_of_grant(a_grant())
    assert (told["client_name"], told["user_name"], told["gateway_slug"]) == ("Claude", "Ann", "work")
    assert not {"allowed_clients", "client_pk", "expired", "vouched_for"} & set(told)
    assert told["by_assertion"] is False
