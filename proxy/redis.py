"""The proxy's Redis: one client with tight deadlines, and a breaker so that a dead Redis costs calls nothing.

The only file of the proxy that imports redis. redis-py's defaults wait for ever on a frozen server; here each wait
for an answer ends after 50 ms of a loop that is in time (`proxy/redis_patience.py`), three failures in a row open the
breaker, and one probe a second closes it again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from proxy.redis_patience import Patience

log = logging.getLogger(__name__)
T = TypeVar("T")

WAIT_S = 0.05
CONNECT_S = 0.1
"""For connection, TLS and greeting together."""
_WRITE_S = 2.0
"""For a command to be written: one that is longer than a socket's buffers waits for a server that stands still."""
_LONG_READ_S = 5.0
"""For an answer on `blocking`, where its reader has no deadline of its own: more than any waits there on purpose."""
_PLACES = 16
"""Commands at once: enough for 20,000 a second, and few enough that a burst of cold callers after a start is not
kept from its answers by the opening of a connection for each."""
_PLACE_WAIT_S = 0.25
"""For a free place: a burst of cold callers is no failure of Redis."""
_FAILURES = 3
_PROBE_S = 1.0
FAULTS: Final = (RedisError, OSError, TimeoutError, RuntimeError)
"""All that redis-py raises for a server that is away. RuntimeError is uvloop's word for a write on a connection that
was reset a moment before, which redis-py lets through."""


class RedisAway(Exception):
    """Redis did not answer in time, or is being left alone after failures."""


class Redis:
    """Redis behind a breaker. `blocking` is a client of its own for reads that wait on purpose."""

    def __init__(self, url: str) -> None:
        self._quick = _client(url, _Patient, connections=_PLACES, opens_s=2.0)
        self._places = asyncio.Semaphore(_PLACES)
        self.blocking = _client(url, _Unhurried, connections=4, opens_s=5.0)
        self._failures = 0
        self._next_try = 0.0

    @property
    def away(self) -> bool:
        """Whether Redis is being left alone just now."""
        return self._failures >= _FAILURES and time.monotonic() < self._next_try

    async def ask(self, command: "Awaitable[T]") -> T:
        """Await one command of `commands`; raises RedisAway, at once while the breaker is open."""
        try:
            if self.away:
                raise RedisAway
            await self._enter()
            try:
                return await self._answered(command)
            finally:
                self._places.release()
        finally:
            if hasattr(command, "close"):
                command.close()  # one that was never awaited would complain

    async def _enter(self) -> None:
        if self._places.locked():
            try:
                async with Patience(_PLACE_WAIT_S):
                    await self._places.acquire()
            except TimeoutError:
                raise RedisAway from None
        else:
            await self._places.acquire()
        if self.away:  # those before us found out meanwhile
            self._places.release()
            raise RedisAway

    async def _answered(self, command: "Awaitable[T]") -> T:
        if self._failures >= _FAILURES:
            self._next_try = time.monotonic() + _PROBE_S  # this one is the probe; the others stay away
        try:
            answer = await command
        except FAULTS as error:
            self._failures += 1
            if self._failures == _FAILURES:
                log.warning("redis is away", extra={"error": type(error).__name__})
            if self._failures >= _FAILURES:
                self._next_try = time.monotonic() + _PROBE_S
            raise RedisAway from error
        if self._failures >= _FAILURES:
            log.info("redis is back")
        self._failures = 0
        return answer

    @property
    def commands(self) -> Any:
        """The client whose commands `ask` awaits."""
        return self._quick

    async def close(self) -> None:
        """Close both clients."""
        await self._quick.aclose()
        await self.blocking.aclose()


class _Prompt(AbstractConnection):
    """What a connection of redis-py, with or without TLS, is made of besides: a write ends when it is cancelled.

    redis-py's deadline of a write is `asyncio.wait_for`: a task for each command, and on Python 3.11 one that
    swallows a cancellation in the moment in which the write is done. So it is given no `socket_timeout`, and the
    deadlines of writes and of reads are ours.
    """

    async def send_packed_command(self, *what: Any, **named: Any) -> None:
        if not self.is_connected:  # first, for it has deadlines of its own, in which a write's has no part
            await self.connect()  # type: ignore[no-untyped-call] # redis-py leaves it untyped
        async with asyncio.timeout(_WRITE_S):
            await super().send_packed_command(*what, **named)


class _Unhurried(_Prompt):
    """A connection for reads that wait on purpose. A read that is given a time ends then, even without an answer."""

    async def read_response(self, disable_decoding: bool = False, timeout: float | None = None, **how: Any) -> Any:
        async with asyncio.timeout(_LONG_READ_S if timeout is None else None):
            return await super().read_response(disable_decoding, timeout, **how)


class _Patient(_Prompt):
    """A connection for commands that a call waits for."""

    async def connect(self) -> None:
        async with Patience(CONNECT_S):
            await super().connect()  # type: ignore[no-untyped-call] # redis-py leaves it untyped

    async def read_response(self, *how: Any, **named: Any) -> Any:
        async with Patience(WAIT_S):
            return await super().read_response(*how, **named)


def _client(url: str, kind: type, *, connections: int, opens_s: float) -> Any:
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=_PLACE_WAIT_S,
        socket_timeout=None,  # ours are those of `kind`
        socket_connect_timeout=opens_s,  # by the clock alone; and for closing
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,  # redis-py would look up its version on disk for each connection, and send it
    )
    pool.connection_class = type(kind.__name__, (kind, pool.connection_class), {})
    return redis.asyncio.Redis.from_pool(pool)  # closes the pool with itself
