"""What a caller may do."""

from __future__ import annotations

from control.registry.access import Caller

ADMIN = Caller("u1", "Ann", "admin")
MEMBER = Caller("u2", "Bea", "member", {"red": "admin", "blue": "member"})


def test_an_admin_may_everything() -> None:
    assert ADMIN.is_admin
    assert ADMIN.administers("red")
    assert ADMIN.belongs_to("red")
    assert ADMIN.owns("u2")


def test_an_admin_of_a_team_administers_that_team_alone() -> None:
    assert MEMBER.administers("red")
    assert not MEMBER.administers("blue")
    assert not MEMBER.administers("green")


def test_a_member_belongs_to_their_teams_alone() -> None:
    assert MEMBER.belongs_to("blue")
    assert not MEMBER.belongs_to("green")


def test_a_member_owns_what_is_theirs_alone() -> None:
    assert MEMBER.owns("u2")
    assert not MEMBER.owns("u1")
    assert not MEMBER.owns(None)
