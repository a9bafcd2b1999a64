from __future__ import annotations

import asyncio

import pytest

from core.rooms import Rooms
from core.tasks import Tasks


async def stay(rooms: Rooms, name: str) -> None:
    async with rooms.place(name):
        await asyncio.sleep(0)


async def test_one_room_that_is_full_holds_up_nobody_in_another() -> None:
    rooms = Rooms(1)
    async with rooms.place("a"):
        tasks = Tasks("test")
        waiting = tasks.spawn("waits", stay(rooms, "a"))
        async with rooms.place("b"):
            assert not waiting.done()
            assert len(rooms) == 2
        await tasks.close()
        assert len(rooms) == 1


async def test_a_room_that_nobody_is_in_is_forgotten() -> None:
    rooms = Rooms(2)
    async with rooms.place("a"), rooms.place("a"):
        assert len(rooms) == 1
    assert len(rooms) == 0


async def test_who_waits_gets_the_place_of_who_leaves() -> None:
    rooms, order = Rooms(1), []

    async def noted(name: str) -> None:
        async with rooms.place("a"):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(noted("first"), noted("second"), noted("third"))
    assert order == ["first", "second", "third"]


async def test_who_waits_for_a_place_in_vain_leaves_none_behind() -> None:
    rooms = Rooms(1)
    async with rooms.place("a"):
        with pytest.raises(TimeoutError):
            async with rooms.place("a", within=0.0):
                raise AssertionError("there is no second place")
        assert len(rooms) == 1
    assert len(rooms) == 0


async def test_what_takes_long_inside_is_not_ended_by_how_long_a_place_was_waited_for() -> None:
    rooms = Rooms(1)
    async with rooms.place("a", within=0.001):
        await asyncio.sleep(0.01)
    assert len(rooms) == 0
