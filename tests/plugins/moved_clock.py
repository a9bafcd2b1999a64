"""A pytest plugin: a clock that a test moves on. Deadlines may be longer than any machine needs, and cost no waiting.

    async def test_something(rig, clock):
        call = tasks.create_task(rig.call("t"))   # with a deadline of 60 s
        await server.wait_for("tools/call")       # however long that takes here
        clock.pass_by(61)                         # now the deadline is over

`time.monotonic` is what moves, and with it the timers of every event loop of asyncio in this process, those of the
test's own servers and clients too. Other processes and `time.time` keep theirs.
"""

from __future__ import annotations

import time

import pytest


class MovedClock:
    """The true clock, and what the test has let pass on top of it."""

    def __init__(self) -> None:
        self._true = time.monotonic
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._true() + self._ahead

    def pass_by(self, seconds: float) -> None:
        """So many seconds are over at once. What is due strikes in the loop's next round."""
        self._ahead += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    """The clock of this test."""
    moved = MovedClock()
    monkeypatch.setattr(time, "monotonic", moved)
    return moved
