"""Which roles a person's page offers, and for what."""

from __future__ import annotations

from datetime import UTC, datetime

from control.console.role_choices import RoleChoices, role_choices, roles_seen
from control.registry.access import Caller, GivenSet
from control.registry.role import Holder, Role
from control.registry.team import TeamOfUser
from tests.fakes.registry import MADE_AT

TEAM = "0" * 8 + "-0000-0000-0000-" + "0" * 12
MINE = [TeamOfUser(id=TEAM, name="Support", role="member")]


def a_role(name: str, *permissions: str) -> Role:
    return Role(
        id=name, name=name, description="", permissions=permissions, created_at=MADE_AT, updated_at=MADE_AT, version=1
    )


def held(team_id: str | None) -> Holder:
    return Holder(
        role_id="r", role="Auditor", user_id="u", name="Bea", email="bea@example.com", team_id=team_id,
        team=team_id and "Support", created_at=datetime.now(UTC),
    )  # fmt: skip


AUDITOR = a_role("Auditor", "record:read", "audit:read")
CURATOR = a_role("Curator", "entry:create")


def test_an_admin_gives_each_role_for_everything_or_for_a_team_of_the_person() -> None:
    assert role_choices(Caller("a", "Ann", "admin"), [AUDITOR, CURATOR], MINE) == RoleChoices(
        [("Auditor", "Auditor"), ("Curator", "Curator")],
        [("", "the whole organisation"), (TEAM, "the team Support")],
    )


def test_a_role_of_which_one_lacks_something_is_not_offered() -> None:
    giver = Caller("g", "Gus", "member", given=(GivenSet(None, ["role:grant", "record:read"]),))
    assert role_choices(giver, [AUDITOR], MINE) == RoleChoices([], [])


def test_an_admin_of_a_team_gives_for_that_team_alone() -> None:
    giver = Caller("t", "Tea", "member", teams={TEAM: "admin"})
    assert role_choices(giver, [AUDITOR, CURATOR], MINE) == RoleChoices(
        [("Curator", "Curator")], [(TEAM, "the team Support")]
    )


def test_who_gives_no_roles_sees_none() -> None:
    member = Caller("m", "Mia", "member")
    assert role_choices(member, [CURATOR], MINE) == RoleChoices([], [])
    assert roles_seen(member, [held(None), held(TEAM)]) == []


def test_an_admin_of_a_team_sees_what_is_held_for_it() -> None:
    giver = Caller("t", "Tea", "member", teams={TEAM: "admin"})
    assert [one.team_id for one in roles_seen(giver, [held(None), held(TEAM)])] == [TEAM]
