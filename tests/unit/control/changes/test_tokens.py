"""Changes of bearer tokens, without HTTP and without Redis."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from control.changes import tokens
from control.changes.refusals import NotAllowed, NotNow, NotThere, Stale
from control.changes.tokens import WantedToken
from control.changes.write import changing
from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.owner import Person
from control.store.pool import Pool
from core.tokens import digest, well_formed
from tests.unit.control.changes.acting import ADMIN, audit_of, forget, new_team, new_token, new_user, outbox_of

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


async def test_a_member_makes_tokens_for_themselves_alone(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, bea = (await new_user(write, "Ann")).id, (await new_user(write, "Bea")).id
        team = (await new_team(write, "Red", ann)).id
    async with changing(pool, Caller(ann, "Ann", "member", {team: "member"})) as write:
        made, _ = await tokens.create(write, PLAIN)
        assert (made.owner, made.created_by) == (Person(ann), ann)
        for wanted in (
            replace(PLAIN, user_id=bea),
            replace(PLAIN, kind="team", team_id=team),
            replace(PLAIN, kind="organisation"),
        ):
            with pytest.raises(NotAllowed):
                await tokens.create(write, wanted)


async def test_nobody_gives_what_outlives_the_token_that_they_came_with(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = (await new_user(write, "Ann")).id
        endless = (await new_token(write, user=ann)).id
    async with changing(pool, Caller(ann, "Ann", "member", token_expires_at=in_hours(1))) as write:
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
