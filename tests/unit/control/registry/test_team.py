"""Teams and members, as the registry keeps them."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

from control.registry.team import Member, Team, told_of_member, told_of_team

NOW = datetime.now(UTC)
RED = Team(id="t1", name="Red", description="ours", created_at=NOW, updated_at=NOW, version=1)
ANN = Member(team_id="t1", user_id="u1", name="Ann", email="ann@example.com", role="admin", created_at=NOW)


def test_people_are_told_every_field_of_a_team() -> None:
    assert set(told_of_team(RED)) == {one.name for one in fields(Team)}
    assert told_of_team(RED)["description"] == "ours"


def test_people_are_told_every_field_of_a_member() -> None:
    assert set(told_of_member(ANN)) == {one.name for one in fields(Member)}
    assert told_of_member(ANN)["email"] == "ann@example.com"
