"""What a caller may do."""

from __future__ import annotations

from control.registry.access import Caller, GivenSet
from control.registry.actions import ACTIONS
from control.registry.owner import Organisation, Person, TeamOwner

ADMIN = Caller("u1", "Ann", "admin")
MEMBER = Caller("u2", "Bea", "member", {"red": "admin", "blue": "member"})
EDITOR = Caller("u3", "Cid", "editor")
CURATOR = Caller("u4", "Dan", "member", {"blue": "member"}, given=(GivenSet("blue", ["token:read", "audit:read"]),))


def test_an_admin_may_everything() -> None:
    assert ADMIN.permissions == set(ACTIONS)
    for action in ACTIONS:
        for owner in (Person("u2"), TeamOwner("red"), Organisation()):
            assert ADMIN.may_for(action, owner)


def test_an_admin_of_a_team_administers_that_team_alone() -> None:
    for action in ("member:update", "token:revoke", "installation:update"):
        assert MEMBER.may_for(action, TeamOwner("red"))
        assert not MEMBER.may_for(action, TeamOwner("blue"))
        assert not MEMBER.may_for(action, TeamOwner("green"))
        assert not MEMBER.may(action)


def test_a_member_belongs_to_their_teams_alone() -> None:
    assert MEMBER.may_for("team:read", TeamOwner("blue"))
    assert not MEMBER.may_for("team:read", TeamOwner("green"))
    assert MEMBER.teams_with("team:read") == ["red", "blue"]
    assert MEMBER.teams_with("record:read") == ["red"]


def test_a_member_owns_what_is_theirs_alone() -> None:
    assert MEMBER.may_for("record:read", Person("u2"))
    assert not MEMBER.may_for("record:read", Person("u1"))
    assert not MEMBER.may_for("record:read", Person(""))
    assert not MEMBER.may_for("record:read", Organisation())
    assert not MEMBER.may_for("user:update", Person("u2"))


def test_who_is_no_user_owns_nothing_by_that() -> None:
    assert not Caller("", "nobody", "member").may_for("token:read", Person(""))


def test_an_editor_changes_entries_and_gateways_and_no_people() -> None:
    assert {"entry:create", "tool:update", "installation:update", "gateway:delete"} <= EDITOR.permissions
    assert not EDITOR.permissions & {"user:update", "token:read", "record:read", "audit:read", "role:grant"}


def test_a_set_given_for_a_team_is_held_for_that_team_alone() -> None:
    assert CURATOR.may_for("token:read", TeamOwner("blue"))
    assert not CURATOR.may("token:read")
    assert not Caller("u4", "Dan", "member", given=CURATOR.given).may_for("token:read", TeamOwner("blue"))


def test_a_set_given_for_the_organisation_is_held_for_everything() -> None:
    auditor = Caller("u5", "Eva", "member", given=(GivenSet(None, ["audit:read", "record:read"]),))
    assert auditor.may("audit:read")
    assert auditor.may_for("record:read", Person("u1"))


def test_no_set_gives_what_cannot_be_held_so_whatever_its_row_says() -> None:
    assert not CURATOR.may_for("audit:read", TeamOwner("blue"))
    forged = Caller("u6", "Eve", "member", given=(GivenSet(None, ["token:create", "no:such", "entry:read"]),))
    assert forged.permissions == Caller("u6", "Eve", "member").permissions | {"entry:read"}


def test_at_the_door_stands_who_could_do_it_to_something() -> None:
    assert MEMBER.may_for_some("record:read")  # their own
    assert MEMBER.may_for_some("entry:read")  # what is shown to them
    assert MEMBER.may_for_some("user:list")  # for a team of theirs
    assert not Caller("u7", "Fay", "member", {"blue": "member"}).may_for_some("user:list")
    assert not MEMBER.may_for_some("audit:read")


def test_a_person_is_changed_by_those_who_may_do_as_much() -> None:
    helper = Caller("u8", "Gil", "member", given=(GivenSet(None, ["user:update"]),))
    assert helper.holds_all_of(Caller("u9", "Hal", "member", {"blue": "member"})) is False  # who sees the team blue
    assert helper.holds_all_of(Caller("u9", "Hal", "member"))
    assert not helper.holds_all_of(EDITOR)
    assert not MEMBER.holds_all_of(CURATOR)
    assert Caller("u10", "Ida", "member", {"blue": "admin"}).holds_all_of(CURATOR)
    assert ADMIN.holds_all_of(MEMBER)
