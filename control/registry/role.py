"""A role that admins made: a set of permissions, and who holds it, for a team or for the organisation.

Made by `control/store/roles.py` of rows, and by nobody else. The three roles that everybody has one of, in the
organisation and in each team, are no rows: `actions.py`.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from control.registry.actions import ACTIONS, ROLES
from control.registry.broken_rule import BrokenRule


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRole:
    """What a new role is made of, and what may be changed of it."""

    name: str
    description: str
    permissions: tuple[str, ...]
    """Names of actions, in the order of their table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(NewRole):
    """A role that exists. Its version rises with its holders too: they are part of what a writer has read."""

    id: str
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A person who holds a role; `team_id` None: for the whole organisation."""

    role_id: str
    role: str
    """Its name."""
    user_id: str
    name: str
    email: str
    team_id: str | None
    team: str | None
    created_at: datetime


def told_of_role(role: Role) -> dict[str, Any]:
    """All that people are told of a role, in the words of the admin API."""
    return {**asdict(role), "permissions": list(role.permissions)}


def told_of_holder(holder: Holder) -> dict[str, Any]:
    """All that people are told of a holder, in the words of the admin API."""
    return asdict(holder)


def check_name(name: str) -> None:
    """BrokenRule for what no role may be called."""
    if name.casefold() in ROLES:
        raise BrokenRule("name", f"{name.casefold()!r} is a role that everybody knows otherwise; choose another name")


def check_permissions(permissions: Collection[str]) -> tuple[str, ...]:
    """The permissions once each, in the order of their table; BrokenRule for what no role may hold."""
    for number, one in enumerate(permissions):
        if one in ACTIONS and ACTIONS[one].reserved:  # type: ignore[index] # it was found there
            raise BrokenRule(f"permissions[{number}]", f"{one} is held by admins alone; leave it out")
    return tuple(action for action in ACTIONS if action in permissions)


def not_for_a_team(permissions: Iterable[str]) -> list[str]:
    """Those of these permissions that cannot be held for a team."""
    return [action for action, held in ACTIONS.items() if action in set(permissions) and held.team is None]
