from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from control.redis import GroupMissing, Redis, RedisAway
from tests.fixtures_redis import RedisServer, _session_redis, breakable_redis, redis_server

__all__ = ["_session_redis", "breakable_redis", "redis_server"]

STREAM, GROUP = "test:stream", "g"


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with Redis(redis_server.url, deadline_s=1) as opened:
        yield opened


async def test_a_frozen_redis_is_away_within_the_deadline(breakable_redis: RedisServer) -> None:
    async with Redis(breakable_redis.url, deadline_s=0.2) as redis:
        await redis.script("return 1", [], [])
        breakable_redis.freeze()
        began = time.monotonic()
        with pytest.raises(RedisAway, match=r"no answer in 0.2 s"):
            await redis.script("return 1", [], [])
        assert time.monotonic() - began < 10  # and not for ever
        breakable_redis.thaw()


async def test_after_a_fault_no_answer_is_taken_for_another_s(breakable_redis: RedisServer) -> None:
    async with Redis(breakable_redis.url, deadline_s=0.1) as redis:
        breakable_redis.freeze()
        for number in range(3):
            with pytest.raises(RedisAway):
                await redis.script("return ARGV[1]", [], [f"late {number}"])
        breakable_redis.thaw()
        assert [await redis.script("return ARGV[1]", [], [str(n)]) for n in range(5)] == [
            b"0",
            b"1",
            b"2",
            b"3",
            b"4",
        ]


async def test_a_dead_redis_is_away_at_once_and_used_again_when_it_is_back(breakable_redis: RedisServer) -> None:
    async with Redis(breakable_redis.url, deadline_s=1) as redis:
        breakable_redis.kill()
        with pytest.raises(RedisAway):
            await redis.names_like("key")
        breakable_redis.start()
        assert await redis.names_like("key") == []


async def test_a_wrong_password_is_away_too(redis_server: RedisServer) -> None:
    async with Redis(f"redis://:wrong@127.0.0.1:{redis_server.port}/0", deadline_s=1) as redis:
        with pytest.raises(RedisAway):
            await redis.names_like("key")


async def test_a_script_that_redis_refuses_is_a_fault_with_its_reason(redis: Redis) -> None:
    with pytest.raises(RedisAway, match="refused"):
        await redis.script("return redis.call('HGET', KEYS[1], 'x', 'y')", ["key"], [])


async def test_names_are_found_by_pattern_among_many(redis: Redis, redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.mset({f"a:{number}": "x" for number in range(2_500)} | {"b:1": "x"})
    assert len(set(await redis.names_like("a:*"))) == 2_500
    assert await redis.names_like("b:*") == [b"b:1"]


async def test_a_group_that_was_flushed_is_told_from_an_empty_one(redis: Redis, redis_server: RedisServer) -> None:
    await redis.make_group(STREAM, GROUP, 60)
    await redis.make_group(STREAM, GROUP, 60)
    assert await redis.read_group(STREAM, GROUP, "me", count=1, wait_s=0.01) == []
    redis_server.flush()
    with pytest.raises(GroupMissing):
        await redis.read_group(STREAM, GROUP, "me", count=1, wait_s=0.01)
    with pytest.raises(GroupMissing):
        await redis.claim_idle(STREAM, GROUP, "me", idle_s=0, count=1)


async def test_unfinished_entries_come_again_to_their_own_and_idle_ones_to_others(
    redis: Redis, redis_server: RedisServer
) -> None:
    await redis.make_group(STREAM, GROUP, 60)
    with redis_server.client() as client:
        client.xadd(STREAM, {"f": "v"})
        assert client.ttl(STREAM) > 0
    taken = await redis.read_group(STREAM, GROUP, "me", count=9, wait_s=0.01)
    assert taken[0][1] == {b"f": b"v"}
    again = await redis.read_group(STREAM, GROUP, "me", count=9, wait_s=0.01, unfinished=True)
    assert again == taken
    assert await redis.claim_idle(STREAM, GROUP, "other", idle_s=60, count=9) == []
    assert await redis.claim_idle(STREAM, GROUP, "other", idle_s=0, count=9) == taken
    await redis.finish(STREAM, GROUP, [taken[0][0]])
    assert await redis.claim_idle(STREAM, GROUP, "me", idle_s=0, count=9) == []
    assert sorted(await redis.idle_consumers(STREAM, GROUP, -1)) == [b"me", b"other"]
    await redis.drop_consumer(STREAM, GROUP, b"other")
    assert await redis.idle_consumers(STREAM, GROUP, -1) == [b"me"]
