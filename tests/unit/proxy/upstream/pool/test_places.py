"""Places: never more than allowed, none lost, and no one waits while there is one for them."""

import asyncio
import random

import pytest

from proxy.upstream.pool.connection import PoolConnection
from proxy.upstream.pool.head import KnownHeads
from proxy.upstream.pool.places import Places


class Closing:
    """Stands for the pool: a closed connection's place is free in the loop's next turn."""

    def give_back(self, connection: PoolConnection, idle_seconds: float) -> None:
        raise AssertionError("only the pool gives back")

    def finishing(self, connection: PoolConnection) -> None:
        raise AssertionError("never sent")

    def lost(self, connection: PoolConnection) -> None:
        raise AssertionError("never opened")


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(20))
async def test_no_history_of_comers_and_leavers_loses_or_adds_a_place(seed: int) -> None:
    chance = random.Random(seed)
    places, held = Places(5, 3), []
    waiting: list[asyncio.Task[None]] = []

    async def come(name: str) -> None:
        origin = places.origin(name)
        connection = await places.take(origin)
        held.append((origin, connection or PoolConnection(Closing(), origin, KnownHeads())))

    async with asyncio.TaskGroup() as tasks:
        for _ in range(400):
            step = chance.random()
            if step < 0.5:
                waiting.append(tasks.create_task(come(chance.choice("abc"))))
            elif step < 0.6 and waiting:
                chance.choice(waiting).cancel()
            elif held:
                origin, connection = held.pop(chance.randrange(len(held)))
                if step < 0.8 or not places.give(origin, connection):
                    places.free(origin)
            if chance.random() < 0.7:
                await turns()
            assert places.taken <= 5
        while held or any(not task.done() for task in waiting):
            await turns()
            for origin, _ in held:
                places.free(origin)
            held.clear()
    assert places.taken == 0
    assert [name for name in "abc" if places.known(name)] == []


async def test_a_place_goes_to_the_upstream_that_has_waited_longest_and_may_have_it() -> None:
    places, order = Places(2, 1), []
    first, second = places.origin("first"), places.origin("second")
    await places.take(first)
    await places.take(second)

    async def come(name: str) -> None:
        await places.take(places.origin(name))
        order.append(name)

    async with asyncio.TaskGroup() as tasks:
        for name in ("second", "third", "first"):
            tasks.create_task(come(name))
            await turns()
        places.free(first)  # "second" is at its own limit, so "third" is next
        await turns()
        assert order == ["third"]
        places.free(second)
        await turns()
        assert order == ["third", "second"]
        places.free(places.origin("third"))
        await turns()
    assert order == ["third", "second", "first"]
    assert places.taken == 2


async def test_everybody_who_waits_can_be_told_that_it_is_over() -> None:
    places = Places(1, 1)
    origin = places.origin("one")
    await places.take(origin)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(told(places))
        await turns()
        places.refuse_all(OSError("over"))
    assert waiting.done()
    places.free(origin)
    assert (places.taken, places.known("one")) == (0, None)


async def told(places: Places) -> None:
    with pytest.raises(OSError, match="over"):
        await places.take(places.origin("one"))
