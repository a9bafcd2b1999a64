"""Limits on one timer: they strike, they can be moved, and they keep cancellations apart."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from proxy.upstream.clocks import Clocks


async def test_a_limit_ends_its_block_in_a_timeout_and_not_before() -> None:
    clocks, before = Clocks(), time.monotonic()
    with pytest.raises(TimeoutError), clocks.limit(0.1):
        await asyncio.sleep(5)
    assert 0.1 <= time.monotonic() - before < 2
    await asyncio.sleep(0)  # the cancellation is used up


async def test_each_of_many_ends_at_its_own_time_and_the_others_go_on() -> None:
    clocks, ended = Clocks(), []

    async def work(name: str, limit: float, takes: float) -> None:
        try:
            with clocks.limit(limit):
                await asyncio.sleep(takes)
            ended.append(name)
        except TimeoutError:
            ended.append(f"{name} late")

    await asyncio.gather(work("a", 0.05, 5), work("b", 0.3, 5), work("c", 5, 0.2), work("d", 5, 0))
    assert ended == ["d", "a late", "c", "b late"]


async def test_a_limit_can_be_moved() -> None:
    with Clocks().limit(0.05) as clock:
        clock.until = time.monotonic() + 5
        await asyncio.sleep(0.15)
    assert not clock.struck


async def test_a_cancellation_by_another_stays_one() -> None:
    clocks = Clocks()

    async def work() -> None:
        with clocks.limit(0.05 if both else 5):
            try:
                await asyncio.sleep(5)
            finally:
                asyncio.current_task().cancel()  # type: ignore[union-attr]
                await asyncio.sleep(0)

    for both in (False, True):
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work())
            await asyncio.sleep(0)
            if not both:
                task.cancel()
            await asyncio.wait([task])
        assert task.cancelled()


async def test_an_error_of_the_block_passes_and_nothing_runs_on() -> None:
    clocks = Clocks()
    with pytest.raises(KeyError), clocks.limit(0.05):
        raise KeyError("mine")
    await asyncio.sleep(0.15)  # would cancel this test, were it still running


@dataclass(eq=False)
class _Limited:
    until: float
    struck: bool = False
    fails: bool = False
    ends: "_Limited | None" = None
    clocks: Clocks | None = None

    def strike(self) -> None:
        self.struck = True
        if self.ends is not None and self.clocks is not None:
            self.clocks.stopped(self.ends)
        if self.fails:
            raise KeyError("mine")


async def test_a_strike_that_fails_stops_no_other_limit() -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    clocks, now = Clocks(), time.monotonic()
    fails, later = _Limited(now, fails=True), _Limited(now + 0.1)
    clocks.started(fails)
    clocks.started(later)
    await asyncio.sleep(0.3)
    assert fails.struck
    assert later.struck
    assert len(told) == 1


async def test_who_is_stopped_by_a_strike_is_not_struck_in_the_same_sweep() -> None:
    clocks, now = Clocks(), time.monotonic()
    one, other = _Limited(now, clocks=clocks), _Limited(now, clocks=clocks)
    one.ends, other.ends = other, one
    clocks.started(one)
    clocks.started(other)
    await asyncio.sleep(0.15)
    assert one.struck != other.struck
