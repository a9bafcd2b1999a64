import asyncio

import pytest

from core.tasks import Tasks
from proxy.limits.running_calls import Calls


async def test_a_call_runs_to_its_end() -> None:
    tasks, done = Tasks("test"), []
    calls = Calls(tasks)

    async def work() -> None:
        done.append(1)

    await calls.run(("s", 1), work(), ends_with_caller=True)
    assert done == [1]
    assert not calls.cancel(("s", 1))


@pytest.mark.parametrize("ends_with_caller", [True, False])
async def test_a_caller_that_leaves_ends_a_modern_call_and_no_legacy_one(ends_with_caller: bool) -> None:
    tasks, ended = Tasks("test"), asyncio.Event()
    calls, go_on = Calls(tasks), asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        ended.set()

    caller = tasks.spawn("caller", calls.run(None, work(), ends_with_caller=ends_with_caller))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    await asyncio.sleep(0.01)

    assert ended.is_set() is not ends_with_caller
    await tasks.close()


async def test_a_call_is_cancelled_by_its_key_alone() -> None:
    tasks = Tasks("test")
    calls = Calls(tasks)
    caller = tasks.spawn("caller", calls.run(("s", 1), asyncio.Event().wait(), ends_with_caller=False))  # type: ignore[arg-type]  # its True is of no interest
    await asyncio.sleep(0.01)

    for other in (("s", "1"), ("s", 2), ("t", 1)):
        assert not calls.cancel(other)
    assert calls.cancel(("s", 1))
    await asyncio.wait_for(caller, 30)  # ends without raising: the caller is still there to be told


async def test_a_call_in_its_callers_task_that_its_session_cancels_lets_the_task_go_on() -> None:
    tasks = Tasks("test")
    calls, told = Calls(tasks), []

    async def lane() -> None:
        await calls.run_here(("s", 1), asyncio.Event().wait())  # type: ignore[arg-type]  # its True is of no interest
        await asyncio.sleep(0)  # nothing of the cancellation is left
        told.append("cancelled")

    task = tasks.spawn("lane", lane())
    await asyncio.sleep(0.01)
    assert calls.cancel(("s", 1))
    assert calls.cancel(("s", 1))  # a client that says it twice
    await asyncio.wait_for(task, 30)

    assert told == ["cancelled"]
    assert task.cancelling() == 0
    assert not calls.cancel(("s", 1))


@pytest.mark.parametrize("session_too", [False, True])
async def test_a_call_in_its_callers_task_ends_with_that_task(session_too: bool) -> None:
    tasks = Tasks("test")
    calls = Calls(tasks)
    lane = tasks.spawn("lane", calls.run_here(("s", 1), asyncio.Event().wait()))  # type: ignore[arg-type]  # as above
    await asyncio.sleep(0.01)

    lane.cancel()
    if session_too:
        calls.cancel(("s", 1))
    await asyncio.wait((lane,), timeout=30)

    assert lane.cancelled()
    assert not calls.cancel(("s", 1))


async def test_a_worker_that_stops_ends_the_calls_in_their_callers_tasks_too() -> None:
    tasks = Tasks("test")
    calls = Calls(tasks)
    lane = tasks.spawn("lane", calls.run_here(None, asyncio.Event().wait()))  # type: ignore[arg-type]  # as above
    await asyncio.sleep(0.01)
    await calls.end()
    assert lane.cancelled()


async def test_at_the_end_every_call_is_cancelled_and_awaited_with_or_without_a_session() -> None:
    tasks, left = Tasks("test"), []
    calls = Calls(tasks)

    async def work(name: str) -> None:
        try:
            await asyncio.sleep(999)
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # leaves a record
            left.append(name)
            raise

    keys = {"modern": None, "legacy": ("s", 1)}
    callers = [
        tasks.spawn("caller", calls.run(key, work(name), ends_with_caller=key is None)) for name, key in keys.items()
    ]
    await asyncio.sleep(0.01)
    await calls.end()
    assert sorted(left) == ["legacy", "modern"]
    await asyncio.gather(*callers)
    assert not calls._all
    await calls.end()
