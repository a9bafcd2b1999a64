from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from core.tasks import Tasks, forever


async def test_a_task_has_its_owner_s_name_and_is_forgotten_when_done() -> None:
    tasks = Tasks("owner")
    task = tasks.spawn("work", asyncio.sleep(0, "done"))
    assert (task.get_name(), len(tasks)) == ("owner/work", 1)
    assert await task == "done"
    await asyncio.sleep(0)
    assert len(tasks) == 0


async def test_a_failure_is_never_silent(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError("why")

    tasks = Tasks("owner")
    with caplog.at_level(logging.ERROR):
        await asyncio.wait({tasks.spawn("work", fail())})
        await asyncio.sleep(0)
    assert "owner/work" in [getattr(record, "task", "") for record in caplog.records]


async def test_closing_ends_what_runs() -> None:
    tasks, ended = Tasks("owner"), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(999)
        finally:
            ended.set()

    _ = tasks.spawn("work", work())
    await asyncio.sleep(0)
    await tasks.close()
    assert ended.is_set()
    assert len(tasks) == 0


async def test_closing_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    tasks, release = Tasks("owner"), asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    task = tasks.spawn("stubborn", stubborn())
    await asyncio.sleep(0)
    with caplog.at_level(logging.ERROR):
        await tasks.close(grace=0.01)
    assert "task did not end" in caplog.text
    release.set()
    await task


async def test_a_cancellation_that_was_lost_is_repeated(caplog: pytest.LogCaptureFixture) -> None:
    """redis-py loses one that meets it while it connects; a worker must stop all the same."""
    tasks = Tasks("owner")

    async def loses_one() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(999)
        await asyncio.sleep(999)

    task = tasks.spawn("reader", loses_one())
    await asyncio.sleep(0)
    with caplog.at_level(logging.ERROR):
        await tasks.close(grace=1.0)
    assert task.cancelled()
    assert caplog.text == ""


async def test_work_that_must_not_end_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    steps, reached = [ValueError("why"), OSError("a disk"), None], asyncio.Event()

    async def step() -> None:
        failure = steps.pop(0)
        if failure is not None:
            raise failure
        reached.set()
        await asyncio.sleep(999)

    tasks = Tasks("owner")
    task = tasks.spawn("work", forever("work", step, 0.0))
    with caplog.at_level(logging.ERROR):
        await asyncio.wait_for(reached.wait(), 30)
    assert len(caplog.records) == 2
    await tasks.close()
    assert task.cancelled()
