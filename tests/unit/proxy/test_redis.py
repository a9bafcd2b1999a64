import asyncio
import time

import pytest

from core.tasks import Tasks
from proxy import redis as ours
from proxy.redis import Redis, RedisAway
from tests.fixtures_redis import RedisServer, breakable_redis  # noqa: F401

AWAY = "redis://127.0.0.1:1/0"


async def fails(redis: Redis) -> None:
    with pytest.raises(RedisAway):
        await redis.ask(redis.commands.get("x"))


async def test_three_failures_open_the_breaker() -> None:
    redis = Redis(AWAY)
    for _ in range(3):
        assert not redis.away
        await fails(redis)
    assert redis.away
    await fails(redis)  # at once, and without a complaint about what was not awaited
    await redis.close()


async def test_a_server_that_came_back_is_noticed_by_one_probe(
    breakable_redis: RedisServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ours, "_PROBE_S", 0.1)
    redis = Redis(breakable_redis.url)
    await redis.ask(redis.commands.set("x", b"1"))
    breakable_redis.kill()
    for _ in range(3):
        await fails(redis)
    await asyncio.to_thread(breakable_redis.start)
    await asyncio.sleep(0.12)
    assert await redis.ask(redis.commands.get("x")) is None
    assert not redis.away
    await redis.close()


async def test_a_frozen_server_is_not_waited_for(breakable_redis: RedisServer) -> None:  # noqa: F811
    redis = Redis(breakable_redis.url)
    await redis.ask(redis.commands.ping())
    breakable_redis.freeze()
    began = time.monotonic()
    await fails(redis)
    breakable_redis.thaw()
    assert time.monotonic() - began < 1.0  # redis-py's own defaults wait for ever
    await redis.close()


async def test_a_burst_is_no_failure(breakable_redis: RedisServer) -> None:  # noqa: F811
    redis = Redis(breakable_redis.url)
    answers = await asyncio.gather(*(redis.ask(redis.commands.incr("n")) for _ in range(200)))
    assert sorted(answers) == list(range(1, 201))
    await redis.close()


async def test_a_worker_under_full_load_does_not_take_redis_for_dead(
    breakable_redis: RedisServer,  # noqa: F811
) -> None:
    redis, tasks = Redis(breakable_redis.url), Tasks("test")

    async def full_rounds() -> None:
        while True:
            time.sleep(0.06)  # noqa: ASYNC251 - each round of the loop takes longer than Redis may
            await asyncio.sleep(0)

    tasks.spawn("load", full_rounds())
    answers = await asyncio.gather(*(redis.ask(redis.commands.incr("n")) for _ in range(5)))
    await tasks.close()
    assert sorted(answers) == [1, 2, 3, 4, 5]
    assert not redis.away
    await redis.close()


async def test_an_answer_that_was_given_up_is_nobody_elses(breakable_redis: RedisServer) -> None:  # noqa: F811
    redis = Redis(breakable_redis.url)
    await redis.ask(redis.commands.set("a", b"1"))
    breakable_redis.freeze()
    await fails(redis)
    breakable_redis.thaw()
    assert await redis.ask(redis.commands.get("b")) is None
    assert await redis.ask(redis.commands.get("a")) == b"1"
    await redis.close()


@pytest.mark.parametrize("client", ["commands", "blocking"])
async def test_who_is_cancelled_while_a_command_is_written_ends(
    breakable_redis: RedisServer,  # noqa: F811
    client: str,
) -> None:
    """A cancellation that was swallowed there let a worker's background work go on for a second after its end."""
    redis, tasks = Redis(breakable_redis.url), Tasks("test")
    commands = getattr(redis, client)
    await commands.ping()

    async def asks() -> None:
        await commands.get("x")
        await asyncio.Event().wait()

    for rounds in range(12):
        task = tasks.spawn("asks", asks())
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=30)
        assert task.cancelled(), f"the cancellation in round {rounds} was lost"
    await redis.close()


async def test_a_long_command_does_not_wait_for_ever_to_be_written(
    breakable_redis: RedisServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ours, "_WRITE_S", 0.2)
    redis = Redis(breakable_redis.url)
    await redis.ask(redis.commands.ping())
    breakable_redis.freeze()
    with pytest.raises(RedisAway):
        await asyncio.wait_for(redis.ask(redis.commands.set("x", b"1" * (64 << 20))), 10)
    breakable_redis.thaw()
    await redis.close()


async def test_a_read_that_waits_on_purpose_has_a_deadline_all_the_same(
    breakable_redis: RedisServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ours, "_LONG_READ_S", 0.2)
    redis = Redis(breakable_redis.url)
    await redis.blocking.ping()
    breakable_redis.freeze()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10) as for_ever:
            await redis.blocking.xread({"x": "0-0"}, block=100)
    assert not for_ever.expired()
    breakable_redis.thaw()
    assert await redis.blocking.get("x") is None  # on a new connection: what was given up is nobody else's
    await redis.close()


async def test_a_reader_that_says_how_long_it_waits_is_not_ended_sooner(
    breakable_redis: RedisServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    redis = Redis(breakable_redis.url)
    async with redis.blocking.pubsub() as channel:
        await channel.subscribe("x")
        assert (await channel.get_message(timeout=5.0))["type"] == "subscribe"
        monkeypatch.setattr(ours, "_LONG_READ_S", 0.01)
        assert await channel.get_message(timeout=0.1) is None
        await redis.commands.publish("x", b"a letter")
        assert (await channel.get_message(timeout=5.0))["data"] == b"a letter"
    await redis.close()
