"""What a request of the fast lane knows of the connection on which it came. `FastConnection` is one."""

from typing import Protocol

from core.mcp.event_stream import COMMENT_KEEPALIVE
from proxy.edge.request_reader import RequestReader
from proxy.exchange import Exchange


class Caller(Protocol):
    """The connection on which a request came, as far as the request knows it."""

    reader: RequestReader

    @property
    def full(self) -> bool:
        """Whether enough was written that is not read."""

    def without_deadline(self) -> None:
        """Nothing is waited for."""

    def until(self, when: float) -> None:
        """`ServedRequest.body_is_late` is called then, by the loop's clock."""

    def resume_reading(self) -> None:
        """Bytes are wanted."""

    def put(self, head: bytes, body: bytes) -> bool:
        """Write an answer; whether it was taken at once."""

    async def put_chunk(self, data: bytes) -> None:
        """Write a piece of a stream and wait while the caller is slow. Raises ConnectionError when it has left."""

    def written(self, *, at_once: bool) -> None:
        """All of the answer was written, and was taken or will be."""

    def end_stream(self, last: bytes = b"") -> None:
        """Write the end of a stream, after some last bytes of it."""

    def hold_stream(self, x: Exchange, head: bytes, first: bytes = COMMENT_KEEPALIVE) -> None:
        """Write the beginning of a stream that stays open, and drop the request."""

    def cut(self) -> None:
        """End the connection at once, whatever is unsent."""
