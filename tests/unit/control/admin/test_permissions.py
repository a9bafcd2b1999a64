"""The table of permissions."""

from __future__ import annotations

import pytest

from control.admin.permissions import TABLE, check
from control.http.problems import Problem
from control.registry.access import Caller, GivenSet
from control.registry.actions import ACTIONS, permissions_of

ADMIN = Caller("u1", "Ann", "admin")
MEMBER = Caller("u2", "Bea", "member", {"red": "admin", "blue": "member"})
PLAIN = Caller("u3", "Cid", "member", {"blue": "member"})


def refused(key: str, caller: Caller, team_id: str = "") -> int:
    try:
        check(key, caller, {"team_id": team_id} if "{team_id}" in key else {})
    except Problem as problem:
        return problem.status
    return 0


def for_all(key: str) -> bool:
    """Whether everybody passes the door, for what is theirs, or shown to them."""
    held = ACTIONS[TABLE[key][0]]
    return held.own or held.shown or TABLE[key][0] in permissions_of("member")


def test_what_is_not_in_the_table_is_refused_even_to_an_admin() -> None:
    assert refused("GET /stray", ADMIN) == 403


def test_an_admin_may_call_all_that_is_in_the_table() -> None:
    assert [key for key in TABLE if refused(key, ADMIN)] == []


def test_every_row_names_an_action_and_every_action_opens_or_widens_a_route() -> None:
    assert all(TABLE.values())
    assert {action for row in TABLE.values() for action in row} == set(ACTIONS)


@pytest.mark.parametrize("key", [key for key in TABLE if not for_all(key)])
def test_a_member_may_not_call_what_needs_an_admin(key: str) -> None:
    if ACTIONS[TABLE[key][0]].team != "member":
        assert refused(key, PLAIN, "blue") == 403


def test_a_refusal_names_the_permission_and_what_it_is_for() -> None:
    with pytest.raises(Problem, match=r"This needs audit:read \(read the audit trail\), which you do not hold"):
        check("GET /audit", MEMBER, {})


def test_a_team_is_shown_to_its_members_and_hidden_from_others() -> None:
    assert refused("GET /teams/{team_id}", MEMBER, "blue") == 0
    assert refused("GET /teams/{team_id}", MEMBER, "green") == 404


def test_members_are_managed_by_the_teams_admins() -> None:
    key = "PUT /teams/{team_id}/members/{user_id}"
    assert [refused(key, MEMBER, team) for team in ("red", "blue", "green")] == [0, 403, 404]


def test_who_may_do_it_for_every_team_need_not_see_the_team() -> None:
    keeper = Caller("u4", "Kay", "member", given=(GivenSet(None, ["member:update"]),))
    assert refused("PUT /teams/{team_id}/members/{user_id}", keeper, "red") == 0
    assert refused("GET /teams/{team_id}/members", keeper, "red") == 404
