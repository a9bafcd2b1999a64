"""Deadlines of a loop that is late."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import pytest
import uvloop

from proxy.redis_patience import Patience


@pytest.fixture(params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def new_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    factory: Callable[[], asyncio.AbstractEventLoop] = request.param
    return factory


def test_an_answer_that_came_while_the_loop_was_late_is_taken(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def scenario() -> None:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        with theirs:
            async with Patience(0.05):
                theirs.send(b"answer")
                asyncio.get_running_loop().call_soon(time.sleep, 0.2)  # as a full round does
                assert await reader.readexactly(6) == b"answer"
        writer.close()
        await writer.wait_closed()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(scenario())


async def test_each_slice_lasts_a_round_however_long_that_is() -> None:
    async with Patience(0.01):
        for _ in range(8):
            time.sleep(0.02)  # noqa: ASYNC251 - that is the point
            await asyncio.sleep(0)


async def test_what_does_not_come_is_given_up() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with Patience(0.05):
            await asyncio.Event().wait()
    assert time.monotonic() - began >= 0.045  # timers may be a millisecond early


async def test_errors_and_cancellation_pass() -> None:
    with pytest.raises(KeyError):
        async with Patience(5):
            raise KeyError
    task = asyncio.current_task()
    assert task is not None
    task.get_loop().call_soon(task.cancel)
    with pytest.raises(asyncio.CancelledError):
        async with Patience(5):
            await asyncio.Event().wait()
    task.uncancel()


async def test_nothing_is_left_of_one_that_was_in_time() -> None:
    async with Patience(0.02):
        pass
    await asyncio.sleep(0.05)  # else it would be cancelled here
