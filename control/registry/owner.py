"""Whose something is: one person's, a team's, the whole organisation's, or a service account's.

Made by `control/store/` from the columns `user_id`, `team_id` and `oauth_client_id`, of which a row has at most one.
Leaves out what an owner may do: that is `installing.py` for installations, and `access.py` for callers.
"""

from typing import Literal, NamedTuple, assert_never

import msgspec

Scope = Literal["personal", "team", "organisation", "service"]
"""An owner's kind, as installations name it."""


class Person(msgspec.Struct, frozen=True, tag="personal"):
    """An owner: one person, who alone may use it."""

    id: str


class TeamOwner(msgspec.Struct, frozen=True, tag="team"):
    """An owner: a team, all of whose members may use it."""

    id: str


class Organisation(msgspec.Struct, frozen=True, tag="organisation"):
    """An owner: the whole organisation, so that everybody may use it."""


class ServiceAccount(msgspec.Struct, frozen=True, tag="service"):
    """An owner: an OAuth client that calls for itself and for no person, and alone may use it."""

    id: str
    """Of the client's row, which is also what such a client calls itself."""


TokenOwner = Person | TeamOwner | Organisation
"""Whose an `arch_` token can be. A service account has none: it proves itself as an OAuth client does."""
Owner = TokenOwner | ServiceAccount


class OwnerColumns(NamedTuple):
    """An owner as a row and the admin API have it."""

    scope: Scope
    user_id: str | None
    team_id: str | None
    oauth_client_id: str | None


def token_owner_of(user_id: str | None, team_id: str | None) -> TokenOwner:
    """The owner that these two columns of a token's row name. The schema lets at most one of them be there."""
    if user_id is not None:
        return Person(user_id)
    return Organisation() if team_id is None else TeamOwner(team_id)


def owner_of(user_id: str | None, team_id: str | None, oauth_client_id: str | None) -> Owner:
    """The owner that these three columns of a row name. The schema lets at most one of them be there."""
    return token_owner_of(user_id, team_id) if oauth_client_id is None else ServiceAccount(oauth_client_id)


def owner_columns(owner: Owner) -> OwnerColumns:
    """The columns that name this owner."""
    match owner:
        case Person(user_id):
            return OwnerColumns("personal", user_id, None, None)
        case TeamOwner(team_id):
            return OwnerColumns("team", None, team_id, None)
        case Organisation():
            return OwnerColumns("organisation", None, None, None)
        case ServiceAccount(client_id):
            return OwnerColumns("service", None, None, client_id)
    assert_never(owner)


def owner_key(owner: Owner) -> str:
    """`user:ID`, `team:ID`, `organisation` or `service:ID`, as `core.resolve.Principal.key` has it: no two owners
    share one.
    """
    match owner:
        case Person(user_id):
            return f"user:{user_id}"
        case TeamOwner(team_id):
            return f"team:{team_id}"
        case Organisation():
            return "organisation"
        case ServiceAccount(client_id):
            return f"service:{client_id}"
    assert_never(owner)
