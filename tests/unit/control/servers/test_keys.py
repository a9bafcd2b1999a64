from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from control.servers.keys import LAST_AGAIN_S, Keys
from tests.plugins.moved_clock import MovedClock


@pytest.fixture
def keys() -> Keys:
    return Keys()


async def is_offered(keys: Keys) -> bool:
    """Whether there is a key to take now, given the loop two rounds for its timers."""
    for _ in range(3):
        await asyncio.sleep(0)
    return len(keys) > 0


async def test_a_key_that_comes_often_is_worked_on_once(keys: Keys) -> None:
    for name in ("a", "b", "a", "a"):
        keys.add(name)
    assert [await keys.take(), await keys.take()] == ["a", "b"]
    keys.done("a")
    keys.done("b")
    assert not await is_offered(keys)


async def test_who_waits_is_given_the_key_that_comes(keys: Keys) -> None:
    waiting = asyncio.get_running_loop().create_task(keys.take())
    await asyncio.sleep(0)
    keys.add("a")
    assert await waiting == "a"


async def test_a_key_that_comes_while_it_is_worked_on_has_no_second_worker_and_comes_again(
    keys: Keys, clock: MovedClock
) -> None:
    keys.add("a")
    await keys.take()
    keys.add("a")
    keys.add("b")
    assert await keys.take() == "b"
    keys.done("b")
    assert len(keys) == 1
    keys.done("a")
    clock.pass_by(1.1)
    assert await keys.take() == "a"


async def test_a_key_is_tried_at_most_once_a_second(keys: Keys, clock: MovedClock) -> None:
    keys.add("a")
    await keys.take()
    keys.done("a")
    keys.add("a")
    assert not await is_offered(keys)
    clock.pass_by(1.1)
    assert await keys.take() == "a"


async def test_a_key_that_fails_waits_longer_each_time_up_to_five_minutes(keys: Keys, clock: MovedClock) -> None:
    keys.add("a")
    pauses = []
    for _ in range(12):
        await keys.take()
        pauses.append(keys.failed("a"))
        clock.pass_by(pauses[-1] + 0.1)
    assert 1 <= pauses[0] <= 1.25
    assert all(after > before for before, after in pairwise(pauses[:8]))
    assert all(LAST_AGAIN_S <= pause <= 1.25 * LAST_AGAIN_S for pause in pauses[9:])


async def test_a_key_that_fails_is_not_tried_earlier_because_something_woke_it(keys: Keys, clock: MovedClock) -> None:
    keys.add("a")
    for _ in range(4):
        await keys.take()
        clock.pass_by(keys.failed("a") + 0.1)
    await keys.take()
    keys.failed("a")
    keys.add("a")
    clock.pass_by(2)
    assert not await is_offered(keys)


@pytest.mark.parametrize("when", ["while it waits", "while it is worked on"])
async def test_a_key_of_which_something_else_is_wanted_waits_no_longer(
    when: str, keys: Keys, clock: MovedClock
) -> None:
    keys.add("a")
    for _ in range(6):
        await keys.take()
        clock.pass_by(keys.failed("a") + 0.1)
    await keys.take()
    if when == "while it waits":
        keys.failed("a")
        keys.add("a", changed=True)
    else:
        keys.add("a", changed=True)
        keys.failed("a")
    clock.pass_by(1.3)
    assert await keys.take() == "a"


async def test_a_key_that_went_well_begins_again_with_a_short_pause(keys: Keys, clock: MovedClock) -> None:
    keys.add("a")
    for _ in range(5):
        await keys.take()
        clock.pass_by(keys.failed("a") + 0.1)
    await keys.take()
    keys.done("a")
    keys.add("a")
    clock.pass_by(1.1)
    await keys.take()
    assert keys.failed("a") <= 1.25


async def test_nothing_is_remembered_of_a_key_that_is_done(keys: Keys, clock: MovedClock) -> None:
    keys.add("a")
    await keys.take()
    keys.done("a")
    clock.pass_by(1.1)
    assert not await is_offered(keys)
    assert not keys._known
