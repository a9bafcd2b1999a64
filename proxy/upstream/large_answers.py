"""Large answers take turns, beside the event loop: thirty of them at once hold nobody else's call up.

To read an answer of 15 MiB and to write it again takes some 0.2 s, in pieces of at most some 50 ms that let nothing
else run. On the loop, one after the other as they come, thirty would stop every other call of the worker for seconds.
So it is done by one thread, for one answer at a time: between the pieces the loop goes on, and large answers wait for
each other. `conversation.py` reads here, the stage `relay` writes. What is short, and what is not long
and plain (`answers.ON_LOOP`), is read at once instead.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
Hold = Callable[[int], None]
"""Takes room for so many bytes of a large answer, in place of what it took before. Raises Refusal for want of it."""


class LargeAnswers:
    """The turns of one worker's large answers, with a thread of their own, which `close` gives up.

    Whoever waits brings a deadline: to read, that of the call; to write, the one of the stage `relay`.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="large-answers")
        self._taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return self._taken + len(self._waiting)

    async def in_turn(self, work: Callable[[], T], *, next_in: bool = False) -> T:
        """The result of `work`, done by a thread once it is its turn. It must touch nothing that belongs to the loop.

        `next_in`: before all that wait, for the second half of what had a turn: or all would be read and held before
        the first is answered.
        """
        await self._turn(next_in)
        loop = asyncio.get_running_loop()

        def done(_: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and with it all that waited
                loop.call_soon_threadsafe(self._next)

        try:
            doing = self._thread.submit(work)
        except RuntimeError:  # closed
            self._next()
            raise
        # With the work, not with who waits: one that gave up leaves the thread busy.
        doing.add_done_callback(done)
        return await asyncio.wrap_future(doing)

    def close(self) -> None:
        """Give the thread up: what it is at ends by itself, and no more is taken."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, next_in: bool) -> None:
        if not self._taken:
            self._taken = True
            return
        mine = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if next_in else self._waiting.append)(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._next()  # it had come just now
            elif mine in self._waiting:
                self._waiting.remove(mine)
            raise

    def _next(self) -> None:
        while self._waiting:
            mine = self._waiting.popleft()
            if not mine.done():
                mine.set_result(None)
                return
        self._taken = False


class Turns:
    """The turns of one call. What waits for its turn counts from there on as held for the call's caller."""

    def __init__(self, large: LargeAnswers, hold: Hold) -> None:
        self._large, self._hold = large, hold

    async def read(self, read_it: Callable[[bytes], T], raw: bytes) -> T:
        """A large answer as it was read. Raises Refusal where its caller has no room for it."""
        self._hold(len(raw))
        return await self._large.in_turn(lambda: read_it(raw))
