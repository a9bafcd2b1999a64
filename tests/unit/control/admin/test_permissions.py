"""The table of permissions."""

from __future__ import annotations

import pytest

from control.admin.permissions import TABLE, Needs, check
from control.http.problems import Problem
from control.registry.access import Caller

ADMIN = Caller("u1", "Ann", "admin")
MEMBER = Caller("u2", "Bea", "member", {"red": "admin", "blue": "member"})


def refused(key: str, caller: Caller, team_id: str = "") -> int:
    try:
        check(key, caller, {"team_id": team_id})
    except Problem as problem:
        return problem.status
    return 0


def test_what_is_not_in_the_table_is_refused_even_to_an_admin() -> None:
    assert refused("GET /stray", ADMIN) == 403


def test_an_admin_may_call_all_that_is_in_the_table() -> None:
    assert [key for key in TABLE if refused(key, ADMIN)] == []


@pytest.mark.parametrize("key", [key for key, needs in TABLE.items() if needs is Needs.ADMIN])
def test_a_member_may_not_call_what_needs_an_admin(key: str) -> None:
    assert refused(key, MEMBER, "red") == 403


def test_a_team_is_shown_to_its_members_and_hidden_from_others() -> None:
    assert refused("GET /teams/{team_id}", MEMBER, "blue") == 0
    assert refused("GET /teams/{team_id}", MEMBER, "green") == 404


def test_members_are_managed_by_the_teams_admins() -> None:
    key = "PUT /teams/{team_id}/members/{user_id}"
    assert [refused(key, MEMBER, team) for team in ("red", "blue", "green")] == [0, 403, 404]
