"""Changes of bearer tokens. Only an admin makes tokens, or lets one live longer: else a token in a thief's hand would
make others, and its end would mean nothing. A person who signed in makes tokens for their own calls, which end. For
the same reason whoever came with a token that ends gives no access that outlives it: they make no token that ends
later, and put off no token's end beyond it, that one's included.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from control.changes.as_admin import why_no_admin, why_not_themselves
from control.changes.refusals import NotAllowed, NotNow, NotThere, refuse_stale
from control.changes.write import Write, there
from control.registry.access import Caller
from control.registry.actions import Action
from control.registry.broken_rule import BrokenRule
from control.registry.owner import Person, owner_columns
from control.registry.token import (
    Kind,
    NewToken,
    Token,
    Use,
    is_own_of,
    owner_of_new,
    puts_off,
    refuse_long,
    refuse_use,
    told_of_token,
)
from control.store import tokens, users
from control.store.writes import tokens as rows
from core.tokens import digest, new_token

_NEEDS_ADMIN: Final = "Only an admin makes tokens and lets one live longer; ask an admin."


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedToken:
    """A token to make, before it has a secret. Of the kind user without a `user_id`, it is the actor's own."""

    name: str
    use: Use = "gateways"
    kind: Kind = "user"
    user_id: str | None = None
    team_id: str | None = None
    expires_at: datetime | None = None


async def create(write: Write, wanted: WantedToken) -> tuple[Token, str]:
    """Make a token; returns it with its secret, of which only the digest is kept. Raises BrokenRule and NotAllowed;
    StoreConflict where the owner does not exist.
    """
    refuse_use(wanted.use, wanted.kind)
    owner = owner_of_new(write.actor, wanted.kind, wanted.user_id, wanted.team_id)
    own = is_own_of(write.actor, owner, wanted.use)
    if why := await (why_not_themselves(write) if own else _why_no_admin(write, owner_columns(owner).user_id)):
        raise NotAllowed(why)
    _refuse_past(wanted.expires_at)
    if own:
        refuse_long(wanted.expires_at, datetime.now(UTC))
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
            use=wanted.use,
        ),
    )
    made = there(await tokens.one(write.connection, token_id))
    await write.announce()
    await write.record("create", "token", token_id, None, told_of_token(made))
    return made, secret


async def change(write: Write, token_id: str, wanted: Mapping[str, Any], version: int | None = None) -> Token:
    """Rename a token or change its end: what `wanted` names. One that is revoked stays so."""
    # Before the token: users are locked first, and then tokens.
    why_not_longer = await _why_no_admin(write) if "expires_at" in wanted else ""
    before = await _locked(write, token_id, "token:update")
    refuse_stale(version, before.version)
    if before.revoked_at is not None:
        raise NotNow("The token is revoked; make a new one.")
    if "expires_at" in wanted:
        _refuse_past(wanted["expires_at"])
        if puts_off(before.expires_at, wanted["expires_at"]):
            if why_not_longer:
                raise NotAllowed(why_not_longer)
            _refuse_outliving(write.actor, wanted["expires_at"])
    await rows.update(write, replace(before, **wanted))
    after = there(await tokens.one(write.connection, token_id))
    await write.announce(tokens=[before.digest])
    await write.record("update", "token", token_id, told_of_token(before), told_of_token(after))
    return after


async def revoke(write: Write, token_id: str) -> Token:
    """Revoke a token: proxies refuse it within a second. Revoking twice is no error."""
    before = await _locked(write, token_id, "token:revoke")
    if before.revoked_at is not None:
        return before
    await rows.revoke(write, token_id)
    after = there(await tokens.one(write.connection, token_id))
    await write.announce(tokens=[before.digest])
    await write.record("revoke", "token", token_id, told_of_token(before), told_of_token(after))
    return after


async def revoke_all_of(write: Write, user_id: str) -> int:
    """Revoke every token of a user, the actor's own included; how many held until now. None that is being made for
    them, or with one of theirs, comes after it.
    """
    if (
        not write.actor.may_for("token:revoke", Person(user_id))
        or await users.hold(write.connection, user_id) is None
    ):
        raise NotThere("user")
    held = await tokens.lock_all_of(write.connection, user_id)
    if not held:
        return 0
    await rows.revoke_all(write, [token.id for token in held])
    await write.announce(tokens=[token.digest for token in held])
    for before in held:
        after = there(await tokens.one(write.connection, before.id))
        await write.record("revoke", "token", before.id, told_of_token(before), told_of_token(after))
    return len(held)


async def delete(write: Write, token_id: str, version: int | None = None) -> None:
    """Revoke a token and take it off the lists."""
    before = await _locked(write, token_id, "token:delete")
    refuse_stale(version, before.version)
    await rows.delete(write, token_id)
    await write.announce(tokens=[before.digest])
    await write.record("delete", "token", token_id, told_of_token(before), None)


async def _locked(write: Write, token_id: str, action: Action) -> Token:
    token = await tokens.one(write.connection, token_id, lock=True)
    if token is None or not write.actor.may_for(action, token.owner):
        raise NotThere("token")
    return token


async def _why_no_admin(write: Write, owner_id: str | None = None) -> str:
    return await why_no_admin(write, "token:create", _NEEDS_ADMIN, owner_id)


def _refuse_past(ends: datetime | None) -> None:
    if ends is not None and ends <= datetime.now(UTC):
        raise BrokenRule("expires_at", "is in the past; give a later time, or null for a token that does not expire")


def _refuse_outliving(caller: Caller, ends: datetime | None) -> None:
    if not caller.may_grant_until(ends):
        assert caller.token_expires_at is not None  # else anything may be granted
        own_end = caller.token_expires_at.astimezone(UTC).isoformat(timespec="seconds")
        raise BrokenRule(
            "expires_at",
            f"must not be later than {own_end}, when the token that you came with ends; give an earlier "
            "time, or come with a token that does not expire",
        )
