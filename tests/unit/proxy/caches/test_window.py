from __future__ import annotations

import asyncio

from core.tasks import Tasks
from proxy.caches.window import Window

LONG = 3600.0


async def begun(tasks: Tasks, window: Window, number: int) -> list[asyncio.Task[None]]:
    begun = [tasks.spawn("one", window.turn()) for _ in range(number)]
    await asyncio.sleep(0)
    return begun


async def test_without_a_length_nobody_waits(tasks: Tasks) -> None:
    window = Window()
    assert all(task.done() for task in await begun(tasks, window, 3))


async def test_all_go_on_when_the_time_is_over(tasks: Tasks) -> None:
    waiting = await begun(tasks, Window(0.01), 3)
    assert not any(task.done() for task in waiting)
    await asyncio.wait_for(asyncio.gather(*waiting), 30)


async def test_all_go_on_when_they_are_enough_and_the_next_begins_another(tasks: Tasks) -> None:
    window = Window(LONG, 3)
    waiting = await begun(tasks, window, 4)
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True, True, True, False]
    window.hurry()
    await asyncio.gather(*waiting)


async def test_one_who_is_waited_for_hurries_all(tasks: Tasks) -> None:
    window = Window(LONG)
    window.hurry()
    for _ in range(2):
        waiting = await begun(tasks, window, 2)
        assert not any(task.done() for task in waiting)
        window.hurry()
        await asyncio.gather(*waiting)


async def test_one_who_leaves_takes_nobody_along(tasks: Tasks) -> None:
    window = Window(LONG)
    leaving, staying = await begun(tasks, window, 2)
    leaving.cancel()
    await asyncio.sleep(0)
    assert not staying.done()
    window.hurry()
    await staying
    assert leaving.cancelled()
