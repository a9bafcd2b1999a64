"""Who calls a server that is told of callers waits for control once, however short a statement lives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from core.caller_statements import LIFE_S, SAME_FOR_S
from core.resolve import InstallationQuestion, ResolvedInstallation
from core.tasks import Tasks
from proxy.caches.layered import LayeredCache
from proxy.caches.two_ages import Aged, SourceUnreachable
from proxy.resolve import ahead
from proxy.resolve.ahead import Ahead
from proxy.resolve.renewals import end_of
from tests.fakes.call_parts import installation
from tests.unit.proxy.caches.conftest import HARD, RING, SOFT, Clock, MemoryRedis, clock, redis, tasks

__all__ = ["clock", "redis", "tasks"]
QUESTION = InstallationQuestion("digest", "g", "a")
KEY = "g/a/user:1"


@dataclass
class Control:
    """Gives statements as they are made: the same for a while, each good for a minute from its beginning."""

    clock: Clock
    asked: int = 0
    away: bool = False

    async def __call__(self, _: str, __: InstallationQuestion) -> Aged[ResolvedInstallation]:
        self.asked += 1
        if self.away:
            raise SourceUnreachable
        begun = self.clock.time() // SAME_FOR_S * SAME_FOR_S
        found = replace(installation(), statement_headers=[("x-who", f"s{begun}")], expires_at=begun + LIFE_S)
        return Aged(found, self.clock.now, end_of(found))


class Worker:
    """Calls of one caller, and what a worker remembers for them."""

    def __init__(self, clock: Clock, redis: MemoryRedis, tasks: Tasks) -> None:
        self.clock, self.control = clock, Control(clock)
        self.resolved: LayeredCache[ResolvedInstallation] = LayeredCache(
            "connections", ResolvedInstallation, size=10, soft=SOFT, hard=HARD, ring=RING, redis=redis,  # type: ignore[arg-type]
            redis_name="n:", tasks=tasks,
        )  # fmt: skip
        self.ahead = Ahead(self.resolved, self.control, tasks, SOFT)

    async def call(self) -> bool:
        """Whether this call had to wait for control."""
        found = self.resolved.memory.young(KEY)
        waits = False
        if found is None:
            found = self.resolved.fresh(KEY, lambda _: self.control(KEY, QUESTION))
            if found is None:
                waits, found = True, await self.resolved.get(KEY, lambda _: self.control(KEY, QUESTION))
            self.ahead.follow(KEY, QUESTION, end_of(found))
        assert found.expires_at > self.clock.time(), "a statement that has ended was used"
        return waits

    async def passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.now += 1
            for _ in range(8):
                await asyncio.sleep(0)


@pytest.fixture
def worker(clock: Clock, redis: MemoryRedis, tasks: Tasks) -> Iterator[Worker]:
    with patch.object(ahead, "time", clock), patch.object(ahead, "EVERY_S", 0):
        yield Worker(clock, redis, tasks)


@pytest.mark.parametrize("pause", [1, 13, 25, 31, 44, 59])
@pytest.mark.parametrize("begins", [0, 12, 24])
async def test_after_the_first_call_none_waits_for_control(worker: Worker, pause: int, begins: int) -> None:
    worker.clock.now += begins
    assert await worker.call()
    for _ in range(600 // pause):
        await worker.passes(pause)
        assert not await worker.call()
    assert worker.control.asked < 600 / 15, "it is asked about once in twenty seconds or more"


async def test_who_calls_no_more_is_not_asked_about_for_long(worker: Worker) -> None:
    await worker.call()
    await worker.passes(int(3 * SOFT))
    asked = worker.control.asked
    await worker.passes(300)
    assert worker.control.asked == asked


async def test_an_installation_that_lives_long_is_refreshed_by_its_uses_alone(worker: Worker) -> None:
    worker.ahead.follow(KEY, QUESTION, worker.clock.time() + SOFT)
    assert not len(worker.ahead._followed)


async def test_a_control_that_is_away_is_asked_until_the_statement_ends_and_no_longer(worker: Worker) -> None:
    await worker.call()
    worker.control.away = True
    await worker.passes(LIFE_S)
    asked: Any = worker.control.asked
    await worker.passes(60)
    assert (worker.control.asked, len(worker.ahead._followed)) == (asked, 0)
    with pytest.raises(SourceUnreachable):
        await worker.call()
    worker.control.away = False
    assert await worker.call()
