"""Copies of sessions in Redis, and who is the last to use one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from core import redis_names
from core.keys import new_key, parse_key_ring
from proxy.redis import Redis
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.session_copies import SessionCopies
from tests.fixtures_redis import RedisServer, _session_redis, redis_server  # noqa: F401

KEY = "installation/1/user:u"
SESSION, OTHER = UpstreamSession("abc", "2025-06-18"), UpstreamSession("def", "2025-06-18")
WITHOUT_ID = UpstreamSession(None, "2025-06-18")


@pytest.fixture
async def workers(redis_server: RedisServer) -> AsyncIterator[list[SessionCopies]]:  # noqa: F811
    """Two workers of one proxy key."""
    async with AsyncExitStack() as stack:
        ring, made = parse_key_ring("proxy", new_key()), []
        for _ in range(2):
            redis = Redis(redis_server.url)
            stack.push_async_callback(redis.close)
            made.append(SessionCopies(redis, ring))
        yield made


async def test_what_one_worker_shares_another_reads(workers: list[SessionCopies]) -> None:
    await workers[0].share(KEY, SESSION)
    assert await workers[1].read(KEY) == SESSION
    assert await workers[1].read("installation/1/user:v") is None


async def test_a_copy_goes_unless_it_is_of_another_session_by_now(workers: list[SessionCopies]) -> None:
    await workers[0].share(KEY, SESSION)
    await workers[1].drop(KEY, OTHER)
    assert await workers[0].read(KEY) == SESSION
    await workers[1].drop(KEY, SESSION)
    assert await workers[0].read(KEY) is None


async def test_the_last_worker_that_leaves_is_told_so(workers: list[SessionCopies]) -> None:
    one, other = workers
    await one.share(KEY, SESSION)
    await other.join(KEY, SESSION)
    assert not await one.is_last_to_leave(KEY, SESSION)
    assert await other.is_last_to_leave(KEY, SESSION)


async def test_two_sessions_under_one_key_have_their_own_users(workers: list[SessionCopies]) -> None:
    one, other = workers
    await one.share(KEY, SESSION)
    await other.share(KEY, OTHER)
    assert await one.is_last_to_leave(KEY, SESSION)
    assert await other.is_last_to_leave(KEY, OTHER)


async def test_who_uses_a_session_is_forgotten_with_its_age(
    workers: list[SessionCopies],
    redis_server: RedisServer,  # noqa: F811
) -> None:
    await workers[0].share(KEY, SESSION)
    await workers[0].share(KEY, WITHOUT_ID)
    with redis_server.client() as client:
        names = [str(name, "ascii") for name in client.keys(redis_names.PREFIX + "upstream*")]
        assert len(names) == 2
        assert not any("abc" in name for name in names)
        assert all(0 < client.ttl(name) <= 3000 for name in names)


async def test_a_server_without_sessions_has_none_that_could_be_ended(workers: list[SessionCopies]) -> None:
    await workers[0].share(KEY, WITHOUT_ID)
    assert await workers[1].read(KEY) == WITHOUT_ID
    assert not await workers[0].is_last_to_leave(KEY, WITHOUT_ID)


async def test_a_copy_that_was_sealed_for_another_key_is_none(
    workers: list[SessionCopies],
    redis_server: RedisServer,  # noqa: F811
) -> None:
    await workers[0].share(KEY, SESSION)
    with redis_server.client() as client:
        sealed = client.get(redis_names.upstream_session_key(KEY))
        client.set(redis_names.upstream_session_key("installation/1/user:v"), sealed)  # type: ignore[arg-type]
    assert await workers[0].read("installation/1/user:v") is None


async def test_without_redis_there_are_no_copies_and_nobody_is_the_last() -> None:
    redis, ring = Redis("redis://127.0.0.1:1"), parse_key_ring("proxy", new_key())
    copies = SessionCopies(redis, ring)
    await copies.share(KEY, SESSION)
    await copies.join(KEY, SESSION)
    await copies.drop(KEY, SESSION)
    assert await copies.read(KEY) is None
    assert not await copies.is_last_to_leave(KEY, SESSION)
    await redis.close()
