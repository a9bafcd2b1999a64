"""One request of the pool as a block of a task: a connection is taken, and settled at the block's end.

`pool.py` makes them. Calls that are sent without a task do not need one (`UpstreamPool.send_now`, `send_on`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Protocol

from core.egress.faults import UpstreamFault
from proxy.upstream.pool.awaited_answer import PoolAnswer
from proxy.upstream.pool.connection import PoolConnection
from proxy.upstream.pool.request import Target


class GivesConnections(Protocol):
    """The pool, as a request knows it."""

    async def connection(self, target: Target) -> PoolConnection:
        """An open connection that nobody else uses. Raises UpstreamFault."""


class PoolRequest:
    """One request on one connection, as a block: inside stand status and headers, and the body can be read."""

    __slots__ = ("_answer", "_data", "_pool", "_target")

    def __init__(self, pool: GivesConnections, target: Target, data: bytes) -> None:
        self._pool, self._target, self._data = pool, target, data
        self._answer: PoolAnswer | None = None

    async def __aenter__(self) -> PoolAnswer:
        connection = await self._pool.connection(self._target)
        answer = self._answer = connection.send(self._data)
        try:
            await answer.begun()
        except BaseException:
            answer.settle(sound=False)
            raise
        return answer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._answer is not None
        self._answer.settle(sound=kind is None)


@asynccontextmanager
async def within(deadline: float, request: PoolRequest) -> AsyncIterator[PoolAnswer]:
    """The request with a clock of its own: UpstreamFault `slow` after so many seconds."""
    clock = asyncio.timeout(deadline)
    try:
        async with clock, request as answer:
            yield answer
    except TimeoutError:
        if not clock.expired():
            raise
        detail = f"no complete answer within {deadline:g} s"
        raise UpstreamFault("slow", sent=True, detail=detail, figure=deadline) from None
