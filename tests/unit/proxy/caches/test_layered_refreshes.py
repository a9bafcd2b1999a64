"""What is refreshed off the path: when control is asked, in how many questions, and what a change then ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from proxy.caches.two_ages import Aged
from tests.unit.proxy.caches.conftest import SOFT, Clock, Control, MemoryRedis


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_refresh_asks_control_though_the_copy_of_what_is_held_is_not_past_its_soft_age(
    worker: Any, control: Control, clock: Clock
) -> None:
    here = worker()
    await here.get("k", control)
    clock.now += 0.7 * SOFT
    control.value = "newer"
    assert here.fresh("k", control) == "value"
    await settle()
    assert here.memory.young("k") == "newer"
    assert len(control.known) == 2


async def test_a_refresh_takes_what_another_worker_asked_just_now(
    worker: Any, control: Control, clock: Clock
) -> None:
    here, there = worker(), worker()
    for one in (here, there):
        await one.get("k", control)
    clock.now += 0.7 * SOFT
    control.value = "newer"
    for one in (there, here):
        assert one.fresh("k", control) == "value"
        await settle()
        assert one.memory.young("k") == "newer"
    assert len(control.known) == 2, "once by each for both"


async def test_what_is_refreshed_together_is_read_and_written_with_one_question_to_redis_each(
    worker: Any, control: Control, redis: MemoryRedis, clock: Clock
) -> None:
    here = worker(gathered=3600)
    keys = [f"k{number}" for number in range(5)]
    for key in keys:
        await here.get(key, control)
    clock.now += 0.7 * SOFT
    control.value = "newer"
    redis.asked.clear()
    assert [here.fresh(key, control) for key in keys] == ["value"] * 5
    await settle()
    assert redis.asked == []
    here.memory._window.hurry()
    await settle()
    assert [here.memory.young(key) for key in keys] == ["newer"] * 5
    assert redis.asked == ["mget", "pipeline", *["set"] * 5]


@pytest.mark.parametrize("change", ["drop", "drop_where"])
async def test_what_is_dropped_while_a_list_is_under_way_is_held_nowhere_again(
    worker: Any, control: Control, redis: MemoryRedis, clock: Clock, change: str
) -> None:
    here = worker()
    for key in ("a", "b"):
        await here.get(key, control)
    clock.now += 0.7 * SOFT
    control.gate = asyncio.Event()
    control.asked.clear()
    assert [here.fresh(key, control) for key in ("a", "b")] == ["value"] * 2
    await control.asked.wait()
    await (here.drop("a") if change == "drop" else here.drop_where(lambda key, _: key == "a"))
    control.gate.set()
    await settle()
    assert not here.memory.holds("a")
    assert "n:a" not in redis.values
    assert here.memory.fresh("b") == "value"


async def test_a_no_to_one_of_a_list_ends_that_one_alone(
    worker: Any, control: Control, redis: MemoryRedis, clock: Clock
) -> None:
    here = worker()
    for key in ("a", "b", "c"):
        await here.get(key, control)
    clock.now += 0.7 * SOFT

    async def refused(known: bool) -> Aged[str]:
        raise PermissionError("revoked")

    control.value = "newer"
    assert [here.fresh(key, refused if key == "b" else control) for key in ("a", "b", "c")] == ["value"] * 3
    await settle()
    assert [here.memory.young(key) for key in ("a", "b", "c")] == ["newer", None, "newer"]
    assert not here.memory.holds("b")
    assert set(redis.values) == {"n:a", "n:c"}
