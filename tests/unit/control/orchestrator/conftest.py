from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from control.orchestrator.cluster import Cluster, connected
from control.orchestrator.kinds import Object
from tests.kube.fake_server import FakeKube
from tests.plugins.moved_clock import MovedClock

ROUND_S = 0.005
MOST_ROUNDS = 12_000
PATIENCE = 400
"""Rounds for which an answer is waited for before time passes nevertheless, as where a call waits for its turn."""


class Counted(Cluster):
    """A cluster that knows how many of its calls are under way."""

    under_way = 0

    async def _call(self, *args: Any, **kwargs: Any) -> Object:
        self.under_way += 1
        try:
            return await super()._call(*args, **kwargs)
        finally:
            self.under_way -= 1

    @asynccontextmanager
    async def _answer(self, *args: Any, **kwargs: Any) -> AsyncIterator[ClientResponse]:
        async with AsyncExitStack() as ending:
            self.under_way += 1
            try:
                answer = await ending.enter_async_context(super()._answer(*args, **kwargs))
            finally:
                self.under_way -= 1
            yield answer


class Passing:
    """Time that a test lets pass, but not while an answer is on its way: a slow machine is in time, too."""

    def __init__(self, clock: MovedClock, cluster: Counted) -> None:
        self._clock, self._cluster = clock, cluster

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
            if not self._cluster.under_way:
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


@pytest.fixture
async def kube() -> AsyncIterator[FakeKube]:
    async with FakeKube() as fake:
        yield fake


@pytest.fixture
async def cluster(kube: FakeKube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Counted]:
    monkeypatch.setattr("control.orchestrator.cluster.Cluster", Counted)
    path = tmp_path / "kubeconfig"
    path.write_bytes(orjson.dumps(kube.kubeconfig()))
    found = await connected(str(path))
    assert isinstance(found, Counted)
    yield found
    await found.close()


@pytest.fixture
def passing(clock: MovedClock, cluster: Counted) -> Passing:
    return Passing(clock, cluster)
