"""An answer of the pool as its caller waits for it: for all of it, for the next bytes, or until there is enough.

`connection.py` makes one for each request and wakes it when bytes came. When the request is over it lets go of all
that it holds, at once: the parser of chunks and a fault that was raised know the answer, and would keep a body of
megabytes until the garbage collector comes. What is left out: reading the bytes (`answer.py`).
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from core.egress.faults import UpstreamFault
from proxy.upstream.pool.answer import ReceivedAnswer
from proxy.upstream.pool.head import KnownHeads, ReceivedHead

READ_AHEAD_BYTES = 64 * 1024
"""More than this is not read from the socket before the caller has fetched what is there."""
_NO_MORE = frozenset({b"", b"\n"})  # an event that ended with CR may have ended with CR and LF
_REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})


class Line(Protocol):
    """The connection that the answer comes on."""

    def settle(self, idle_seconds: float) -> None:
        """The request is over; with 0 seconds the connection is too."""

    def finish(self) -> None:
        """The caller has left; the answer's end may still come."""

    def read_on(self) -> None:
        """Read from the socket again, where reading was paused."""


class PoolAnswer(ReceivedAnswer):
    """An answer as its caller reads it, while it comes."""

    __slots__ = (
        "_all_read",
        "_connection",
        "_enough",
        "_patience",
        "_ready",
        "_settled",
        "_spoilt",
        "_waiter",
        "fault",
    )

    def __init__(self, connection: Line, heads: KnownHeads) -> None:
        super().__init__(heads)
        self._connection = connection
        self._waiter: asyncio.Future[None] | None = None
        self._ready: Callable[[], None] | None = None
        self._enough: Callable[[], bool] | None = None
        self.fault: UpstreamFault | None = None
        """Why no more will come."""
        self._patience = -1
        """Bytes of the body for which the caller need not be woken."""
        self._all_read: bool | None = None
        """Whether a caller that may leave a stream early has all of its content; None where the end is waited for."""
        self._spoilt = self._settled = False

    def when_ready(self, cap_bytes: int, ready: Callable[[], None], enough: Callable[[], bool]) -> None:
        """Call `ready`, once, when the answer is a whole success of at most `cap_bytes`, or cannot become one.

        The second is so where there is a `fault`, no success, or too large a body: then the answer goes on with
        `next_chunk` or `read_capped`. Of a stream there may be `enough` before its end.
        """
        self._patience, self._ready, self._enough = cap_bytes, ready, enough

    def go_on_now(self) -> None:
        """Have the caller go on that waits in `when_ready`, if one does: it reads the answer as it comes."""
        ready, self._ready, self._enough = self._ready, None, None
        self._patience = -1
        if ready is not None:
            ready()

    @property
    def is_whole(self) -> bool:
        """Whether it is a success in one piece, and all there."""
        head = self.head
        return self.complete and head is not None and head.plain and self.buffered <= self._patience

    async def begun(self) -> None:
        """Wait for status and headers. Raises UpstreamFault."""
        while not self.status:
            await self._news()

    async def next_chunk(self) -> bytes:
        """The next bytes of the body as they come, b"" at its end. Raises UpstreamFault."""
        self._patience = 0
        while not self.buffered and not self.complete:
            await self._news()
        return self._fetched()

    async def read_capped(self, cap_bytes: int) -> bytes:
        """The whole body if it has at most `cap_bytes`, else UpstreamFault("too_large"), before more is read."""
        if (self.content_length or 0) <= cap_bytes:
            self._patience = cap_bytes
            while not self.complete and self.buffered <= cap_bytes:
                self._connection.read_on()
                await self._news()
            if self.buffered <= cap_bytes:
                return self._fetched()
        detail = f"the body is larger than {cap_bytes} bytes"
        raise UpstreamFault("too_large", sent=True, detail=detail, figure=cap_bytes)

    def never_reuse(self) -> None:
        """Close the connection at the end of the request, for a caller that found something wrong."""
        self._spoilt = True

    def may_be_left(self, *, all_read: bool) -> None:
        """Say whether a caller that ends the request now has all content; the body's end may follow soon after."""
        self._all_read = all_read

    def settle(self, *, sound: bool) -> None:
        """End of the request; `sound` is False after any fault. A redirect is one: nobody of ours expects it."""
        if self._settled:
            return  # the connection may be another request's by now
        self._settled = True
        self._ready = self._enough = None
        usable = sound and not self._spoilt and self._all_read is not False and self.status not in _REDIRECTS
        if self._all_read and usable:
            usable = self.fetch() in _NO_MORE
            if usable and not self.complete and self.fault is None and self.head and self.head.keeps:
                self._connection.finish()
                return
        self._end(self.idle_seconds if usable else 0.0)

    def wake(self) -> None:
        """Called by the connection when bytes came: wake the caller if there is what it waits for."""
        if self._ready is not None:
            self._judge_ready()
        elif self._settled:
            self._judge_end()
        elif self.status and (self.complete or self.buffered > self._patience):
            self._wake_reader()

    @property
    def ahead(self) -> bool:
        """Whether so much is buffered that reading should rest."""
        return self.buffered > max(READ_AHEAD_BYTES, self._patience)

    def fail(self, fault: UpstreamFault) -> None:
        """No more will come. What was buffered before can still be fetched, while the request goes on."""
        if self._settled:
            self.let_go()
        elif self.fault is None and not self.complete:
            self.fault = fault
            if self._ready is not None:
                self._judge_ready()
            else:
                self._wake_reader()

    def _wake_reader(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _judge_ready(self) -> None:
        head, ready = self.head, self._ready
        if self.fault is None and not self.complete and (head is None or self._may_become_whole(head)):
            return
        self._ready = self._enough = None
        assert ready is not None
        ready()

    def _may_become_whole(self, head: ReceivedHead) -> bool:
        if self.buffered > self._patience or (head.length or 0) > self._patience:
            return False
        return head.plain or (head.streams and self._enough is not None and not self._enough())

    def _judge_end(self) -> None:
        """More came of a stream that its caller has left: the end is awaited, and any content is too much."""
        no_more = self.fetch() in _NO_MORE
        if self.complete or not no_more:
            self._end(self.idle_seconds if no_more else 0.0)

    def _end(self, idle_seconds: float) -> None:
        self.let_go()
        self.fault = None
        self._connection.settle(idle_seconds)

    async def _news(self) -> None:
        if self.fault is not None:
            raise self.fault
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        try:
            await waiter
        finally:
            self._waiter = None

    def _fetched(self) -> bytes:
        body = self.fetch()
        self._connection.read_on()
        return body
