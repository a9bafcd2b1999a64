"""Parts of pages that follow what happens: event streams, of which one replica keeps a bounded number open.

    live = LiveParts()
    return await live.follow(visit, look)        # `look` says each second how the part is now

Each event is the part as it is now, by the page's own template, so that the page's script decides nothing. A stream
ends with an event `done`, with its person's session, or after some minutes, when the browser opens another. Called by
`first_call.py` and by the page of an installation. The script's side is `follow` of `static/console.js`.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from control.console.visit import Visit
from control.http.problems import Problem
from control.public.answering import stays_open
from control.public.visitor import still_holds
from control.store.pool import StoreUnavailable

MOST_OPEN: Final = 200
"""Streams of one kind that one replica keeps open. A page without one asks again after some seconds."""
MOST_OF_ONE: Final = 10
"""Of these of one person, who would else take them from everybody."""
LONGEST_S: Final = 600.0
PAUSE_S: Final = 1.0
COMMENT_AFTER_S: Final = 10.0
"""Between two comments, which keep the connection in use. Our own proxies cut off what is silent for 30 seconds, and
a round may take longer than its pause."""
_WRITE_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """A part as it is at one moment."""

    state: object
    """What it shows; it is sent again when this is another than before."""
    text: Callable[[], str]
    """Renders it."""
    done: bool
    """Whether nothing more will happen to it."""


class LiveParts:
    """The streams of one kind that one replica keeps open."""

    def __init__(self, pause_s: float = PAUSE_S, longest_s: float = LONGEST_S, most: int = MOST_OPEN) -> None:
        self._pause_s, self._longest_s, self._most = pause_s, longest_s, most
        self._open: Counter[str] = Counter()
        """By person."""

    async def follow(self, visit: Visit, look: Callable[[], Awaitable[Look]]) -> web.StreamResponse:
        """Answer with a stream that says what `look` sees, until it is done or the time is over."""
        person = visit.caller.user_id
        if self._open.total() >= self._most or self._open[person] >= MOST_OF_ONE:
            raise Problem(503, "Too many pages wait; this one asks again.", headers={"Retry-After": "10"})
        self._open[person] += 1
        try:
            return await self._told(visit, look)
        finally:
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]

    async def _told(self, visit: Visit, look: Callable[[], Awaitable[Look]]) -> web.StreamResponse:
        stays_open(visit.request)
        answer = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        await answer.prepare(visit.request)
        try:
            async with asyncio.timeout(self._longest_s):
                await self._follow(visit, answer, look)
        except (TimeoutError, StoreUnavailable, ConnectionError):
            pass  # the browser opens another stream by itself
        return answer

    async def _follow(self, visit: Visit, answer: web.StreamResponse, look: Callable[[], Awaitable[Look]]) -> None:
        clock = asyncio.get_running_loop().time
        before, told = await look(), clock()
        await _send(answer, _event(before.text()))
        while not before.done:
            await asyncio.sleep(self._pause_s)
            if not await still_holds(visit.deps, visit.visitor):
                return  # within a second of the end of their session
            if clock() - told >= COMMENT_AFTER_S:
                told = clock()
                await _send(answer, ": still here\n\n")
            now = await look()
            if now.state != before.state:
                await _send(answer, _event(now.text()))
            before = now
        await _send(answer, "event: done\ndata: done\n\n")


async def _send(answer: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(_WRITE_WITHIN_S):
        await answer.write(text.encode())


def _event(text: str) -> str:
    lines = "\n".join(f"data: {line}" for line in text.splitlines() if line.strip())
    return f"event: part\n{lines}\n\n"
