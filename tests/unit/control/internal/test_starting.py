from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from control.changes import server_states
from control.changes.write import changing
from control.internal.starting import StartingServers
from control.store.pool import Pool
from core.tasks import Tasks
from tests.fakes.registry import a_server_state
from tests.unit.control.changes.acting import ADMIN, new_entry, new_installation

LONG_S = 60.0
"""Longer than any test: who waits so long is told."""


@pytest.fixture
async def installed(pool: Pool) -> str:
    async with changing(pool, ADMIN) as write:
        made = await new_installation(write, await new_entry(write))
    await report(pool, made.id, phase="starting", endpoint="")
    return made.id


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks("test")
    yield made
    await made.close()


async def report(pool: Pool, installation_id: str, **changes: Any) -> None:
    async with changing(pool, ADMIN) as write:
        assert await server_states.keep(write, a_server_state(installation_id=installation_id, **changes))


@pytest.mark.parametrize("settled", [{}, {"phase": "degraded"}, {"phase": "failed", "cause": "crashed"}])
async def test_all_who_wait_are_told_when_a_server_answers_or_does_not_run(
    pool: Pool, installed: str, tasks: Tasks, settled: dict[str, Any]
) -> None:
    starting = StartingServers(pool, "process", tasks)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(starting.wait(installed, LONG_S)) for _ in range(3)]
        await asyncio.sleep(0)
        assert len(tasks) == 1
        await report(pool, installed, **settled)
    assert [one.result() for one in waiting] == [True, True, True]


async def test_who_waits_for_a_server_that_goes_on_starting_is_let_go_in_time(
    pool: Pool, installed: str, tasks: Tasks
) -> None:
    starting = StartingServers(pool, "process", tasks)
    assert not await starting.wait(installed, 0.01)
    assert not await starting.wait(installed, -1.0)


async def test_what_runs_at_another_place_is_not_waited_for_as_if_it_ran_here(
    pool: Pool, installed: str, tasks: Tasks
) -> None:
    await report(pool, installed)
    assert not await StartingServers(pool, "cluster", tasks).wait(installed, 0.3)


async def test_where_nothing_runs_servers_nobody_waits(pool: Pool, installed: str, tasks: Tasks) -> None:
    assert not await StartingServers(pool, None, tasks).wait(installed, LONG_S)


async def test_who_comes_when_the_others_were_told_is_told_too(pool: Pool, installed: str, tasks: Tasks) -> None:
    starting = StartingServers(pool, "process", tasks)
    await report(pool, installed)
    assert await starting.wait(installed, LONG_S)
    assert await starting.wait(installed, LONG_S)
