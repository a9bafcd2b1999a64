"""Idle servers are ended once all proxies have heard, in a real database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from control.changes import idle_servers
from control.changes.write import changing
from control.publish.acknowledgements import NOBODY_ASKED, Acknowledged
from control.sleeping import Sleeper
from control.store import idle_servers as store
from control.store.pool import Pool, transaction
from core.acknowledgements import Acknowledgement
from tests.unit.control.changes.acting import ADMIN
from tests.unit.control.changes.test_idle_servers import LONG_AGO, found, ours

__all__ = ["ours"]

SILENT = Acknowledged(True, 1, (Acknowledgement("w", "host", 1, "e", 0, 0.0),))
ALL = Acknowledged(True, 2)


def sleeper(pool: Pool, heard: Acknowledged, meanwhile: Callable[[], Awaitable[Any]] | None = None) -> Sleeper:
    async def told(_upto: int, _within_s: float) -> Acknowledged:
        if meanwhile is not None:
            await meanwhile()
        return heard

    return Sleeper(pool, "process", told, settle_s=0.0)


async def test_one_that_nobody_calls_falls_asleep_once_all_workers_have_forgotten_it(pool: Pool, ours: Any) -> None:
    assert await sleeper(pool, ALL).look(LONG_AGO) == [ours.id]
    assert await sleeper(pool, ALL).look(LONG_AGO) == []


@pytest.mark.parametrize("heard", [NOBODY_ASKED, SILENT], ids=["redis is away", "a worker is silent"])
async def test_none_is_ended_while_somebody_may_not_have_heard(pool: Pool, ours: Any, heard: Acknowledged) -> None:
    assert await sleeper(pool, heard).look(LONG_AGO) == []
    dozing = await found(pool, ours)
    assert dozing is not None
    assert (dozing.asleep_since, dozing.dozes_since is not None) == (None, True)
    assert await sleeper(pool, ALL).look(LONG_AGO) == [ours.id]


async def test_a_call_that_comes_meanwhile_keeps_it(pool: Pool, ours: Any) -> None:
    async def call() -> None:
        async with changing(pool, ADMIN) as write:
            await idle_servers.use(write, ours.id)

    assert await sleeper(pool, ALL, call).look(LONG_AGO) == []
    kept = await found(pool, ours)
    assert kept is not None
    assert kept.is_awake


async def test_a_control_that_has_just_begun_ends_none(pool: Pool, ours: Any) -> None:
    async with transaction(pool) as connection:
        began = await store.now(connection)
    assert await sleeper(pool, ALL).look(began) == []


@pytest.mark.parametrize(
    ("column", "other"), [("phase", "degraded"), ("phase", "failed"), ("place", "cluster")], ids=str
)
async def test_one_that_is_not_ready_here_is_left_as_it_is(pool: Pool, ours: Any, column: str, other: str) -> None:
    async with changing(pool, ADMIN) as write:
        await write.execute(f"update server_states set {column} = $1", other)
        await write.announce()
        write.observed()
    assert await sleeper(pool, ALL).look(LONG_AGO) == []


async def test_one_of_an_entry_that_says_nothing_of_it_runs_on(pool: Pool, ours: Any) -> None:
    async with changing(pool, ADMIN) as write:
        await write.execute("update entries set run = run || '{\"idle_minutes\": 0}'::jsonb")
        await write.announce()
        write.observed()
    assert await sleeper(pool, ALL).look(datetime(2001, 1, 1, tzinfo=UTC)) == []
