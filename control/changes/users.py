"""Changes of users. The last admin who is not disabled cannot be disabled, demoted or deleted. Nobody gives a role
that holds more than they do, and nobody changes a person who may do more.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from control.changes.refusals import NotAllowed, NotNow, NotThere, refuse_stale
from control.changes.write import Write, there
from control.registry.actions import Action, permissions_of
from control.registry.granting import why_not_given
from control.registry.owner import Organisation, Person
from control.registry.user import NewUser, User, told_of_user
from control.store import browser_sessions, entries, identities, users
from control.store.writes import entries as entry_rows
from control.store.writes import kept_tokens
from control.store.writes import users as rows


async def create(write: Write, wanted: NewUser) -> User:
    """Let a person in. StoreConflict `users_email`."""
    await _refuse_role(write, "user:create", wanted.role)
    made = await rows.insert(write, wanted)
    await write.announce()
    await write.record("create", "user", made.id, None, told_of_user(made))
    return made


async def change(write: Write, user_id: str, wanted: Mapping[str, Any], version: int | None = None) -> User:
    """Give a user another `name`, `email` or `role`: what `wanted` names. StoreConflict `users_email`."""
    before = await _locked(write, user_id, "user:update", keeps_admin=wanted.get("role", "admin") == "admin")
    refuse_stale(version, before.version)
    if wanted.get("role", before.role) != before.role:
        await _refuse_role(write, "user:update", wanted["role"])
    after = await rows.update(write, user_id, replace(before, **wanted))
    await write.announce(users=[user_id])
    await write.record("update", "user", user_id, told_of_user(before), told_of_user(after))
    return after


async def disable(write: Write, user_id: str) -> User:
    """Shut a user out: none of their tokens is accepted any more, their browser sessions end, and what identity
    providers gave for them is forgotten.
    """
    return await _set_disabled(write, user_id, disabled=True)


async def enable(write: Write, user_id: str) -> User:
    """Let a disabled user in again."""
    return await _set_disabled(write, user_id, disabled=False)


async def delete(write: Write, user_id: str, version: int | None = None) -> None:
    """Delete a user with their tokens, memberships, personal installations and personal gateways."""
    found_by_them = await entries.discovered_by(write.connection, Person(user_id))
    before = await _locked(write, user_id, "user:delete", keeps_admin=False)
    refuse_stale(version, before.version)
    going = await users.goes_with(write.connection, user_id)
    await rows.delete(write, user_id)
    await entry_rows.discover_through_another(write, found_by_them)
    await write.announce(
        tokens=going.tokens,
        installations=going.installations,
        users=[user_id],
        gateways_gone=going.gateways,
        gateways=going.pinned,
    )
    await write.record("delete", "user", user_id, told_of_user(before), None)


async def _set_disabled(write: Write, user_id: str, *, disabled: bool) -> User:
    found_by_them = await entries.discovered_by(write.connection, Person(user_id)) if disabled else ()
    if disabled:  # before the user is, as at a sign-in: two that lock in another order wait for each other
        await identities.lock_of_user(write.connection, user_id)
    before = await _locked(write, user_id, "user:disable", keeps_admin=not disabled)
    if (before.disabled_at is not None) == disabled:
        if disabled:
            await rows.keep_disabled(write, user_id)
            await write.announce()
            write.observed()
        return before
    after = await rows.set_disabled(write, user_id, disabled)
    if disabled:
        await browser_sessions.delete_all_of(write.connection, user_id)
        await kept_tokens.forget_of_user(write, user_id)
        await entry_rows.discover_through_another(write, found_by_them)
    await write.announce(users=[user_id])
    await write.record(
        "disable" if disabled else "enable", "user", user_id, told_of_user(before), told_of_user(after)
    )
    return after


async def _locked(write: Write, user_id: str, action: Action, *, keeps_admin: bool) -> User:
    """The user, locked; refused where the last admin would go. All admins are locked before, always in one order."""
    others = 1 if keeps_admin else await users.other_admins(write.connection, user_id)
    user = await users.one(write.connection, user_id, lock=True)
    if user is None:
        raise NotThere("user")
    if not others and user.is_active_admin:
        raise NotNow("This is the last admin: make another user an admin first.")
    holder = await write.holder(action, Organisation())
    if not holder.holds_all_of(there(await users.standing(write.connection, user_id))):
        raise NotAllowed("This person may do more than you, so only somebody who may do as much changes them.")
    return user


async def _refuse_role(write: Write, action: Action, role: str) -> None:
    if why := why_not_given(await write.holder(action, Organisation()), permissions_of(role)):
        raise NotAllowed(why)
