"""The public listener's connections: aiohttp's, but what is not HTTP is refused as anything else is.

By itself aiohttp answers broken framing in plain text that repeats the bytes, writes an error with a traceback into
the log for each, and lets a header block drip in for as long as an idle connection may live. Here such a request
gets a JSON-RPC error, is counted, and is logged within `RefusalLog`; a header block has a deadline of its own.
"""

import asyncio
import logging
from typing import Any

import orjson
from aiohttp import web

from core.identifiers import new_id
from core.mcp.faults import INTERNAL_ERROR, error_message
from proxy.deps import Deps
from proxy.edge.answer_headers import unjudged_headers
from proxy.edge.unjudged import BROKEN, refused_body, slow_header_answer
from proxy.refusals import Refusal

log = logging.getLogger(__name__)
Lane = Any
"""What aiohttp calls a handler: a callable from `web.BaseRequest` to a response."""


class Listener(web.Server):
    """`web.Server` whose connections are `Connection`s. A caller that leaves cancels what runs for it."""

    def __init__(self, lane: Lane, deps: Deps, **limits: Any) -> None:
        super().__init__(lane, handler_cancellation=True, **limits)
        self._deps, self._limits = deps, limits

    @property
    def open_connections(self) -> int:
        """How many callers are connected."""
        return len(self._connections)

    async def shutdown(self, timeout: float | None = None) -> None:
        """Cut what is left: idle connections at once, thousands in one go; the others get aiohttp's time."""
        for connection in self.connections:
            if isinstance(connection, Connection) and connection.awaits_a_request():
                connection.force_close()
        await asyncio.sleep(0)  # their transports end in the loop's next round
        await super().shutdown(timeout)

    def __call__(self) -> "Connection":
        """The protocol of a new connection."""
        return Connection(self, self._deps, loop=asyncio.get_running_loop(), **self._limits)


class Connection(web.RequestHandler):
    """One connection of aiohttp's, whose refusals are ours and whose header block has a deadline."""

    __slots__ = ("_deps", "_header_clock", "_header_seconds", "handed_over")

    def __init__(self, server: web.Server, deps: Deps, **more: Any) -> None:
        super().__init__(server, **more)
        self._deps = deps
        self._header_clock: asyncio.TimerHandle | None = None
        self._header_seconds = deps.settings.header_seconds
        self.handed_over = False
        """Whether it is here for one request of the fast lane's: then the answer is its last."""

    def adopt(self, transport: asyncio.Transport, data: bytes, header_seconds: float, *, stays: bool = False) -> None:
        """Go on with a connection of the fast lane, from the first byte of a request that is not for that lane.

        `header_seconds` is what the header block has left of its time. Nothing of another protocol may be unsent.
        A caller whose bytes drip in `stays`: it would be handed over again for its next request.
        """
        self.handed_over, self._header_seconds = not stays, header_seconds
        transport.set_protocol(self)
        self.connection_made(transport)
        self.data_received(data)
        if not self._messages and self._header_clock is None:  # aiohttp's task, which awaits it, has not run yet
            self._start_clock()

    def data_received(self, data: bytes) -> None:
        """Bytes came: if they leave a header block unfinished, its time runs from the first of them."""
        super().data_received(data)
        if not self.awaits_a_request():
            self._stop_clock()
        elif data and self._header_clock is None:
            self._start_clock()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The caller, or we, have hung up."""
        self._stop_clock()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what aiohttp could not parse (400), or to a bug beneath the lane (500)."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; no other can follow")
        request_id = new_id()
        if status == 400:
            refusal = Refusal("framing", what=BROKEN, detail=type(exc).__name__)
            body = refused_body(self._deps, self._address(), refusal, request_id)
        else:
            log.error("a connection failed inside", exc_info=exc, extra={"request_id": request_id})
            status = 500
            body = orjson.dumps(error_message(None, INTERNAL_ERROR, "Internal error.", {"request_id": request_id}))
        answer = web.Response(status=status, body=body, headers=unjudged_headers(request_id))
        answer.force_close()
        return answer

    def awaits_a_request(self) -> bool:
        """Whether nothing is being answered here."""
        return self._waiter is not None and not self._waiter.done()

    def _start_clock(self) -> None:
        named, loop = self._deps.settings.header_seconds, asyncio.get_running_loop()
        self._header_clock = loop.call_later(self._header_seconds, self._too_slow, named)

    def _stop_clock(self) -> None:
        if self._header_clock is not None:
            self._header_clock.cancel()
            self._header_clock = None
            self._header_seconds = self._deps.settings.header_seconds  # the next block has all of its time

    def _too_slow(self, seconds: float) -> None:
        self._header_clock = None
        if self.transport is None or not self.awaits_a_request():
            return
        self.transport.write(slow_header_answer(self._deps, self._address(), seconds))
        self.force_close()

    def _address(self) -> str:
        peer = self.peername
        return str(peer[0]) if isinstance(peer, tuple) else ""
