from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from control.orchestrator.pace import Pace
from control.servers.runtime import RuntimeAway
from tests.plugins.moved_clock import MovedClock


async def test_no_more_calls_than_a_burst_are_made_after_an_hour_of_silence(clock: MovedClock) -> None:
    pace = Pace(per_second=10)
    await pace.wait(60)
    clock.pass_by(3_600)
    for _ in range(10):
        await pace.wait(0.05)
    taken = 0
    with suppress(RuntimeAway):
        for _ in range(10):
            await pace.wait(0.05)
            taken += 1
    assert taken < 10


async def test_a_call_whose_turn_comes_in_time_waits_for_it(clock: MovedClock) -> None:
    pace = Pace(per_second=100)
    pace.be_quiet(5)
    waiting = asyncio.get_running_loop().create_task(pace.wait(10))
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.pass_by(5.1)
    await waiting


async def test_no_call_is_made_while_the_api_wants_to_be_left_alone(clock: MovedClock) -> None:
    pace = Pace(per_second=100)
    pace.be_quiet(30)
    with pytest.raises(RuntimeAway, match="left alone for 30 s"):
        await pace.wait(10)
    clock.pass_by(31)
    await pace.wait(10)


async def test_a_shorter_silence_ends_no_longer_one(clock: MovedClock) -> None:
    pace = Pace(per_second=100)
    pace.be_quiet(30)
    pace.be_quiet(1)
    clock.pass_by(2)
    with pytest.raises(RuntimeAway):
        await pace.wait(10)
