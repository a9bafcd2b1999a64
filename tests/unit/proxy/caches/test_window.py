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


async def test_all_go_on_together_when_they_are_enough(tasks: Tasks) -> None:
    window, round_of = Window(LONG, 3), list[int]()

    async def one() -> None:
        await window.turn()
        round_of.append(rounds)

    rounds = 0
    waiting = [tasks.spawn("one", one()) for _ in range(4)]
    while not all(task.done() for task in waiting):
        await asyncio.sleep(0)
        rounds += 1
    assert len(set(round_of)) == 1, "none goes on before the others"
    late = await begun(tasks, window, 2)
    await asyncio.sleep(0)
    assert not any(task.done() for task in late)
    window.hurry()
    await asyncio.gather(*late)


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
