"""The answer to one request of the fast lane that has become an event stream: events, comments, and its end."""

import asyncio

from core.mcp.event_stream import COMMENT_KEEPALIVE, encode_event
from proxy.edge.answer_bytes import chunk
from proxy.edge.caller import Caller
from proxy.edge.writing import PIECE


class EventAnswer:
    """A stream that has begun. Its head goes before whatever is written first."""

    __slots__ = ("_caller", "_head", "_inside", "_over", "_sending")

    def __init__(self, caller: Caller, head: bytes) -> None:
        self._caller, self._head = caller, head
        self._sending = asyncio.Lock()
        """Held while an event is written."""
        self._inside = self._over = False
        """Whether an event is written in part, as a large one is for a while; and whether the end is written."""

    async def send(self, message: bytes) -> None:
        """One message as one event; waits while the caller is slow. Raises ConnectionError when it has left."""
        data = encode_event(message)
        async with self._sending:
            if self._over:
                return
            for start in range(0, len(data), PIECE):
                self._inside = start + PIECE < len(data)
                await self._caller.put_chunk(self._begun() + chunk(data[start : start + PIECE]))

    def keep_alive(self) -> None:
        """A comment; nothing while something else is not written or not read yet."""
        if not (self._over or self._inside or self._caller.full):
            self._caller.put(self._begun() + chunk(COMMENT_KEEPALIVE), b"")

    def end(self, last: bytes | None) -> None:
        """The last message, if there is one, and the clean end; a cut where an event was given up half-way."""
        self._over = True
        if self._inside:
            self._caller.cut()
            return
        if self._head:
            self._caller.put(self._begun(), b"")
        self._caller.end_stream(encode_event(last) if last is not None else b"")

    def _begun(self) -> bytes:
        head, self._head = self._head, b""
        return head
