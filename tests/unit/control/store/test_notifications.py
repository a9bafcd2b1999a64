from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg
import pytest

from control.store import notifications
from control.store.notifications import listen
from control.store.outbox import announce
from control.store.pool import Pool, transaction
from core.tasks import Tasks


async def test_each_commit_wakes_and_a_rollback_does_not(database: str, pool: Pool) -> None:
    tasks, woken = Tasks("test"), asyncio.Event()
    _ = tasks.spawn("listen", listen(database, "archway_outbox", woken.set))
    async with asyncio.timeout(30):
        await woken.wait()  # once at the start, for what was announced before
    woken.clear()
    with contextlib.suppress(ZeroDivisionError):
        async with transaction(pool) as conn:
            await announce(conn, "session", "x")
            raise ZeroDivisionError
    async with transaction(pool) as conn:
        await announce(conn, "session", "y")
        assert not woken.is_set()
    async with asyncio.timeout(30):
        await woken.wait()
    await tasks.close()


async def test_a_lost_connection_is_made_again(database: str, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "_ALIVE_EVERY_S", 0.05)
    monkeypatch.setattr(notifications, "_AGAIN_AFTER_S", 0.05)
    tasks, woken = Tasks("test"), asyncio.Event()
    _ = tasks.spawn("listen", listen(database, "archway_outbox", woken.set))
    for _ in range(2):
        async with asyncio.timeout(30):
            await woken.wait()
        woken.clear()
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'archway-listen' and datname = current_database()"
        )
    await tasks.close()


@pytest.mark.parametrize("fault", [OSError(), TimeoutError(), asyncpg.InternalClientError("another operation")])
async def test_whatever_ends_a_connection_it_is_made_again(
    database: str, pool: Pool, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    faults, once = [fault], notifications._listen_once

    async def fails_first(dsn: str, channel: str, wake: Callable[[], None]) -> None:
        if faults:
            raise faults.pop()
        await once(dsn, channel, wake)

    monkeypatch.setattr(notifications, "_AGAIN_AFTER_S", 0.05)
    monkeypatch.setattr(notifications, "_listen_once", fails_first)
    tasks, woken = Tasks("test"), asyncio.Event()
    _ = tasks.spawn("listen", listen(database, "archway_outbox", woken.set))
    async with asyncio.timeout(30):
        await woken.wait()
    await tasks.close()
