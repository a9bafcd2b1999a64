"""The sealed copy of a cached value in Redis, so that a new worker need not ask control for what another knows.

A copy proves nothing by itself: a value is sealed with the proxy key under its own key, so that garbage, another
key's value or an older format is a miss, counted as an alarm. A copy is written only if no change event came since
the source was asked; control deletes the copies that its events name.
"""

import logging
import time
from typing import Generic, NamedTuple, TypeVar

import msgspec

from core.keys import KeyRing
from core.sealing import SealBroken, Sealer
from core.tasks import Tasks
from proxy.caches.in_lists import InLists
from proxy.caches.two_ages import Aged
from proxy.redis import Redis, RedisAway

log = logging.getLogger(__name__)
V = TypeVar("V")
CLOCK_SKEW_S = 60


class _Copy(msgspec.Struct, Generic[V], array_like=True):
    asked: float
    """Unix seconds."""
    expires: float
    value: V
    form: int = 0
    """Of what the value says: see `SealedForm`. Workers of the version before write none."""


class SealedForm(Generic[V]):
    """A cached value as bytes outside of our memory: sealed, with its age, bound to its key.

    `form`: rises where a value says something new without which it must not be believed. What workers of a version
    before wrote, who did not know that, is then a miss, and no alarm: in an upgrade they work beside these.
    """

    def __init__(self, ring: KeyRing, purpose: str, kind: type[V], form: int = 0) -> None:
        self._sealer = Sealer(ring, purpose)
        self._purpose, self._form = purpose, form
        self._decoder = msgspec.msgpack.Decoder(_Copy[kind])  # type: ignore[valid-type]  # built once at start
        self.broken = 0

    def close(self, key: str, aged: Aged[V]) -> bytes:
        """The bytes to keep."""
        asked = time.time() - (time.monotonic() - aged.asked)
        expires = min(aged.expires, 1e15)
        return self._sealer.seal(msgspec.msgpack.encode(_Copy(asked, expires, aged.value, self._form)), key)

    def open(self, key: str, sealed: bytes) -> Aged[V] | None:
        """The value and its age; None for what is not ours, of another key or an older form, or from the future."""
        try:
            copy = self._decoder.decode(self._sealer.open(sealed, key))
        except (SealBroken, msgspec.MsgspecError) as broken:
            self.broken += 1
            log.error("a kept value was not ours", extra={"purpose": self._purpose, "why": str(broken)})
            return None
        age = time.time() - copy.asked
        if age < -CLOCK_SKEW_S or copy.form < self._form:
            return None
        return Aged(copy.value, time.monotonic() - max(age, 0.0), copy.expires)


class _Write(NamedTuple):
    key: str
    sealed: bytes
    ttl: int


class RedisCopy(Generic[V]):
    """Copies of one cache's values in Redis."""

    def __init__(self, redis: Redis, form: SealedForm[V], name: str, ttl: float, tasks: Tasks) -> None:
        self._redis, self._form = redis, form
        self._reading = InLists[str, bytes]("copies read", self._read_all, tasks)
        self._writing = InLists[_Write, None]("copies written", self._write_all, tasks)
        self._name, self._ttl = name, int(ttl)

    async def read(self, key: str, *, listed: bool = False) -> Aged[V] | None:
        """The copy, of whatever age, or None. `listed`: it may be read with others that are wanted just now."""
        try:
            if listed:
                sealed = await self._reading.ask(key)
            else:
                sealed = await self._redis.ask(self._redis.commands.get(self._name + key))
        except RedisAway:
            return None
        return None if sealed is None else self._form.open(key, sealed)

    async def write(self, key: str, aged: Aged[V], *, listed: bool = False) -> None:
        """Leave a copy; nothing happens where Redis is away. `listed`: it may be written with others."""
        if aged.expires <= time.time():
            return
        ttl = max(1, min(self._ttl, int(aged.expires - time.time()) if aged.expires < 1e15 else self._ttl))
        try:
            write = _Write(key, self._form.close(key, aged), ttl)
            if listed:
                await self._writing.ask(write)
            else:
                await self._redis.ask(self._redis.commands.set(self._name + key, write.sealed, ex=ttl))
        except RedisAway:
            return

    async def forget(self, keys: list[str]) -> None:
        """Remove copies that an event named."""
        if not keys:
            return
        try:
            await self._redis.ask(self._redis.commands.delete(*(self._name + key for key in keys)))
        except RedisAway:
            return

    async def _read_all(self, keys: list[str]) -> dict[str, bytes]:
        found = await self._redis.ask(self._redis.commands.mget([self._name + key for key in keys]))
        return {key: sealed for key, sealed in zip(keys, found, strict=True) if sealed is not None}

    async def _write_all(self, writes: list[_Write]) -> dict[_Write, None]:
        pipeline = self._redis.commands.pipeline(transaction=False)
        for write in writes:
            pipeline.set(self._name + write.key, write.sealed, ex=write.ttl)
        await self._redis.ask(pipeline.execute())
        return {}
