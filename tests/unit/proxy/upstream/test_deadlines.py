"""How long a call may take, and limits on one timer: they strike, may be moved, and keep cancellations apart."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from proxy.upstream.deadlines import Deadline, Deadlines
from tests.fakes.call_parts import installation
from tests.plugins.moved_clock import MovedClock


def usual() -> Deadlines:
    """Of a worker whose calls may take 30 s, and 100 s with progress."""
    return Deadlines(seconds=30, ceiling=100)


def limit(deadlines: Deadlines, seconds: float) -> Deadline:
    """A block that may take so long from now on."""
    return deadlines.limit(time.monotonic() + seconds)


@pytest.mark.parametrize(("said", "seconds"), [(0, 30), (7, 7)])
def test_what_an_entry_says_goes_before_the_workers_own_seconds(said: float, seconds: float) -> None:
    deadlines, entry = usual(), installation(deadline_s=said)
    assert deadlines.seconds_for(entry) == seconds
    assert deadlines.until(entry) == pytest.approx(time.monotonic() + seconds, abs=5)


@pytest.mark.parametrize(("said", "more"), [(0, 70), (40, 60), (100, 0), (500, 0)])
def test_progress_extends_a_call_up_to_the_ceiling_and_shortens_none(said: float, more: float) -> None:
    assert usual().latest(installation(deadline_s=said), 1000.0) == 1000.0 + more


@pytest.mark.parametrize(("said", "usually", "at_the_ceiling"), [(0, 30, 100), (40, 40, 100), (500, 500, 500)])
def test_the_seconds_that_are_told_are_those_that_a_call_was_given(
    said: float, usually: float, at_the_ceiling: float
) -> None:
    entry = installation(deadline_s=said)
    assert usual().told_for(entry, ended_by_ceiling=False) == usually
    assert usual().told_for(entry, ended_by_ceiling=True) == at_the_ceiling


async def test_a_limit_ends_its_block_in_a_timeout_and_not_before() -> None:
    deadlines, before = usual(), time.monotonic()
    with pytest.raises(TimeoutError), limit(deadlines, 0.1):
        await asyncio.sleep(30)
    assert 0.1 <= time.monotonic() - before < 5
    await asyncio.sleep(0)  # the cancellation is used up


async def test_each_of_many_ends_at_its_own_time_and_the_others_go_on(clock: MovedClock) -> None:
    deadlines, ended = usual(), []

    async def work(name: str, seconds: float, takes: float) -> None:
        try:
            with limit(deadlines, seconds):
                await asyncio.sleep(takes)
            ended.append(name)
        except TimeoutError:
            ended.append(f"{name} late")

    async with asyncio.TaskGroup() as tasks:
        for work_of in (work("a", 75, 999), work("b", 325, 999), work("c", 999, 210), work("d", 999, 0)):
            tasks.create_task(work_of)
        for _ in range(7):
            await asyncio.sleep(0.01)
            clock.pass_by(50)
    assert ended == ["d", "a late", "c", "b late"]


async def test_a_limit_can_be_moved() -> None:
    with limit(usual(), 0.05) as deadline:
        deadline.until = time.monotonic() + 5
        await asyncio.sleep(0.15)
    assert not deadline.struck


async def test_a_cancellation_by_another_stays_one() -> None:
    deadlines = usual()

    async def work() -> None:
        with limit(deadlines, 0.05 if both else 5):
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
    deadlines = usual()
    with pytest.raises(KeyError), limit(deadlines, 0.05):
        raise KeyError("mine")
    await asyncio.sleep(0.15)  # would cancel this test, were it still running


@dataclass(eq=False)
class _Limited:
    until: float
    struck: bool = False
    fails: bool = False
    ends: "_Limited | None" = None
    deadlines: Deadlines | None = None

    def strike(self) -> None:
        self.struck = True
        if self.ends is not None and self.deadlines is not None:
            self.deadlines.stopped(self.ends)
        if self.fails:
            raise KeyError("mine")


async def test_a_strike_that_fails_stops_no_other_limit() -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    deadlines, now = usual(), time.monotonic()
    fails, later = _Limited(now, fails=True), _Limited(now + 0.1)
    deadlines.started(fails)
    deadlines.started(later)
    await asyncio.sleep(0.3)
    assert fails.struck
    assert later.struck
    assert len(told) == 1


async def test_who_is_stopped_by_a_strike_is_not_struck_in_the_same_sweep() -> None:
    deadlines, now = usual(), time.monotonic()
    one, other = _Limited(now, deadlines=deadlines), _Limited(now, deadlines=deadlines)
    one.ends, other.ends = other, one
    deadlines.started(one)
    deadlines.started(other)
    await asyncio.sleep(0.15)
    assert one.struck != other.struck
