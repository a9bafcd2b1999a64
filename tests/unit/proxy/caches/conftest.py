"""Virtual time, and a Redis in memory that may be away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import patch

import pytest

from core.tasks import Tasks
from proxy.caches.two_ages import SourceUnreachable
from proxy.redis import RedisAway


class Clock:
    """`time`, as the caches see it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 1_700_000_000


class MemoryRedis:
    """What `Redis` offers of GET, SET and DEL."""

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
