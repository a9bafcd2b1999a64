from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from core.keys import new_key, parse_key_ring
from core.tasks import Tasks
from proxy.caches.redis_copy import RedisCopy, SealedForm
from proxy.caches.two_ages import Aged
from tests.unit.proxy.caches.conftest import Clock, MemoryRedis

RING = parse_key_ring("proxy", new_key())


def copies(redis: Any, purpose: str = "verdicts", kind: type = str) -> RedisCopy[Any]:
    return RedisCopy(redis, SealedForm(RING, purpose, kind), "name:", 3600, Tasks("test"))


async def test_a_copy_comes_back_with_its_age_and_expiry(clock: Clock, redis: MemoryRedis) -> None:
    await copies(redis).write("k", Aged("secret value", clock.now - 7, clock.time() + 100))
    clock.now += 10
    found = await copies(redis).read("k")
    assert found is not None
    assert (found.value, clock.now - found.asked) == ("secret value", pytest.approx(17))
    assert found.expires == pytest.approx(clock.time() + 90)
    assert b"secret value" not in redis.values["name:k"]


@pytest.mark.parametrize(
    ("left", "life"), [(float("inf"), 3600), (100, 100), (0.5, 1), (99_999, 3600), (0, None), (-1, None)]
)
async def test_a_copy_lives_no_longer_than_its_value(
    clock: Clock, redis: MemoryRedis, left: float, life: int | None
) -> None:
    await copies(redis).write("k", Aged("v", clock.now, clock.time() + left))
    assert redis.lives.get("name:k") == life


async def test_what_is_not_ours_is_a_miss_and_an_alarm(
    clock: Clock, redis: MemoryRedis, caplog: pytest.LogCaptureFixture
) -> None:
    copy = copies(redis)
    await copy.write("k", Aged("v", clock.now))
    genuine = redis.values["name:k"]
    for key, value in (
        ("k", b"garbage"),
        ("k", b""),
        ("k", genuine[:-1]),
        ("another key", genuine),  # moved by somebody who can write to Redis
    ):
        redis.values[f"name:{key}"] = value
        with caplog.at_level(logging.ERROR):
            assert await copy.read(key) is None
    assert copy._form.broken == len(caplog.records) == 4


def test_a_copy_of_an_older_form_is_a_miss_and_no_alarm_and_one_of_a_newer_form_is_read() -> None:
    before, now = SealedForm(RING, "verdicts", str), SealedForm(RING, "verdicts", str, form=1)
    value = Aged("v", 0.0)
    assert now.open("k", before.close("k", value)) is None
    assert (now.broken, before.broken) == (0, 0)
    for one in (before, now):
        found = one.open("k", now.close("k", value))
        assert found is not None
        assert found.value == "v"


async def test_a_copy_of_another_purpose_or_shape_is_a_miss(clock: Clock, redis: MemoryRedis) -> None:
    await copies(redis).write("k", Aged("v", clock.now))
    assert await copies(redis, purpose="connections").read("k") is None
    assert await copies(redis, kind=int).read("k") is None


async def test_a_copy_from_the_future_is_a_miss(clock: Clock, redis: MemoryRedis) -> None:
    await copies(redis).write("k", Aged("v", clock.now))
    clock.now -= 59
    found = await copies(redis).read("k")
    assert found is not None
    assert found.asked == clock.now  # clocks differ: no value is younger than now
    clock.now -= 2
    assert await copies(redis).read("k") is None


async def test_a_redis_that_is_away_is_no_matter(clock: Clock, redis: MemoryRedis) -> None:
    redis.away = True
    copy = copies(redis)
    await copy.write("k", Aged("v", clock.now))
    await copy.forget(["k"])
    assert await copy.read("k") is None


async def test_copies_that_are_wanted_together_are_read_and_written_with_one_question_each(
    clock: Clock, redis: MemoryRedis
) -> None:
    copy = copies(redis)
    aged = {f"k{number}": Aged(f"v{number}", clock.now, clock.time() + 100 + number) for number in range(5)}
    await asyncio.gather(*(copy.write(key, one, listed=True) for key, one in aged.items()))
    assert redis.asked == ["pipeline", *["set"] * 5]
    assert redis.lives == {f"name:k{number}": 100 + number for number in range(5)}
    redis.asked.clear()
    redis.values["name:k1"] = redis.values["name:k2"]
    del redis.values["name:k3"]
    found = await asyncio.gather(*(copy.read(key, listed=True) for key in aged))
    assert [one and one.value for one in found] == ["v0", None, "v2", None, "v4"]
    assert redis.asked == ["mget"]
    redis.away = True
    await copy.write("k0", aged["k0"], listed=True)
    assert await copy.read("k0", listed=True) is None


async def test_forgetting_nothing_asks_nothing(redis: MemoryRedis) -> None:
    await copies(redis).forget([])
    assert redis.asked == []
