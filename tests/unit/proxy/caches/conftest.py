"""Virtual time, a Redis in memory that may be away, a control, and a worker's memory over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import patch

import pytest

from core.keys import new_key, parse_key_ring
from core.tasks import Tasks
from proxy.caches.layered import LayeredCache
from proxy.caches.two_ages import Aged, SourceUnreachable
from proxy.redis import RedisAway

SOFT, HARD = 60.0, 600.0
RING = parse_key_ring("proxy", new_key())


class Clock:
    """`time`, as the caches see it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 1_700_000_000


class Pipeline:
    """Some commands for one question."""

    def __init__(self, redis: MemoryRedis) -> None:
        self._redis = redis
        self._commands: list[tuple[Any, ...]] = []

    def set(self, *what: Any, **how: Any) -> None:
        self._commands.append(self._redis.set(*what, **how))

    def execute(self) -> tuple[Any, ...]:
        return "pipeline", self._commands


class MemoryRedis:
    """What `Redis` offers of GET, MGET, SET and DEL."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.lives: dict[str, int] = {}
        self.away = False
        self.asked: list[str] = []

    @property
    def commands(self) -> MemoryRedis:
        return self

    def get(self, key: str) -> tuple[Any, ...]:
        return "get", key

    def set(self, key: str, value: bytes, ex: int) -> tuple[Any, ...]:
        return "set", key, value, ex

    def mget(self, keys: list[str]) -> tuple[Any, ...]:
        return "mget", *keys

    def pipeline(self, *, transaction: bool) -> Pipeline:
        return Pipeline(self)

    def delete(self, *keys: str) -> tuple[Any, ...]:
        return "delete", *keys

    async def ask(self, command: tuple[Any, ...]) -> Any:
        self.asked.append(command[0])
        if self.away:
            raise RedisAway
        match command:
            case "get", key:
                return self.values.get(key)
            case "set", key, value, life:
                self.values[key], self.lives[key] = value, life
            case "mget", *keys:
                return [self.values.get(key) for key in keys]
            case "pipeline", commands:
                for one in commands:
                    await self.ask(one)
            case "delete", *keys:
                for key in keys:
                    self.values.pop(key, None)
        return None


@pytest.fixture
def clock() -> Iterator[Clock]:
    ours = Clock()
    with (
        patch("proxy.caches.two_ages.time", ours),
        patch("proxy.caches.layered.time", ours),
        patch("proxy.caches.redis_copy.time", ours),
    ):
        yield ours


@pytest.fixture
def redis() -> MemoryRedis:
    return MemoryRedis()


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    ours = Tasks("test", quiet=(SourceUnreachable, PermissionError))
    yield ours
    await ours.close()


class Control:
    """The source; remembers whether each asker was known."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.known: list[bool] = []
        self.asked = asyncio.Event()
        self.value: str | Exception = "value"
        self.gate: asyncio.Event | None = None

    async def __call__(self, known: bool) -> Aged[str]:
        self.known.append(known)
        self.asked.set()
        value, asked = self.value, self.clock.now
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(value, Exception):
            raise value
        return Aged(value, asked)


@pytest.fixture
def control(clock: Clock) -> Control:
    return Control(clock)


@pytest.fixture
def worker(redis: MemoryRedis, tasks: Tasks) -> Any:
    def make(**more: Any) -> LayeredCache[str]:
        return LayeredCache(
            "test", str, size=10, soft=SOFT, hard=HARD, ring=RING, redis=redis, redis_name="n:", tasks=tasks, **more  # type: ignore[arg-type]
        )  # fmt: skip

    return make
