"""Counts by kind and by whose they are; `tests/unit/control/sign_in/test_throttling.py` counts in a real Valkey."""

from __future__ import annotations

from throttled.asyncio import per_hour

from control.http.throttle import Throttle
from control.redis import Redis

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


async def test_with_redis_away_each_kind_and_each_name_is_counted_here_by_itself() -> None:
    async with Redis(NOBODY_LISTENS, deadline_s=0.5) as redis:
        throttle = Throttle(redis, {"few": per_hour(1, burst=1), "more": per_hour(1, burst=2)})
        assert [await throttle.wait("few", "ann") > 0 for _ in range(2)] == [False, True]
        assert [await throttle.wait("more", "ann") > 0 for _ in range(3)] == [False, False, True]
        assert await throttle.wait("few", "bea") == 0
