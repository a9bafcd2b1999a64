"""Changes of bearer tokens. Whoever is signed in with a token that ends gives no access that outlives it: they make
no token that ends later, and put off no token's end beyond it, that one's included. Else its end would mean nothing
to a thief.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from control.changes.refusals import NotAllowed, NotNow, NotThere, refuse_stale
from control.changes.write import Write
from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.tokens import manages, owner_of_new, puts_off, state_of, why_not_made_by
from control.store import tokens
from control.store.pool import Row
from control.store.writes import tokens as rows
from core.tokens import digest, new_token

_SHOWN = (*tokens.SHOWN, "owner")


async def create(write: Write, wanted: Mapping[str, Any]) -> tuple[Row, str]:
    """Make a token; `wanted` has `name`, `kind`, `user_id`, `team_id` and `expires_at`. Returns its row and its
    secret, of which only the digest is kept. StoreConflict where the owner does not exist.
    """
    kind, ends = wanted["kind"], wanted["expires_at"]
    user_id, team_id = owner_of_new(write.actor, kind, wanted["user_id"], wanted["team_id"])
    if why := why_not_made_by(write.actor, kind, user_id, team_id):
        raise NotAllowed(why)
    _refuse_past(ends)
    _refuse_outliving(write.actor, ends)
    secret = new_token()
    token_id = await rows.insert(
        write,
        {
            **wanted,
            "digest": digest(secret),
            "user_id": user_id,
            "team_id": team_id,
            "created_by": write.actor.user_id or None,
        },
    )
    made = await _there(write, token_id)
    await write.announce()
    await write.record("create", "token", token_id, None, _shown(made))
    return made, secret


async def change(write: Write, token_id: str, wanted: Mapping[str, Any], version: int | None = None) -> Row:
    """Rename a token or change its end: what `wanted` names. One that is revoked stays so."""
    before = await _locked(write, token_id)
    refuse_stale(version, before["version"])
    if before["revoked_at"] is not None:
        raise NotNow("The token is revoked; make a new one.")
    if "expires_at" in wanted:
        _refuse_past(wanted["expires_at"])
        if puts_off(before["expires_at"], wanted["expires_at"]):
            _refuse_outliving(write.actor, wanted["expires_at"])
    await rows.update(write, token_id, {**before, **wanted})
    after = await _there(write, token_id)
    await write.announce(tokens=[before["digest"]])
    await write.record("update", "token", token_id, _shown(before), _shown(after))
    return after


async def revoke(write: Write, token_id: str) -> Row:
    """Revoke a token: proxies refuse it within a second. Revoking twice is no error."""
    before = await _locked(write, token_id)
    if before["revoked_at"] is not None:
        return before
    await rows.revoke(write, token_id)
    after = await _there(write, token_id)
    await write.announce(tokens=[before["digest"]])
    await write.record("revoke", "token", token_id, _shown(before), _shown(after))
    return after


async def delete(write: Write, token_id: str, version: int | None = None) -> None:
    """Revoke a token and take it off the lists."""
    before = await _locked(write, token_id)
    refuse_stale(version, before["version"])
    await rows.delete(write, token_id)
    await write.announce(tokens=[before["digest"]])
    await write.record("delete", "token", token_id, _shown(before), None)


async def _locked(write: Write, token_id: str) -> Row:
    row = await tokens.one(write.connection, token_id, lock=True)
    if row is None or not manages(write.actor, row):
        raise NotThere("token")
    return row


async def _there(write: Write, token_id: str) -> Row:
    row = await tokens.one(write.connection, token_id)
    assert row is not None
    return row


def _shown(row: Row) -> dict[str, Any]:
    """The token as the audit trail keeps it: what lists show of it."""
    return {**{name: row[name] for name in _SHOWN}, "state": state_of(row)}


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
