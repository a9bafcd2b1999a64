"""Servers that nobody calls, in a real database: counted, ended and wanted again, with calls in between."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from control.changes import idle_servers, server_states
from control.changes.write import Write, changing
from control.registry.idleness import Idleness
from control.registry.self_hosted import SelfHosted
from control.registry.server_state import ServerState
from control.store import idle_servers as store
from control.store import server_states as states
from control.store import wanted_servers
from control.store.pool import Pool, transaction
from tests.fakes.registry import a_server_state
from tests.unit.control.changes.acting import ADMIN, forget, new_entry, new_installation, outbox_of

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def runs(write: Write, entry_id: str, idle_minutes: int) -> None:
    run = msgspec.to_builtins(SelfHosted(command=("x",), idle_minutes=idle_minutes))
    del run["kind"]
    await write.execute("update entries set kind = 'self_hosted', url = '', run = $2 where id = $1", entry_id, run)
    await write.announce()
    write.observed()


@pytest.fixture
async def ours(pool: Pool) -> Any:
    """An installation whose server is ready and is ended when it is idle, which nobody has called for years."""
    async with changing(pool, ADMIN) as write:
        made = await new_installation(write, await new_entry(write))
        await runs(write, made.entry_id, 5)
        await server_states.keep(write, a_server_state(installation_id=made.id))
        await idle_servers.count(write)
        await write.execute("update idle_servers set used_at = $1", LONG_AGO)
        await write.announce()
        write.observed()
    await forget(pool)
    return made


async def found(pool: Pool, ours: Any) -> Idleness | None:
    async with transaction(pool) as connection:
        return await store.lock(connection, ours.id)


async def state(pool: Pool, ours: Any) -> ServerState:
    async with transaction(pool, readonly=True) as connection:
        kept = await states.one(connection, ours.id)
    assert kept is not None
    return kept


async def version(pool: Pool, ours: Any) -> str:
    async with transaction(pool, readonly=True) as connection:
        return (await wanted_servers.versions(connection))[ours.id]


async def doze(pool: Pool, ours: Any) -> bool:
    async with changing(pool, ADMIN) as write:
        return await idle_servers.doze(write, ours.id, 5, LONG_AGO)


async def fall_asleep(pool: Pool, ours: Any) -> bool:
    async with changing(pool, ADMIN) as write:
        return await idle_servers.fall_asleep(write, ours.id)


async def use(pool: Pool, ours: Any) -> bool:
    async with changing(pool, ADMIN) as write:
        return await idle_servers.use(write, ours.id)


async def is_ended(pool: Pool, ours: Any) -> bool:
    async with transaction(pool) as connection:
        return await store.falls_asleep(connection, ours.id)


async def test_one_that_dozes_still_answers_and_proxies_are_told_to_forget_it(pool: Pool, ours: Any) -> None:
    assert await doze(pool, ours)
    assert await outbox_of(pool) == [("installation", ours.id, 0)]
    assert (await state(pool, ours)).answers
    assert not await doze(pool, ours)


async def test_one_that_was_called_meanwhile_does_not_doze(pool: Pool, ours: Any) -> None:
    assert not await use(pool, ours)
    assert not await doze(pool, ours)


async def test_a_call_before_all_have_forgotten_it_keeps_it_awake(pool: Pool, ours: Any) -> None:
    before = await version(pool, ours)
    await doze(pool, ours)
    assert await use(pool, ours)
    assert not await fall_asleep(pool, ours)
    assert not await is_ended(pool, ours)
    assert (await state(pool, ours)).answers
    assert await version(pool, ours) == before


async def test_asleep_it_answers_no_more_and_the_first_call_alone_wakes_it(pool: Pool, ours: Any) -> None:
    await doze(pool, ours)
    assert await fall_asleep(pool, ours)
    assert await is_ended(pool, ours)
    kept = await state(pool, ours)
    assert (kept.phase, kept.endpoint) == ("asleep", "")
    assert [await use(pool, ours) for _ in range(3)] == [True, False, False]
    now = await found(pool, ours)
    assert now is not None
    assert (now.is_awake, now.wakes) == (True, 1)


async def test_each_sleep_and_each_wake_is_another_version_of_what_is_to_run(pool: Pool, ours: Any) -> None:
    versions = [await version(pool, ours)]
    for _ in range(2):
        async with changing(pool, ADMIN) as write:
            await write.execute("update idle_servers set used_at = $1, dozes_since = $1", LONG_AGO)
            await write.announce()
            write.observed()
        await fall_asleep(pool, ours)
        versions.append(await version(pool, ours))
        await use(pool, ours)
        versions.append(await version(pool, ours))
    assert len(set(versions)) == 5


async def test_a_call_after_the_decision_and_before_the_end_finds_it_running(pool: Pool, ours: Any) -> None:
    await doze(pool, ours)
    await fall_asleep(pool, ours)
    assert await use(pool, ours)
    assert not await is_ended(pool, ours)
    assert (await state(pool, ours)).answers


async def test_a_late_report_does_not_make_one_answer_that_is_being_ended(pool: Pool, ours: Any) -> None:
    await doze(pool, ours)
    await fall_asleep(pool, ours)
    await is_ended(pool, ours)
    async with changing(pool, ADMIN) as write:
        again = a_server_state(installation_id=ours.id, restarts=1)
        assert not await server_states.keep(write, again)
    await use(pool, ours)
    async with changing(pool, ADMIN) as write:
        assert await server_states.keep(write, again)


async def test_sessions_of_before_are_over_when_it_answers_again(pool: Pool, ours: Any) -> None:
    await doze(pool, ours)
    await fall_asleep(pool, ours)
    await is_ended(pool, ours)
    await use(pool, ours)
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        await server_states.keep(write, a_server_state(installation_id=ours.id))
    assert await outbox_of(pool) == [("installation", ours.id, -1)]


async def test_an_entry_that_ends_none_any_more_has_its_servers_run_and_not_counted(pool: Pool, ours: Any) -> None:
    await doze(pool, ours)
    await fall_asleep(pool, ours)
    asleep = await version(pool, ours)
    async with changing(pool, ADMIN) as write:
        await runs(write, ours.entry_id, 0)
    assert await version(pool, ours) != asleep
    async with changing(pool, ADMIN) as write:
        await idle_servers.count(write)
    assert await found(pool, ours) is None


async def test_a_restart_wakes_it(pool: Pool, ours: Any) -> None:
    await doze(pool, ours)
    await fall_asleep(pool, ours)
    async with changing(pool, ADMIN) as write:
        await server_states.restart(write, ours.id)
    now = await found(pool, ours)
    assert now is not None
    assert now.is_awake


async def test_who_wants_to_know_what_it_offers_has_it_asked_when_it_answers(pool: Pool, ours: Any) -> None:
    async with changing(pool, ADMIN) as write:
        await server_states.asked(write, ours.id, 1)
    await doze(pool, ours)
    await fall_asleep(pool, ours)
    await is_ended(pool, ours)
    async with changing(pool, ADMIN) as write:
        await idle_servers.use_and_ask(write, ours.id)
        await server_states.keep(write, a_server_state(installation_id=ours.id))
    async with transaction(pool, readonly=True) as connection:
        assert await states.to_ask(connection, ours.id)
