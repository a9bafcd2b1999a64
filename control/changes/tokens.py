"""Changes of bearer tokens. Whoever is signed in with a token that ends gives no access that outlives it: they make
no token that ends later, and put off no token's end beyond it, that one's included. Else its end would mean nothing
to a thief.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from control.changes.refusals import NotAllowed, NotNow, NotThere, refuse_stale
from control.changes.write import Write, there
from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.token import (
    Kind,
    NewToken,
    Token,
    manages,
    owner_of_new,
    puts_off,
    told_of_token,
    why_not_given_by,
)
from control.store import tokens
from control.store.writes import tokens as rows
from core.tokens import digest, new_token


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedToken:
    """A token to make, before it has a secret. Of the kind user without a `user_id`, it is the actor's own."""

    name: str
    kind: Kind = "user"
    user_id: str | None = None
    team_id: str | None = None
    expires_at: datetime | None = None


async def create(write: Write, wanted: WantedToken) -> tuple[Token, str]:
    """Make a token; returns it with its secret, of which only the digest is kept. Raises BrokenRule and NotAllowed;
    StoreConflict where the owner does not exist.
    """
    owner = owner_of_new(write.actor, wanted.kind, wanted.user_id, wanted.team_id)
    if why := why_not_given_by(write.actor, owner):
        raise NotAllowed(why)
    _refuse_past(wanted.expires_at)
    _refuse_outliving(write.actor, wanted.expires_at)
    secret = new_token()
    token_id = await rows.insert(
        write,
        NewToken(
            digest=digest(secret),
            name=wanted.name,
            owner=owner,
            created_by=write.actor.user_id or None,
            expires_at=wanted.expires_at,
        ),
    )
    made = there(await tokens.one(write.connection, token_id))
    await write.announce()
    await write.record("create", "token", token_id, None, told_of_token(made))
    return made, secret


async def change(write: Write, token_id: str, wanted: Mapping[str, Any], version: int | None = None) -> Token:
    """Rename a token or change its end: what `wanted` names. One that is revoked stays so."""
    before = await _locked(write, token_id)
    refuse_stale(version, before.version)
    if before.revoked_at is not None:
        raise NotNow("The token is revoked; make a new one.")
    if "expires_at" in wanted:
        _refuse_past(wanted["expires_at"])
        if puts_off(before.expires_at, wanted["expires_at"]):
            _refuse_outliving(write.actor, wanted["expires_at"])
    await rows.update(write, replace(before, **wanted))
    after = there(await tokens.one(write.connection, token_id))
    await write.announce(tokens=[before.digest])
    await write.record("update", "token", token_id, told_of_token(before), told_of_token(after))
    return after


async def revoke(write: Write, token_id: str) -> Token:
    """Revoke a token: proxies refuse it within a second. Revoking twice is no error."""
    before = await _locked(write, token_id)
    if before.revoked_at is not None:
        return before
    await rows.revoke(write, token_id)
    after = there(await tokens.one(write.connection, token_id))
    await write.announce(tokens=[before.digest])
    await write.record("revoke", "token", token_id, told_of_token(before), told_of_token(after))
    return after


async def delete(write: Write, token_id: str, version: int | None = None) -> None:
    """Revoke a token and take it off the lists."""
    before = await _locked(write, token_id)
    refuse_stale(version, before.version)
    await rows.delete(write, token_id)
    await write.announce(tokens=[before.digest])
    await write.record("delete", "token", token_id, told_of_token(before), None)


async def _locked(write: Write, token_id: str) -> Token:
    token = await tokens.one(write.connection, token_id, lock=True)
    if token is None or not manages(write.actor, token):
        raise NotThere("token")
    return token


def _refuse_past(ends: datetime | None) -> None:
    if ends is not None and ends <= datetime.now(UTC):
        raise BrokenRule("expires_at", "is in the past; give a later time, or null for a token that does not expire")


def _refuse_outliving(caller: Caller, ends: datetime | None) -> None:
    if not caller.may_grant_until(ends):
        assert caller.token_expires_at is not None  # else anything may be granted
        own_end = caller.token_expires_at.astimezone(UTC).isoformat(timespec="seconds")
        raise BrokenRule(
            "expires_at",
            f"must not be later than {own_end}, when the token that you are signed in with ends; give an earlier "
            "time, or sign in with a token that does not expire",
        )
