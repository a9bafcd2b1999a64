"""Whose something is: one person's, a team's, or the whole organisation's. One type for installations and tokens.

Made by `control/store/` from the columns `user_id` and `team_id`, of which a row has at most one. Leaves out what an
owner may do: that is `installing.py` for installations, and `access.py` for callers.
"""

from typing import Literal, NamedTuple, assert_never

import msgspec

Scope = Literal["personal", "team", "organisation"]
"""An owner's kind, as installations name it."""


class Person(msgspec.Struct, frozen=True, tag="personal"):
    """An owner: one person, who alone may use it."""

    id: str


class TeamOwner(msgspec.Struct, frozen=True, tag="team"):
    """An owner: a team, all of whose members may use it."""

    id: str


class Organisation(msgspec.Struct, frozen=True, tag="organisation"):
    """An owner: the whole organisation, so that everybody may use it."""


Owner = Person | TeamOwner | Organisation


class OwnerColumns(NamedTuple):
    """An owner as a row and the admin API have it."""

    scope: Scope
    user_id: str | None
    team_id: str | None


def owner_of(user_id: str | None, team_id: str | None) -> Owner:
    """The owner that these two columns of a row name. The schema lets at most one of them be there."""
    if user_id is not None:
        return Person(user_id)
    return Organisation() if team_id is None else TeamOwner(team_id)


def owner_columns(owner: Owner) -> OwnerColumns:
    """The columns that name this owner."""
    match owner:
        case Person(user_id):
            return OwnerColumns("personal", user_id, None)
        case TeamOwner(team_id):
            return OwnerColumns("team", None, team_id)
        case Organisation():
            return OwnerColumns("organisation", None, None)
    assert_never(owner)


def owner_key(owner: Owner) -> str:
    """`user:ID`, `team:ID` or `organisation`, as `core.resolve.Principal.key` has it: no two owners share one."""
    match owner:
        case Person(user_id):
            return f"user:{user_id}"
        case TeamOwner(team_id):
            return f"team:{team_id}"
        case Organisation():
            return "organisation"
    assert_never(owner)
