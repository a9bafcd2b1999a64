"""Time that tests of what talks to the fake let pass, while sockets of this process go on being served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from aiohttp import ClientResponse

from control.orchestrator.cluster import Cluster
from control.orchestrator.pace import Pace
from control.servers.runtime import RuntimeAway
from tests.plugins.moved_clock import MovedClock

ROUND_S = 0.005
MOST_ROUNDS = 12_000
PATIENCE = 400
"""Rounds for which an answer is waited for before time passes nevertheless, as where a log is followed."""


class UnderWay:
    """How many calls are on their way."""

    number = 0


class CountedPace(Pace):
    """A pace at which a call that waits for its turn is not on its way."""

    under_way = UnderWay()

    async def wait(self, longest: float) -> None:
        self.under_way.number -= 1
        try:
            await super().wait(longest)
        finally:
            self.under_way.number += 1


class Counted(Cluster):
    """A cluster that knows how many of its calls are under way."""

    under_way = UnderWay()
    _is_cut_off = False

    def cut_off(self) -> None:
        """Nothing that it asks arrives any more."""
        self._is_cut_off = True

    @asynccontextmanager
    async def _answer(self, *args: Any, **kwargs: Any) -> AsyncIterator[ClientResponse]:
        async with AsyncExitStack() as ending:
            if self._is_cut_off:
                raise RuntimeAway("cut off by the test")
            self.under_way.number += 1
            try:
                answer = await ending.enter_async_context(super()._answer(*args, **kwargs))
            finally:
                self.under_way.number -= 1
            yield answer


class Passing:
    """Time that a test lets pass, but not while an answer is on its way: a slow machine is in time, too."""

    def __init__(self, clock: MovedClock, under_way: UnderWay) -> None:
        self._clock, self._under_way = clock, under_way

    async def until(self, true: Callable[[], bool], *, by: float = 0.0) -> float:
        """Until it is so, with so many seconds more in each round; how many those were."""
        passed = 0.0
        for _ in range(MOST_ROUNDS):
            if true():
                return passed
            await self._step(by)
            passed += by
        raise AssertionError("it never happened")

    async def seconds(self, number: float, *, by: float = 0.5) -> None:
        """So many, in steps in which what is due happens."""
        for _ in range(round(number / by)):
            await self._step(by)

    async def _step(self, seconds: float) -> None:
        self._clock.pass_by(seconds)
        await asyncio.sleep(ROUND_S)
        for _ in range(PATIENCE):
            if not self._under_way.number:
                return
            await asyncio.sleep(ROUND_S)


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """In a task that ends with the block."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
