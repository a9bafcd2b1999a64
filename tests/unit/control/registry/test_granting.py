"""Nobody gives what they do not hold."""

from __future__ import annotations

from control.registry.access import Caller, GivenSet
from control.registry.actions import permissions_of, team_permissions_of
from control.registry.granting import why_more_than_held, why_not_given

ADMIN = Caller("u1", "Ann", "admin")
TEAM_ADMIN = Caller("u2", "Bea", "member", {"red": "admin", "blue": "member"})
HELPER = Caller("u3", "Cid", "member", given=(GivenSet(None, ["user:create", "user:update"]),))
GIVER = Caller("u4", "Dan", "editor", given=(GivenSet(None, ["role:grant"]),))


def test_an_admin_gives_every_role() -> None:
    assert [why_not_given(ADMIN, permissions_of(role)) for role in ("admin", "editor", "member")] == ["", "", ""]


def test_what_every_member_holds_is_given_by_letting_somebody_in() -> None:
    assert why_not_given(HELPER, permissions_of("member")) == ""
    assert "This needs role:grant" in why_not_given(HELPER, permissions_of("editor"))


def test_who_gives_roles_gives_no_more_than_they_hold() -> None:
    assert why_not_given(GIVER, permissions_of("editor")) == ""
    assert "you lack audit:read, deployment:read, egress_" in why_not_given(GIVER, permissions_of("admin"))


def test_an_admin_of_a_team_gives_its_roles_in_that_team_alone() -> None:
    assert why_not_given(TEAM_ADMIN, team_permissions_of("admin"), "red") == ""
    assert "role:grant" in why_not_given(TEAM_ADMIN, team_permissions_of("admin"), "blue")
    assert "role:grant" in why_not_given(TEAM_ADMIN, team_permissions_of("editor"), "green")
    assert "role:grant" in why_not_given(TEAM_ADMIN, {"audit:read"})


def test_a_long_list_of_what_is_lacking_is_cut() -> None:
    assert why_more_than_held([]) == ""
    told = why_more_than_held([f"a:{letter}" for letter in "abcdefg"])
    assert "a:a, a:b, a:c, a:d, a:e and 2 more" in told
