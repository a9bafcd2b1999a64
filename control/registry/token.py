"""A bearer token, as the registry keeps it: who may manage it, and whose a new one is.

Whether one is accepted is judged in `token_validity.py`. Made by `control/store/tokens.py` of a row, and by nobody
else. The secret itself is kept nowhere, its digest only.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Literal, assert_never

from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.owner import Organisation, Owner, Person, TeamOwner, TokenOwner, owner_columns
from control.registry.token_validity import State, refusal_of
from core.resolve import Principal

Kind = Literal["user", "team", "organisation"]
"""An owner's kind, as tokens name it."""
Use = Literal["gateways", "api"]
"""What a token is for: calling gateways, or the admin API. No token is for both, so that one which is pasted into a
client opens nothing else; and it is settled when the token is made, so that a verdict on it never has to be doubted
for this reason."""
LONGEST_OWN: Final = timedelta(days=366)
"""A token that a person makes for themselves lasts no longer: nobody else looks after it."""
_NOT_TOLD: Final = {"digest", "owner", "owner_name", "expired", "owner_disabled_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """What a new token is made of: its owner and the digest of its secret."""

    digest: str
    """SHA-256 of the secret."""
    name: str
    owner: TokenOwner
    created_by: str | None
    """The user who made it; None for the token of a run, and where that user is gone."""
    expires_at: datetime | None
    use: Use = "gateways"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(NewToken):
    """A token that exists, with all that decides whether it is accepted."""

    id: str
    owner_name: str
    """Of the user or the team; '' for the organisation."""
    owner_disabled_at: datetime | None
    expired: bool
    """By the clock of the database."""
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    version: int


def principal_of_token(token: Token, teams: Iterable[str]) -> Principal:
    """Who calls with it. `teams`: those of its person, where it has one."""
    match token.owner:
        case Organisation():
            return Principal("organisation", "organisation", token.name)
        case TeamOwner(team_id):
            return Principal("team", team_id, token.owner_name, frozenset({team_id}))
        case Person(user_id):
            return Principal("user", user_id, token.owner_name, frozenset(teams))
    assert_never(token.owner)


def told_of_token(token: Token) -> dict[str, Any]:
    """All that people are told of a token, in the words of the admin API; never its digest."""
    told = {one.name: getattr(token, one.name) for one in fields(token) if one.name not in _NOT_TOLD}
    _, user_id, team_id, _ = owner_columns(token.owner)
    state: State = refusal_of(token) or "active"
    of = {"kind": kind_of(token.owner), "user_id": user_id, "team_id": team_id, "owner": token.owner_name}
    return {**told, **of, "state": state}


def kind_of(owner: TokenOwner) -> Kind:
    """The word of tokens for this kind of owner."""
    match owner:
        case Person():
            return "user"
        case TeamOwner():
            return "team"
        case Organisation():
            return "organisation"
    assert_never(owner)


def owner_of_new(caller: Caller, kind: Kind, user_id: str | None, team_id: str | None) -> TokenOwner:
    """Whose a new token is; raises BrokenRule where what was asked for does not fit its kind."""
    if user_id is not None and kind != "user":
        raise BrokenRule("user_id", "is allowed only with the kind user; leave it out")
    if team_id is not None and kind != "team":
        raise BrokenRule("team_id", "is allowed only with the kind team; leave it out")
    if kind == "user":
        return Person(user_id or caller.user_id)
    if kind == "organisation":
        return Organisation()
    if team_id is None:
        raise BrokenRule("team_id", "is needed for a token of a team")
    return TeamOwner(team_id)


def refuse_use(use: Use, kind: Kind) -> None:
    """Raise BrokenRule where a token of this kind of owner cannot be for that: the API asks which person it is."""
    if use == "api" and kind != "user":
        raise BrokenRule("use", "`api` is allowed only with the kind user; leave it out, or name a user")


def is_own_of(actor: Caller, owner: Owner, use: Use) -> bool:
    """Whether a person who signed in makes a token for their own calls, for which nobody need be an admin."""
    return (
        bool(actor.session_id)
        and not actor.may("token:create")
        and use == "gateways"
        and (owner == Person(actor.user_id))
    )


def refuse_long(ends: datetime | None, now: datetime) -> None:
    """Raise BrokenRule where a token that a person makes for themselves would not end soon enough."""
    if ends is None or ends > now + LONGEST_OWN:
        raise BrokenRule(
            "expires_at", f"must be within {LONGEST_OWN.days} days; ask an admin for one that lasts longer"
        )


def puts_off(before: datetime | None, after: datetime | None) -> bool:
    """Whether a token ends later with the second end than with the first; None is never."""
    return before is not None and (after is None or after > before)
