"""The way back to a caller of the fast lane: whole answers, and event streams in chunks. It is the stages' `Outlet`.

One request is answered at a time, so one outlet serves a connection for its whole life.
"""

from typing import Final

from core.mcp.event_stream import encode_event
from proxy.deps import Deps
from proxy.edge.answer_bytes import LAST_CHUNK, AnswerHeads, chunk
from proxy.edge.answer_headers import own_headers
from proxy.edge.wire import Wire
from proxy.edge.writing import PIECE
from proxy.exchange import Answer, Exchange

_JSON: Final = "application/json"


class FastOutlet(Wire):
    """A wire that speaks HTTP/1.1 answers."""

    __slots__ = ("_answer_heads", "_closing", "_deps", "_x", "streaming")

    def __init__(self, deps: Deps, answer_heads: AnswerHeads) -> None:
        super().__init__(deps.settings.write_seconds)
        self._deps, self._answer_heads = deps, answer_heads
        self._x: Exchange | None = None
        """The request that is being answered; None once it was, or its caller has left."""
        self._closing = False
        """Whether the connection ends with the answer that is being made."""
        self.streaming = False

    def put_answer(self, x: Exchange, answer: Answer) -> bool:
        """Write a whole answer; False where it was not taken at once: then `all_put` follows."""
        if answer.close or self._deps.draining:
            self._closing = True
        origin = _origin(x)
        if answer.status == 200 and not (answer.headers or self._closing or origin) and answer.media_type == _JSON:
            head = self._answer_heads.usual(x.request_id, len(answer.body))
        else:
            own = own_headers(x.request_id, origin, self._deps.origins)
            head = self._answer_heads.of(answer, own, close=self._closing)
        return self.put(head, answer.body)

    def begin_stream(self, x: Exchange) -> bytes:
        """The head of an event stream, not written yet; from here on no whole answer can follow."""
        self.streaming = True
        if self._deps.draining:
            self._closing = True
        own = own_headers(x.request_id, _origin(x), self._deps.origins)
        return self._answer_heads.of_stream(own, close=self._closing)

    def put_end(self, last: bytes = b"") -> bool:
        """Write the end of a stream, after some last bytes of it; False as in `put_answer`."""
        return self.put(chunk(last) + LAST_CHUNK if last else LAST_CHUNK, b"")

    async def send_event(self, message: bytes) -> None:
        """One JSON-RPC message as one event; nothing once the caller has left, or has read nothing for too long."""
        x = self._x
        if self.gone or x is None:
            return
        data = encode_event(message)
        try:
            if not self.streaming:
                await self.put_chunk(self.begin_stream(x))
            for start in range(0, len(data), PIECE):
                await self.put_chunk(chunk(data[start : start + PIECE]))
        except ConnectionError:
            self.gone = True


def _origin(x: Exchange) -> str:
    return x.head.headers.get("origin", "") if x.head.headers is not None else ""
