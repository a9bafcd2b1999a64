"""A team and its members, as the registry keeps them.

Made by `control/store/teams.py` of rows, and by nobody else. (`TeamOwner` of `owner.py` is a team as an owner: only
its identifier.)
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from control.registry.access import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTeam:
    """What a new team is made of, and what may be changed of it."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Team(NewTeam):
    """A team that exists. Its version rises with its members too: they are part of what a writer has read."""

    id: str
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A user in a team, with their role there."""

    team_id: str
    user_id: str
    name: str
    email: str
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamOfUser:
    """A team that a user is in, with their role there."""

    id: str
    name: str
    role: Role


def told_of_team(team: Team) -> dict[str, Any]:
    """All that people are told of a team, in the words of the admin API."""
    return asdict(team)


def told_of_member(member: Member) -> dict[str, Any]:
    """All that people are told of a member, in the words of the admin API."""
    return asdict(member)
