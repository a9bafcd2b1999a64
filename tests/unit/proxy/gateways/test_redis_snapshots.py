from __future__ import annotations

from typing import Any

import pytest

from proxy.gateways.redis_snapshots import document_in_redis
from proxy.redis import RedisAway


class OneHash:
    """A Redis with one gateway in it."""

    def __init__(self, *values: Any, away: bool = False) -> None:
        self.values, self.away = values, away

    @property
    def commands(self) -> OneHash:
        return self

    def hmget(self, key: str, *fields: str) -> tuple[Any, ...]:
        assert (key, fields) == ("archway:gateway:g1", ("revision", "document"))
        return self.values

    async def ask(self, command: Any) -> Any:
        if self.away:
            raise RedisAway
        return command


@pytest.mark.parametrize(
    ("redis", "found"),
    [
        (OneHash(b"3", b"doc"), b"doc"),
        (OneHash(b"4", b"doc"), b"doc"),
        (OneHash(b"2", b"doc"), None),
        (OneHash(b"x", b"doc"), None),
        (OneHash(None, None), None),
        (OneHash(b"3", None), None),
        (OneHash(away=True), None),
    ],
    ids=["of the revision", "newer", "older", "no number", "none", "no document", "away"],
)
async def test_a_document_that_is_new_enough_is_found(redis: Any, found: bytes | None) -> None:
    assert await document_in_redis(redis, "g1", 3) == found
