"""Looking after the GET streams of the fast lane: one task for all of them, and nothing of the request is kept.

Each stream is looked at about every second, a few at a time, so that ten thousand of them never hold up a call. The
rules are those of `get_stream.py`: comments, the session, the gateway, the token. Called by `FastConnection`.
"""

import asyncio
import random
from typing import TYPE_CHECKING, Final

from core.resolve import Principal
from proxy.deps import Deps
from proxy.edge.get_stream import KEEPALIVE_S, LOOK_S, still_good, still_known
from proxy.exchange import Exchange
from proxy.listening.drain import GOODBYE, goodbye_after, look_within
from proxy.sessions.sealed import Session

if TYPE_CHECKING:
    from proxy.edge.fast_connection import FastConnection

_PARTS: Final = 20
"""Into how many portions a round over all streams is divided."""


class HeldStream:
    """What must be known of a stream while it is open."""

    __slots__ = ("address", "asking", "due", "gateway_name", "goodbye", "principal", "session", "token_digest")

    def __init__(self, x: Exchange, due: float) -> None:
        assert x.session is not None
        self.gateway_name, self.address, self.token_digest = x.gateway_name, x.address, x.token_digest
        self.principal: Principal | None = x.principal
        self.session: Session | None = x.session
        self.due = due
        """When the next comment is."""
        self.goodbye = 0.0
        """When it ends, where the worker drains."""
        self.asking = False


class StreamSweep:
    """The open GET streams of one worker."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._streams: dict[FastConnection, HeldStream] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, connection: "FastConnection", x: Exchange) -> None:
        """A stream has begun."""
        self._streams[connection] = HeldStream(x, _next_comment())
        if self._task is None:
            self._task = self._deps.calls.serve(self._sweep())

    def drop(self, connection: "FastConnection") -> None:
        """Its caller has left."""
        stream = self._streams.pop(connection, None)
        if stream is not None and stream.session is not None:
            self._deps.streams.close(stream.session.jti)

    def __len__(self) -> int:
        return len(self._streams)

    async def _sweep(self) -> None:
        """Round after round while there are streams."""
        look_s = look_within(self._deps.settings.grace_seconds, LOOK_S)
        try:
            while self._streams:
                everyone = list(self._streams)
                portion = -(-len(everyone) // _PARTS)
                for start in range(0, portion * _PARTS, portion):
                    await asyncio.sleep(look_s / _PARTS)
                    for connection in everyone[start : start + portion]:
                        self._look(connection)
        finally:
            self._task = None

    def _look(self, connection: "FastConnection") -> None:
        stream = self._streams.get(connection)
        if stream is None or stream.asking:
            return
        deps = self._deps
        now = asyncio.get_running_loop().time()
        if deps.draining and not stream.goodbye:
            stream.goodbye = now + goodbye_after(deps.settings.grace_seconds)
        if deps.draining and now >= stream.goodbye:
            self._end(connection, GOODBYE)
            return
        if not still_good(stream, deps):
            self._end(connection)
            return
        comment = now >= stream.due
        if not comment and deps.authority.remembers(stream.token_digest):
            return
        verdict = deps.authority.known(stream.token_digest)
        if verdict is None:
            stream.asking = True
            _ = deps.calls.serve(self._ask(connection, stream, comment=comment))
            return
        stream.principal = verdict.principal  # who has left a team since may not see the gateway any more
        self._go_on(connection, stream, comment=comment)

    async def _ask(self, connection: "FastConnection", stream: HeldStream, *, comment: bool) -> None:
        known = await still_known(stream, self._deps)
        stream.asking = False
        if connection not in self._streams:
            return
        if known:
            self._go_on(connection, stream, comment=comment)
        else:
            self._end(connection)

    def _go_on(self, connection: "FastConnection", stream: HeldStream, *, comment: bool) -> None:
        if stream.principal is None:
            self._end(connection)
        elif comment:
            stream.due = _next_comment()
            connection.comment()

    def _end(self, connection: "FastConnection", last: bytes = b"") -> None:
        self.drop(connection)
        connection.end_stream(last)


def _next_comment() -> float:
    """Spread, so that many streams do not speak at once."""
    return asyncio.get_running_loop().time() + random.uniform(0.7, 1.0) * KEEPALIVE_S  # noqa: S311 - no secret
