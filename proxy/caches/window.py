"""A short while in which those who can wait come together, so that what they ask can be asked at once.

`two_ages.py` lets refreshes through it, which no call waits for. What is left out: asking, which `in_lists.py` does.
"""

import asyncio


class Window:
    """Opens with the first who comes, and lets all go on after so many seconds, or as soon as they are `most`.

    With 0 seconds nobody waits.
    """

    def __init__(self, seconds: float = 0.0, most: int = 100) -> None:
        self._seconds, self._most = seconds, most
        self._closed: asyncio.Event | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = 0

    async def turn(self) -> None:
        """Wait for the others, if there is a window at all."""
        if self._seconds <= 0:
            return
        if self._closed is None:
            self._closed = asyncio.Event()
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.hurry)
        closed = self._closed
        self._waiting += 1
        if self._waiting == self._most:
            _ = asyncio.get_running_loop().call_soon(self.hurry)  # this one goes on with the others, not before them
        _ = await closed.wait()

    def hurry(self) -> None:
        """Let those who wait go on now: somebody waits for one of them."""
        if self._closed is None or self._timer is None:
            return
        self._timer.cancel()
        self._closed.set()
        self._closed = self._timer = None
        self._waiting = 0
