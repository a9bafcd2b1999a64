"""One connection to an upstream, and the answer that a caller reads from it.

`pool` opens connections, hands them out and takes them back. A connection carries one request at a time: bytes that
come while there is none end it. Where a caller left an event stream with its answer, that may end first. What is left
out: which connection a request gets, and how one is opened.
"""

import asyncio
import select
import time
from collections.abc import Callable
from typing import Protocol, cast

from core.egress_faults import UpstreamFault
from proxy.upstream.pool_answer import ReceivedAnswer
from proxy.upstream.pool_head import Head, broken

READ_AHEAD_BYTES = 64 * 1024
"""More than this is not read from the socket before the caller has fetched what is there."""
_NO_MORE = frozenset({b"", b"\n"})  # an event that ended with CR may have ended with CR and LF
_REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})


class Keeper(Protocol):
    """Who owns the connections."""

    def give_back(self, connection: "PoolConnection", idle_seconds: float) -> None:
        """The request is over and the connection sound."""

    def finishing(self, connection: "PoolConnection") -> None:
        """The request is over but for its answer's end, which may come for a short while; then it is given back."""

    def lost(self, connection: "PoolConnection") -> None:
        """The connection is closed."""


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

    def __init__(self, connection: "PoolConnection") -> None:
        super().__init__()
        self._connection = connection
        self._waiter: asyncio.Future[None] | None = None
        self._ready: Callable[[], None] | None = None
        self._enough: Callable[[], bool] | None = None
        self.fault: UpstreamFault | None = None
        """Why no more will come."""
        self._patience = -1
        """Bytes of the body for which the caller need not be woken."""
        self._all_read: bool | None = None
        """Whether who may leave a stream before its end has all of its content; None where the end is waited for."""
        self._spoilt = self._settled = False

    def when_ready(self, cap_bytes: int, ready: Callable[[], None], enough: Callable[[], bool]) -> None:
        """Call `ready`, once, when the answer is a whole success of at most `cap_bytes`, or cannot become one.

        The second is so where there is a `fault`, no success, or too large a body: then the answer goes on with
        `next_chunk` or `read_capped`. Of a stream there may be `enough` before its end.
        """
        self._patience, self._ready, self._enough = cap_bytes, ready, enough

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
        raise UpstreamFault("too_large", sent=True, detail=f"the body is larger than {cap_bytes} bytes")

    def never_reuse(self) -> None:
        """Close the connection at the end of the request, for a caller that found something wrong."""
        self._spoilt = True

    def may_be_left(self, *, all_read: bool) -> None:
        """Say whether who ends the request now has all content; the body's end may then come for a short while."""
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
        self._connection.settle(self.idle_seconds if usable else 0.0)

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
        """No more will come. What was buffered before can still be fetched."""
        if self.fault is None and not self.complete:
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

    def _may_become_whole(self, head: Head) -> bool:
        if self.buffered > self._patience or (head.length or 0) > self._patience:
            return False
        return head.plain or (head.streams and self._enough is not None and not self._enough())

    def _judge_end(self) -> None:
        """More came of a stream that its caller has left: the end is awaited, and any content is too much."""
        no_more = self.fetch() in _NO_MORE
        if self.complete or not no_more:
            self._connection.settle(self.idle_seconds if no_more else 0.0)

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


class PoolConnection(asyncio.Protocol):
    """An open connection: idle, with one request under way, or waiting for the end of a stream that was left."""

    __slots__ = ("_answer", "_keeper", "_kernel", "_paused", "_transport", "counted", "idle_until", "origin")

    def __init__(self, keeper: Keeper, origin: object) -> None:
        self.origin = origin
        self.counted = True
        """Whether the keeper counts it among its places."""
        self.idle_until = 0.0
        """Monotonic time up to which it may be used again, or a left stream may end; 0 while it is in use."""
        self._keeper = keeper
        self._answer: PoolAnswer | None = None
        self._transport: asyncio.Transport | None = None
        self._kernel: select.poll | None = None
        self._paused = False

    @property
    def is_open(self) -> bool:
        """Whether a request can be written."""
        return self._transport is not None and not self._transport.is_closing()

    def is_clean(self) -> bool:
        """Whether an idle connection is open, young and silent: the loop may not have seen yet what has come.

        One system call (0.3 us). Without it, what came just now would be taken for the answer to the next request.
        """
        if not self.is_open or time.monotonic() >= self.idle_until:
            return False
        if self._kernel is None:
            assert self._transport is not None
            self._kernel = select.poll()
            self._kernel.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not self._kernel.poll(0)

    def send(self, request: bytes) -> PoolAnswer:
        """Write a request. The connection belongs to it until the answer's `settle`."""
        assert self._answer is None
        assert self._transport is not None
        self.idle_until = 0.0
        self._answer = answer = PoolAnswer(self)
        self._transport.write(request)
        return answer

    def settle(self, idle_seconds: float) -> None:
        """The request is over; with 0 seconds the connection is too."""
        self._answer = None
        transport = self._transport
        # An answer that came before the request was out leaves a connection with half a request in it.
        if idle_seconds <= 0 or transport is None or transport.is_closing() or transport.get_write_buffer_size():
            self.close()
            return
        self.read_on()
        self._keeper.give_back(self, idle_seconds)

    def finish(self) -> None:
        """The caller has left; the answer's parser reads on to its end, or as long as the keeper lets it."""
        self.read_on()
        self._keeper.finishing(self)

    def read_on(self) -> None:
        """Read from the socket again, if that rested."""
        if self._paused and self.is_open:
            assert self._transport is not None
            self._paused = False
            self._transport.resume_reading()

    def close(self) -> None:
        """End the connection at once; `connection_lost` follows."""
        if self._transport is not None:
            self._transport.abort()

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer; without a request, or behind its answer, they are nobody's."""
        answer = self._answer
        if answer is None or answer.complete:
            if answer is not None:
                answer.surplus = True
            self.close()
            return
        try:
            answer.feed(data)
        except UpstreamFault as fault:
            answer.fail(fault)
            self.close()
            return
        if answer.ahead and not self._paused and not answer.complete:
            assert self._transport is not None
            self._paused = True
            self._transport.pause_reading()
        answer.wake()

    def eof_received(self) -> None:
        """The far side will send no more. The transport closes itself after this."""
        answer = self._answer
        if answer is None:
            return
        try:
            answer.end()
        except UpstreamFault as fault:
            answer.fail(fault)
        else:
            answer.wake()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed, by whomever."""
        self._transport = self._kernel = None
        self._keeper.lost(self)
        if self._answer is not None:
            said = "the connection was lost" if error is None else f"{type(error).__name__}: {error}"
            self._answer.fail(broken(f"{said} before the answer was complete"))
