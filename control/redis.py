"""Control's Redis (or Valkey): few commands, each with a deadline, all faults in one word.

Used by the publisher, the record consumer, the internal listener and what throttles people. redis-py's own defaults
hang for seconds on a frozen server; here a command ends within `deadline_s`, whatever the server does, and is never
retried: its caller knows better what to do when Redis is away. The names of keys and their ages are in
`core/redis_names.py`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self, cast

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

log = logging.getLogger(__name__)

Entry = tuple[bytes, Mapping[bytes, bytes]]
"""One entry of a stream: its identifier, its fields."""

_SCAN_STEP = 1_000
_SCAN_ROUNDS = 2_000
"""At most two million keys are looked through; more than that is not what we keep there."""
_DELETE_STEP = 500
_CONNECTIONS = 8
_FAULTS = (RedisError, OSError, RuntimeError)
"""RuntimeError: uvloop's word for a write on a connection that was reset just before, which redis-py lets through."""


class RedisAway(Exception):
    """Redis did not answer in time, or its answer is not that of a Redis that can be used."""


class GroupMissing(Exception):
    """The consumer group is not there: Redis was flushed."""


class Redis:
    """A small pool of connections to one Redis. `close` it."""

    def __init__(self, url: str, *, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._redis = redis.asyncio.Redis.from_url(
            url,
            socket_timeout=None,  # ours is over the whole command, see `_asking`
            socket_connect_timeout=deadline_s,
            retry=Retry(NoBackoff(), 0),
            max_connections=_CONNECTIONS,
            protocol=2,
            driver_info=None,  # redis-py would look up its version on disk for each connection, and send it
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, at most for the deadline."""
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._redis.aclose()
        except _FAULTS as fault:
            log.debug("redis did not close well", extra={"fault": str(fault)})

    @property
    def client(self) -> Any:
        """The connections themselves, for a library that sends commands of its own; only within `asking`."""
        return self._redis

    def asking(self) -> AbstractAsyncContextManager[None]:
        """The deadline and the one word for faults, around what somebody else sends over `client`."""
        return self._asking()

    async def script(self, lua: str, keys: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        """Run a script; strings in its answer are bytes."""
        async with self._asking():
            return await cast(Any, self._redis.eval(lua, len(keys), *keys, *arguments))

    async def names_like(self, pattern: str) -> list[bytes]:
        """Every key that fits the pattern: a walk over all keys in small steps, for rare changes only."""
        found: list[bytes] = []
        cursor = 0
        for _ in range(_SCAN_ROUNDS):
            async with self._asking():
                cursor, some = await self._redis.scan(cursor, pattern, _SCAN_STEP)
            found.extend(cast(list[bytes], some))
            if cursor == 0:
                return found
        log.warning("too many keys in redis to look through", extra={"pattern": pattern})
        return found

    async def delete(self, names: Sequence[str]) -> None:
        """Delete these keys, many in one command."""
        for first in range(0, len(names), _DELETE_STEP):
            async with self._asking():
                await cast(Any, self._redis.unlink(*names[first : first + _DELETE_STEP]))

    async def make_group(self, stream: str, group: str, ttl_s: int) -> None:
        """A consumer group from the stream's first entry on; nothing if it exists."""
        async with self._asking():
            try:
                await cast(Any, self._redis.xgroup_create(stream, group, "0", mkstream=True))
            except ResponseError as refused:
                if not str(refused).startswith("BUSYGROUP"):
                    raise
            await cast(Any, self._redis.expire(stream, ttl_s))

    async def read_group(
        self, stream: str, group: str, consumer: str, *, count: int, wait_s: float, unfinished: bool = False
    ) -> list[Entry]:
        """New entries for this consumer; waits up to `wait_s` for the first. Raises GroupMissing.

        `unfinished`: instead those that it was given before and did not finish.
        """
        async with self._asking(wait_s):
            answer = await cast(
                Any,
                self._redis.xreadgroup(
                    group, consumer, {stream: "0" if unfinished else ">"}, count, max(1, int(wait_s * 1000))
                ),
            )
        return [(entry_id, fields or {}) for entry_id, fields in answer[0][1]] if answer else []

    async def claim_idle(self, stream: str, group: str, consumer: str, *, idle_s: float, count: int) -> list[Entry]:
        """Entries that another consumer took and did not finish for `idle_s`; now ours. Raises GroupMissing."""
        async with self._asking():
            answer = await cast(
                Any, self._redis.xautoclaim(stream, group, consumer, int(idle_s * 1000), "0-0", count)
            )
        return [entry for entry in answer[1] if entry[1] is not None]

    async def finish(self, stream: str, group: str, ids: Sequence[bytes]) -> None:
        """The entries are done: acknowledged and deleted."""
        async with self._asking():
            await cast(Any, self._redis.xack(stream, group, *ids))
            await cast(Any, self._redis.xdel(stream, *ids))

    async def idle_consumers(self, stream: str, group: str, idle_s: float) -> list[bytes]:
        """Consumers without unfinished entries that asked for nothing for `idle_s`."""
        async with self._asking():
            found = await cast(Any, self._redis.xinfo_consumers(stream, group))
        return [one["name"] for one in found if one["pending"] == 0 and one["idle"] > idle_s * 1000]

    async def drop_consumer(self, stream: str, group: str, consumer: str | bytes) -> None:
        """Forget a consumer."""
        async with self._asking():
            await cast(Any, self._redis.xgroup_delconsumer(stream, group, cast(str, consumer)))

    @asynccontextmanager
    async def _asking(self, longer_s: float = 0) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline_s + longer_s):
                yield
        except TimeoutError:
            raise RedisAway(f"no answer in {self._deadline_s + longer_s:g} s") from None
        except ResponseError as refused:
            if str(refused).startswith("NOGROUP"):
                raise GroupMissing from None
            raise RedisAway(f"refused: {refused}") from refused
        except _FAULTS as fault:
            raise RedisAway(f"{type(fault).__name__}: {fault}") from fault
