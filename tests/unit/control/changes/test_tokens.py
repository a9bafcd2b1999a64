"""Changes of bearer tokens, without HTTP and without Redis."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from control.changes import tokens, users
from control.changes.refusals import NotAllowed, NotNow, NotThere, Stale
from control.changes.tokens import WantedToken
from control.changes.write import changing
from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.owner import Person
from control.sign_in.session import begin
from control.store import browser_sessions
from control.store.pool import Pool, transaction
from core.tokens import digest, well_formed
from tests.unit.control.changes.acting import (
    ADMIN,
    audit_of,
    forget,
    new_team,
    new_token,
    new_user,
    outbox_of,
    waiting_for_a_lock,
)

PLAIN = WantedToken(name="ci")


def in_hours(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


async def test_only_the_digest_of_the_secret_is_kept_and_the_trail_has_neither(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = (await new_user(write, "Ann")).id
        await forget(pool)
        made, secret = await tokens.create(write, replace(PLAIN, user_id=ann))
    assert well_formed(secret) is not None
    assert made.digest == digest(secret)
    line = (await audit_of(pool))[-1]
    assert not {"digest", "secret"} & set(line["after"])
    assert (line["after"]["state"], line["after"]["owner"], line["after"]["id"]) == ("active", "Ann", made.id)


async def test_a_member_makes_no_tokens_and_lets_none_live_longer(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, bea = (await new_user(write, "Ann")).id, (await new_user(write, "Bea")).id
        team = (await new_team(write, "Red", ann)).id
        ends, _ = await tokens.create(write, replace(PLAIN, user_id=ann, expires_at=in_hours(1)))
    async with changing(pool, Caller(ann, "Ann", "member", {team: "admin"})) as write:
        for act in (
            tokens.create(write, PLAIN),
            tokens.create(write, replace(PLAIN, use="api")),
            tokens.create(write, replace(PLAIN, user_id=bea)),
            tokens.create(write, replace(PLAIN, kind="team", team_id=team)),
            tokens.create(write, replace(PLAIN, kind="organisation")),
            tokens.change(write, ends.id, {"expires_at": None}),
            tokens.change(write, ends.id, {"expires_at": in_hours(2)}),
        ):
            with pytest.raises(NotAllowed, match="Only an admin"):
                await act
        await tokens.change(write, ends.id, {"name": "shorter", "expires_at": in_hours(0.5)})


async def test_an_admin_makes_tokens_for_anybody_and_is_told_as_their_maker(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        root, bea = (await new_user(write, "Root", "admin")).id, (await new_user(write, "Bea")).id
    async with changing(pool, Caller(root, "Root", "admin")) as write:
        own, _ = await tokens.create(write, PLAIN)
        theirs, _ = await tokens.create(write, replace(PLAIN, use="api", user_id=bea))
    assert [(made.owner, made.use, made.created_by) for made in (own, theirs)] == [
        (Person(root), "gateways", root),
        (Person(bea), "api", root),
    ]


async def admin_with_token(pool: Pool) -> tuple[Caller, str]:
    """An admin as the API knows them once they were let in, and another user."""
    async with changing(pool, ADMIN) as write:
        await new_user(write, "Root", "admin")
        ann, bea = (await new_user(write, "Ann", "admin")).id, (await new_user(write, "Bea")).id
        made, _ = await tokens.create(write, replace(PLAIN, use="api", user_id=ann))
    return Caller(ann, "Ann", "admin", token_id=made.id), bea


@pytest.mark.parametrize("meanwhile", ["revoked", "all revoked", "deleted", "demoted", "disabled", "gone"])
async def test_who_lost_the_right_after_they_were_let_in_makes_no_token_and_lets_none_live_longer(
    pool: Pool, meanwhile: str
) -> None:
    ann, bea = await admin_with_token(pool)
    async with changing(pool, ADMIN) as write:
        ends, _ = await tokens.create(write, replace(PLAIN, user_id=bea, expires_at=in_hours(1)))
        acts = {
            "revoked": lambda: tokens.revoke(write, ann.token_id),
            "all revoked": lambda: tokens.revoke_all_of(write, ann.user_id),
            "deleted": lambda: tokens.delete(write, ann.token_id),
            "demoted": lambda: users.change(write, ann.user_id, {"role": "member"}),
            "disabled": lambda: users.disable(write, ann.user_id),
            "gone": lambda: users.delete(write, ann.user_id),
        }
        await acts[meanwhile]()
    async with changing(pool, ann) as write:
        for act in (
            tokens.create(write, replace(PLAIN, user_id=bea)),
            tokens.change(write, ends.id, {"expires_at": None}),
        ):
            with pytest.raises(NotAllowed):
                await act


@pytest.mark.parametrize("owner", ["their own", "another's"])
async def test_no_token_is_made_with_one_that_is_just_being_revoked(pool: Pool, owner: str) -> None:
    ann, bea = await admin_with_token(pool)
    wanted = replace(PLAIN, user_id=ann.user_id if owner == "their own" else bea)

    async def make() -> None:
        async with changing(pool, ann) as write:
            with pytest.raises(NotAllowed, match="revoked or has expired meanwhile"):
                await tokens.create(write, wanted)

    async with asyncio.TaskGroup() as group, changing(pool, ADMIN) as write:
        await tokens.revoke_all_of(write, ann.user_id)
        group.create_task(make())
        await waiting_for_a_lock(pool)


async def test_a_token_that_is_just_being_made_is_among_all_of_its_owners(pool: Pool) -> None:
    ann, bea = await admin_with_token(pool)

    async def revoke() -> int:
        async with changing(pool, ADMIN) as write:
            return await tokens.revoke_all_of(write, bea)

    async with asyncio.TaskGroup() as group, changing(pool, ann) as write:
        await tokens.create(write, replace(PLAIN, user_id=bea))
        revoking = group.create_task(revoke())
        await waiting_for_a_lock(pool)
    assert revoking.result() == 1


async def test_nobody_gives_what_outlives_the_token_that_they_came_with(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = (await new_user(write, "Ann", "admin")).id
        endless = (await new_token(write, user=ann)).id
    async with changing(pool, Caller(ann, "Ann", "admin", token_expires_at=in_hours(1))) as write:
        made, _ = await tokens.create(write, replace(PLAIN, expires_at=in_hours(0.5)))
        for act in (
            tokens.create(write, PLAIN),
            tokens.create(write, replace(PLAIN, expires_at=in_hours(2))),
            tokens.change(write, made.id, {"expires_at": None}),
        ):
            with pytest.raises(BrokenRule, match="must not be later than"):
                await act
        assert (await tokens.change(write, endless, {"expires_at": in_hours(2)})).version == 2


async def test_an_end_in_the_past_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        token = (await new_token(write)).id
        for act in (
            tokens.create(write, replace(PLAIN, kind="organisation", expires_at=in_hours(-1))),
            tokens.change(write, token, {"expires_at": in_hours(-1)}),
        ):
            with pytest.raises(BrokenRule, match="is in the past"):
                await act


async def test_a_revoked_token_stays_so_and_revoking_it_twice_is_said_once(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        token = await new_token(write)
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        first, second = await tokens.revoke(write, token.id), await tokens.revoke(write, token.id)
        assert first == second
        with pytest.raises(NotNow, match="is revoked"):
            await tokens.change(write, token.id, {"name": "other"})
    assert (len(await audit_of(pool)), await outbox_of(pool)) == (1, [("token", token.digest, 0)])


async def test_a_token_that_the_actor_does_not_manage_is_not_there(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, bea = (await new_user(write, "Ann")).id, (await new_user(write, "Bea")).id
        token = (await new_token(write, user=ann)).id
    async with changing(pool, Caller(bea, "Bea", "member")) as write:
        for act in (tokens.change(write, token, {}), tokens.revoke(write, token), tokens.delete(write, token)):
            with pytest.raises(NotThere):
                await act


async def test_a_change_on_a_version_that_is_gone_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        token = (await new_token(write)).id
        for act in (tokens.change(write, token, {}, version=2), tokens.delete(write, token, version=2)):
            with pytest.raises(Stale):
                await act


async def signed_in(pool: Pool) -> tuple[Caller, str]:
    """A member who signed in in a browser, and another user."""
    async with changing(pool, ADMIN) as write:
        ann, bea = (await new_user(write, "Ann")).id, (await new_user(write, "Bea")).id
    async with transaction(pool) as connection:
        _, session = await begin(connection, ann, method="password", address="127.0.0.1", agent="")
    return Caller(ann, "Ann", "member", session_id=session.id), bea


async def test_who_signed_in_makes_tokens_for_their_own_calls_that_end_within_a_year(pool: Pool) -> None:
    ann, _ = await signed_in(pool)
    async with changing(pool, ann) as write:
        made, _ = await tokens.create(write, replace(PLAIN, expires_at=in_hours(24 * 365)))
        for ends in (None, in_hours(24 * 367)):
            with pytest.raises(BrokenRule, match="must be within 366 days"):
                await tokens.create(write, replace(PLAIN, expires_at=ends))
    assert (made.owner, made.use, made.created_by) == (Person(ann.user_id), "gateways", ann.user_id)


async def test_who_signed_in_makes_no_token_for_another_and_none_for_the_api(pool: Pool) -> None:
    ann, bea = await signed_in(pool)
    async with changing(pool, ann) as write:
        for wanted in (
            replace(PLAIN, user_id=bea),
            replace(PLAIN, use="api"),
            replace(PLAIN, kind="organisation"),
        ):
            with pytest.raises(NotAllowed, match="Only an admin"):
                await tokens.create(write, replace(wanted, expires_at=in_hours(1)))


@pytest.mark.parametrize("meanwhile", ["signed out", "disabled"])
async def test_who_signed_out_or_was_shut_out_meanwhile_makes_no_token(pool: Pool, meanwhile: str) -> None:
    ann, _ = await signed_in(pool)
    async with changing(pool, ADMIN) as write:
        if meanwhile == "disabled":
            await users.disable(write, ann.user_id)
        else:
            await browser_sessions.delete(write.connection, ann.session_id)
    async with changing(pool, ann) as write:
        with pytest.raises(NotAllowed, match="meanwhile"):
            await tokens.create(write, replace(PLAIN, expires_at=in_hours(1)))


async def test_an_admin_whose_session_is_over_makes_no_token(pool: Pool) -> None:
    ann, bea = await signed_in(pool)
    async with changing(pool, ADMIN) as write:
        await users.change(write, ann.user_id, {"role": "admin"})
        await browser_sessions.delete(write.connection, ann.session_id)
    async with changing(pool, replace(ann, role="admin")) as write:
        with pytest.raises(NotAllowed, match="You signed out meanwhile"):
            await tokens.create(write, replace(PLAIN, user_id=bea))


async def test_no_token_is_made_in_a_session_that_is_just_being_ended(pool: Pool) -> None:
    ann, _ = await signed_in(pool)

    async def make() -> None:
        async with changing(pool, ann) as write:
            with pytest.raises(NotAllowed, match="You signed out meanwhile"):
                await tokens.create(write, replace(PLAIN, expires_at=in_hours(1)))

    async with asyncio.TaskGroup() as group, transaction(pool) as connection:
        await browser_sessions.delete(connection, ann.session_id)
        group.create_task(make())
        await waiting_for_a_lock(pool)
