"""A transaction in which a change leaves its audit record and its announcement, or is not made."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import partial

import pytest

from control.changes import tokens, users
from control.changes.refusals import NotAllowed
from control.changes.write import Unfinished, Write, changing, rehearsing, there
from control.registry.access import Caller
from control.registry.owner import Organisation
from control.registry.team import NewTeam
from control.sign_in.session import begin
from control.store import browser_sessions
from control.store.pool import Pool, transaction
from control.store.writes import teams as rows
from core.identifiers import new_id
from tests.unit.control.changes.acting import ADMIN, audit_of, changed, new_token, new_user, outbox_of

RED = NewTeam(name="Red", description="")


async def teams_of(pool: Pool) -> list[str]:
    async with transaction(pool, readonly=True) as connection:
        return [row["name"] for row in await connection.fetch("select name from teams order by name")]


async def make(write: Write, *, recorded: bool = True, announced: bool = True) -> str:
    """Make the team Red, and leave what is asked for."""
    team_id = (await rows.insert(write, RED)).id
    if announced:
        await write.announce(teams=[team_id])
    if recorded:
        await write.record("create", "team", team_id, None, {"name": "Red"})
    return team_id


async def test_a_change_that_is_recorded_and_announced_is_committed(pool: Pool) -> None:
    await changed(pool, make)
    assert await teams_of(pool) == ["Red"]
    assert [kind for kind, *_ in await outbox_of(pool)] == ["team"]


async def test_of_a_rehearsal_nothing_is_kept_and_nothing_told(pool: Pool) -> None:
    async with rehearsing(pool, ADMIN) as write:
        await make(write)
        assert [row["name"] for row in await write.connection.fetch("select name from teams")] == ["Red"]
    assert (await teams_of(pool), await outbox_of(pool), await audit_of(pool)) == ([], [], [])


async def test_what_a_rehearsal_refuses_is_refused(pool: Pool) -> None:
    async def rehearse() -> None:
        async with rehearsing(pool, ADMIN) as write:
            await make(write)
            raise NotAllowed("no")

    with pytest.raises(NotAllowed):
        await rehearse()


async def test_a_change_without_an_audit_record_is_not_committed(pool: Pool) -> None:
    with pytest.raises(Unfinished, match="no audit record"):
        await changed(pool, partial(make, recorded=False))
    assert (await teams_of(pool), await outbox_of(pool)) == ([], [])


async def test_a_change_that_says_nothing_to_proxies_is_not_committed(pool: Pool) -> None:
    with pytest.raises(Unfinished, match="nothing was announced"):
        await changed(pool, partial(make, announced=False))
    assert (await teams_of(pool), await audit_of(pool)) == ([], [])


async def test_what_was_said_before_a_statement_does_not_count_for_it(pool: Pool) -> None:
    async def make_and_delete(write: Write) -> None:
        await rows.delete(write, await make(write))

    with pytest.raises(Unfinished):
        await changed(pool, make_and_delete)
    assert await teams_of(pool) == []


async def test_a_block_that_only_reads_owes_nothing(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        assert await write.connection.fetchval("select count(*) from teams") == 0


async def test_what_a_machine_saw_needs_an_announcement_and_no_record(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        await rows.insert(write, RED)
        await write.announce()
        write.observed()
    assert (await teams_of(pool), await audit_of(pool)) == (["Red"], [])


async def test_an_exception_undoes_the_change_with_all_that_it_said(pool: Pool) -> None:
    async def fail(_: Write) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await changed(pool, make, fail)
    assert (await teams_of(pool), await outbox_of(pool), await audit_of(pool)) == ([], [], [])


async def test_proxies_are_told_of_gateways_last(pool: Pool) -> None:
    kept, gone = new_id(), new_id()
    async with transaction(pool) as connection:
        await connection.execute("insert into gateways (id, slug, name) values ($1, 'kept', 'kept')", kept)
    async with changing(pool, ADMIN) as write:
        await write.announce(
            gateways=[kept], gateways_gone=[gone], entries=["e"], teams=["t"], users=["u"], installations=["i"],
            tokens=["d"], installations_over=["o"],
        )  # fmt: skip
    assert await outbox_of(pool) == [
        ("installation", "o", -1), ("token", "d", 0), ("installation", "i", 0), ("user", "u", 0), ("team", "t", 0),
        ("entry", "e", 0),
        ("gateway", gone, -1), ("gateway", kept, 2),
    ]  # fmt: skip


async def test_a_record_says_who_did_it_from_where_and_writes_moments_as_the_api_does(pool: Pool) -> None:
    noon = datetime(2030, 1, 31, 12, tzinfo=UTC)
    actor = Caller(new_id(), "Bea", "admin", address="10.0.0.1", request_id="r-9")
    async with changing(pool, actor) as write:
        await write.record("disable", "user", "u-1", {"disabled_at": None}, {"disabled_at": noon})
    (line,) = await audit_of(pool)
    assert (line["actor"], line["actor_id"], line["address"], line["request_id"]) == (
        "Bea", actor.user_id, "10.0.0.1", "r-9",
    )  # fmt: skip
    assert (line["before"], line["after"]) == ({"disabled_at": None}, {"disabled_at": "2030-01-31T12:00:00.000Z"})


def test_a_row_that_this_transaction_wrote_and_cannot_read_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        there(None)
    assert there("row") == "row"


def demotion(write: Write, user: str, _: str) -> Awaitable[object]:
    return users.change(write, user, {"role": "member"})


def disabling(write: Write, user: str, _: str) -> Awaitable[object]:
    return users.disable(write, user)


def deletion(write: Write, user: str, _: str) -> Awaitable[object]:
    return users.delete(write, user)


def revocation(write: Write, _: str, token: str) -> Awaitable[object]:
    return tokens.revoke(write, token)


@pytest.mark.parametrize("loss", [demotion, disabling, deletion, revocation], ids=lambda one: one.__name__)
async def test_what_somebody_lost_after_their_request_came_they_do_not_hold_in_it(pool: Pool, loss) -> None:
    async with changing(pool, ADMIN) as write:
        await new_user(write, "Root", "admin")
        ann = (await new_user(write, "Ann", "admin")).id
        token = (await new_token(write, user=ann)).id
    actor = Caller(ann, "Ann", "admin", token_id=token)
    async with changing(pool, actor) as write:
        assert (await write.holder("role:grant", Organisation())).role == "admin"
        async with changing(pool, ADMIN) as other:
            await loss(other, ann, token)
        with pytest.raises(NotAllowed):
            await write.holder("role:grant", Organisation())


def sign_out(write: Write, _: str, session: str) -> Awaitable[object]:
    return browser_sessions.delete(write.connection, session)


@pytest.mark.parametrize("loss", [demotion, disabling, deletion, sign_out], ids=lambda one: one.__name__)
async def test_what_somebody_lost_after_their_page_was_sent_they_do_not_hold_in_it(pool: Pool, loss) -> None:
    async with changing(pool, ADMIN) as write:
        await new_user(write, "Root", "admin")
        ann = (await new_user(write, "Ann", "admin")).id
    async with transaction(pool) as connection:
        _, session = await begin(connection, ann, method="password", address="", agent="")
    actor = Caller(ann, "Ann", "admin", session_id=session.id)
    async with changing(pool, actor) as write:
        assert (await write.holder("role:grant", Organisation())).role == "admin"
    async with changing(pool, ADMIN) as other:
        await loss(other, ann, session.id)
    with pytest.raises(NotAllowed):
        async with changing(pool, actor) as write:
            await write.holder("role:grant", Organisation())
