"""The light of Connect: an event stream that says when a client has called the gateway.

Each event is the light as it is now, by the page's own template (`templates/connect/light.html`), so that the page's
script decides nothing. A replica looks into the records once a second for each open page, of which it takes a
bounded number, of one person a few; a stream ends after some minutes, and the browser opens another.
"""

import asyncio
from collections import Counter
from typing import Final

from aiohttp import web

from control.console.last_call import LastCall, last_call
from control.console.rendering import page_text
from control.console.shown_gateways import named
from control.console.visit import Visit
from control.http.problems import Problem
from control.public.answering import stays_open
from control.public.visitor import still_holds
from control.store.pool import StoreUnavailable, transaction

MOST_OPEN: Final = 200
"""Streams that one replica keeps open. A page without one asks again after some seconds."""
MOST_OF_ONE: Final = 10
"""Of these of one person, who would else take them from everybody."""
AFTER: Final = "after"
"""Names the call that there was when a token was made: the page then waits for one with that token."""
LONGEST_S: Final = 600.0
PAUSE_S: Final = 1.0
COMMENT_AFTER_S: Final = 10.0
"""Between two comments, which keep the connection in use. Our own proxies cut off what is silent for 30 seconds, and
a round may take longer than its pause."""
_WRITE_WITHIN_S: Final = 10.0


class OpenLights:
    """The lights that one replica keeps up: a stream for each open page that waits for a gateway's first call."""

    def __init__(self, pause_s: float = PAUSE_S, longest_s: float = LONGEST_S, most: int = MOST_OPEN) -> None:
        self._pause_s, self._longest_s, self._most = pause_s, longest_s, most
        self._open: Counter[str] = Counter()
        """By person."""

    async def follow(self, visit: Visit) -> web.StreamResponse:
        """Answer with a stream, until there is a call that went well, or the time is over."""
        person = visit.caller.user_id
        if self._open.total() >= self._most or self._open[person] >= MOST_OF_ONE:
            raise Problem(503, "Too many pages wait for a call; this one asks again.", headers={"Retry-After": "10"})
        async with transaction(visit.pool, readonly=True) as connection:
            shown = await named(connection, visit.caller, visit.deps.public_url, visit.named("gateway"))
        self._open[person] += 1
        try:
            return await self._told(visit, shown.gateway.id)
        finally:
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]

    async def _told(self, visit: Visit, gateway_id: str) -> web.StreamResponse:
        stays_open(visit.request)
        answer = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        await answer.prepare(visit.request)
        try:
            async with asyncio.timeout(self._longest_s):
                await self._follow(visit, answer, gateway_id)
        except (TimeoutError, StoreUnavailable, ConnectionError):
            pass  # the browser opens another stream by itself
        return answer

    async def _follow(self, visit: Visit, answer: web.StreamResponse, gateway_id: str) -> None:
        clock = asyncio.get_running_loop().time
        before, told = await self._last(visit, gateway_id), clock()
        await self._send(answer, _event(visit, before))
        while before is None or not before.well:
            await asyncio.sleep(self._pause_s)
            if not await still_holds(visit.deps, visit.visitor):
                return  # within a second of the end of their session
            if clock() - told >= COMMENT_AFTER_S:
                told = clock()
                await self._send(answer, ": still here\n\n")
            now = await self._last(visit, gateway_id)
            if now is not None and (before is None or now.id != before.id):
                before = now
                await self._send(answer, _event(visit, now))
        await self._send(answer, "event: done\ndata: done\n\n")

    async def _last(self, visit: Visit, gateway_id: str) -> LastCall | None:
        async with transaction(visit.pool, readonly=True) as connection:
            found = await last_call(connection, visit.caller, gateway_id)
        return None if found is not None and found.id == visit.request.query.get(AFTER) else found

    async def _send(self, answer: web.StreamResponse, text: str) -> None:
        async with asyncio.timeout(_WRITE_WITHIN_S):
            await answer.write(text.encode())


def _event(visit: Visit, call: LastCall | None) -> str:
    text = page_text(visit.request, "connect/light.html", call=call)
    lines = "\n".join(f"data: {line}" for line in text.splitlines() if line.strip())
    return f"event: part\n{lines}\n\n"
