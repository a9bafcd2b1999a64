"""The GET stream of a legacy session: which may begin, and how a lane holds one that has a task for each.

A stream is one per session. `StreamSweep` looks after it and says when it ends, in both lanes.
"""

import asyncio
from collections.abc import Awaitable, Callable

from core.mcp.event_stream import COMMENT_KEEPALIVE
from core.mcp.versions import MODERN
from proxy.deps import Deps
from proxy.edge.stream_sweep import StreamSweep, place_of
from proxy.exchange import Exchange
from proxy.refusals import Refusal

Send = Callable[[bytes], Awaitable[None]]
_MOST_UNREAD = 100
"""Pieces that wait for a task which writes to a slow caller."""


def take_place(x: Exchange, deps: Deps) -> str:
    """The session's place among the streams, by its jti. Refuses 400, 405 (modern), 406, 409 and 503."""
    if x.headers.get("mcp-protocol-version", "").strip() == MODERN:
        raise Refusal("method_not_allowed", method="GET")
    if "text/event-stream" not in x.headers.get("accept", "") and "*/*" not in x.headers.get("accept", ""):
        raise Refusal("not_acceptable", wanted="text/event-stream")
    if x.session is None:
        raise Refusal("session_missing")
    if x.session.jti in deps.streams:
        raise Refusal("stream_open")
    if not deps.streams.open(x.session.jti, x.caller.key, deps.settings.streams):
        raise Refusal("overloaded", retry_after=30)
    return x.session.jti


def take_listening_place(x: Exchange, deps: Deps) -> str:
    """The place of a modern caller's stream. Refuses `overloaded`."""
    place = place_of(x)
    if not deps.streams.open(place, x.caller.key, deps.settings.streams):
        raise Refusal("overloaded", retry_after=30)
    return place


class TaskStream:
    """A GET stream whose own task writes what the sweep says."""

    def __init__(self) -> None:
        self._said: asyncio.Queue[bytes | None] = asyncio.Queue()

    def say(self, piece: bytes) -> None:
        """Send a piece of the stream; one that comes behind so many unread ones is left out."""
        if self._said.qsize() < _MOST_UNREAD:
            self._said.put_nowait(piece)

    def end_stream(self, last: bytes) -> None:
        """Send the last bytes, if there are any, and no more."""
        if last:
            self._said.put_nowait(last)
        self._said.put_nowait(None)

    async def said(self) -> bytes | None:
        """What to send next, after waiting for it; None at the end."""
        return await self._said.get()


async def hold_stream(
    x: Exchange, deps: Deps, sweep: StreamSweep, send: Send, first: bytes = COMMENT_KEEPALIVE
) -> None:
    """Hold a stream until it has ended, or its caller has left. Refuses as `take_place` does for its kind."""
    if x.subscription is None:
        take_place(x, deps)
    else:
        take_listening_place(x, deps)
    stream = TaskStream()
    sweep.add(stream, x)
    try:
        piece: bytes | None = first
        while piece is not None:
            await send(piece)
            if x.outlet.gone:
                return
            piece = await stream.said()
    finally:
        sweep.drop(stream)
