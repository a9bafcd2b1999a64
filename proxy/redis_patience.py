"""A deadline that a late event loop does not bring forward.

A loop runs the timers that are due before it reads what came meanwhile. One that was late for as long as a deadline,
by full load or a pause, so ends waits whose answers lie in its sockets, and takes a server for dead that is not. Here
the time is counted in slices, and each lasts at least one round of the loop. While the loop is in time nothing
differs. For short deadlines of small exchanges, such as those of `proxy/redis.py`; a deadline of many seconds does
not need it, and a caller's deadline is a promise that no load puts off.
"""

import asyncio
from types import TracebackType
from typing import Any, Final

SLICES: Final = 10
"""An exchange on an open connection takes two rounds or three; TCP, TLS and a greeting before it some six."""


class Patience:
    """`async with Patience(0.05):` raises TimeoutError when the time is over, as `asyncio.timeout` does."""

    __slots__ = ("_clock", "_left", "_loop", "_slice_s", "_timer")

    def __init__(self, seconds: float) -> None:
        self._slice_s, self._left = seconds / SLICES, SLICES
        self._loop = asyncio.get_running_loop()
        self._clock = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._clock.__aenter__()
        self._timer = self._loop.call_later(self._slice_s, self._slice_over)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._clock.__aexit__(kind, error, trace)

    def _slice_over(self) -> None:
        self._left -= 1
        if self._left:
            self._timer = self._loop.call_later(self._slice_s, self._slice_over)
        else:
            self._clock.reschedule(self._loop.time())


async def ends_within(run: "asyncio.Task[Any]", seconds: float) -> bool:
    """Whether a run ends within so many seconds of a loop that is in time; the run goes on in any case."""
    if seconds <= 0 or run.done():
        return run.done()
    try:
        async with Patience(seconds):
            _ = await asyncio.wait((run,))
    except TimeoutError:
        return run.done()
    return True
