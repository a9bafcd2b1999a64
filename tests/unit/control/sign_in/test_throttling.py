"""How often somebody may try a password, counted in a real Valkey and, with it away, here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from control.redis import Redis
from control.sign_in.throttling import BY_ADDRESS, BY_DEVICE, BY_NAME, SignInThrottle
from tests.fixtures_redis import RedisServer, _session_redis, redis_server

__all__ = ["_session_redis", "redis_server"]
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture
async def throttle(redis_server: RedisServer) -> AsyncIterator[SignInThrottle]:
    async with Redis(redis_server.url, deadline_s=5.0) as redis:
        yield SignInThrottle(redis)


async def tries(throttle: SignInThrottle, number: int, *, name: str = "ann@x", address: str = "", device=None) -> int:
    """How many of so many attempts go on; each from another address unless one is given."""
    admitted = 0
    for count in range(number):
        at = address or f"198.51.{count // 200}.{count % 200}"
        admitted += not (await throttle.admit(name=name, address=at, device=device)).wait_s
    return admitted


async def test_one_name_is_tried_so_often_from_however_many_addresses(throttle: SignInThrottle) -> None:
    assert await tries(throttle, BY_NAME.burst + 5) == BY_NAME.burst
    refused = await throttle.admit(name=" ANN@X ", address="192.0.2.9")
    assert 0 < refused.wait_s <= 3_600
    assert not (await throttle.admit(name="bea@x", address="192.0.2.9")).wait_s


async def test_one_address_tries_so_often_however_many_names(throttle: SignInThrottle) -> None:
    admitted = [
        not (await throttle.admit(name=f"n{number}", address="192.0.2.1")).wait_s
        for number in range(BY_ADDRESS.burst + 5)
    ]
    assert sum(admitted) == BY_ADDRESS.burst


async def test_an_address_that_is_used_up_uses_up_no_name(throttle: SignInThrottle) -> None:
    for number in range(BY_ADDRESS.burst):
        await throttle.admit(name=f"n{number}", address="192.0.2.1")
    assert await tries(throttle, 50, address="192.0.2.1") == 0
    assert await tries(throttle, 1) == 1


async def test_strangers_use_up_nothing_of_a_browser_that_is_known(throttle: SignInThrottle) -> None:
    assert await tries(throttle, 40) == BY_NAME.burst
    assert await tries(throttle, 40, name="other", address="192.0.2.1") == BY_NAME.burst
    found = await throttle.admit(name="ann@x", address="192.0.2.1", device="d" * 64)
    assert (found.wait_s, found.known) == (0, True)


async def test_a_known_browser_that_is_used_up_counts_as_a_strangers(throttle: SignInThrottle) -> None:
    assert await tries(throttle, 100, device="d" * 64) == BY_DEVICE.burst + BY_NAME.burst


async def test_every_count_ends_by_itself_under_our_own_names(
    throttle: SignInThrottle, redis_server: RedisServer
) -> None:
    await tries(throttle, 3, device="d" * 64)
    await tries(throttle, 3)
    with redis_server.client() as redis:
        keys = redis.keys("*")
        assert len(keys) == 5
        assert all(key.startswith(b"archway:throttle:") for key in keys)
        assert all(0 < redis.ttl(key) <= 3_600 for key in keys)
        assert not [key for key in keys if b"ann" in key or b"198.51" in key]


async def test_with_redis_away_there_is_a_bound_here_and_known_browsers_have_theirs() -> None:
    async with Redis(NOBODY_LISTENS, deadline_s=0.5) as redis:
        throttle = SignInThrottle(redis)
        assert await tries(throttle, 25) == BY_NAME.burst
        assert not (await throttle.admit(name="ann@x", address="192.0.2.1", device="d" * 64)).wait_s


async def test_two_throttles_of_one_process_share_nothing_but_redis(redis_server: RedisServer) -> None:
    async with Redis(NOBODY_LISTENS, deadline_s=0.5) as away, Redis(redis_server.url, deadline_s=5.0) as there:
        first, second, third = SignInThrottle(away), SignInThrottle(away), SignInThrottle(there)
        assert await tries(first, 20) == BY_NAME.burst
        assert await tries(second, 20) == BY_NAME.burst
        assert await tries(third, 20) == BY_NAME.burst
        assert await tries(SignInThrottle(there), 20) == 0
