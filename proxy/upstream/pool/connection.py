"""One connection to an upstream.

`pool` opens connections, hands them out and takes them back. A connection carries one request at a time: bytes that
come while there is none end it. Where a caller left an event stream with its answer, that may end first. What is left
out: which connection a request gets, and how one is opened.
"""

import asyncio
import select
import time
from typing import Protocol, cast

from core.egress.faults import UpstreamFault
from proxy.upstream.pool.awaited_answer import PoolAnswer
from proxy.upstream.pool.head import HEAD_END, KnownHeads, ReceivedHead, broken
from proxy.upstream.pool.usual_answer import LAST_CHUNK, MOST_PIECES, first_chunk, may_become_usual


class Keeper(Protocol):
    """The owner of connections, who is told what becomes of each."""

    def give_back(self, connection: "PoolConnection", idle_seconds: float) -> None:
        """The request is over and the connection sound."""

    def finishing(self, connection: "PoolConnection") -> None:
        """The request is over but for its answer's end, which may come for a short while; then it is given back."""

    def lost(self, connection: "PoolConnection") -> None:
        """The connection is closed."""


class Taker(Protocol):
    """Who sent a request and takes the usual answer to it as it comes, without an object for it."""

    def take(self, body: bytes) -> bool:
        """Take the whole body of a success; False, and nothing done, if it is not the usual one."""

    def take_events(self, content: bytes) -> bool:
        """Take the first chunk of an event stream as all of its content; False, and nothing done, as above."""

    def unusual(self) -> None:
        """It will not come so: what comes is read by an answer, which the taker gets with `hand_over`."""


class PoolConnection:
    """An open connection: idle, with one request under way, or waiting for the end of a stream that was left.

    It is what asyncio calls a protocol, without being derived from that class: then it could not be compiled.
    """

    __slots__ = (
        "_answer",
        "_begun",
        "_ends",
        "_heads",
        "_keeper",
        "_kernel",
        "_paused",
        "_pieces",
        "_taker",
        "_transport",
        "counted",
        "idle_until",
        "origin",
    )

    def __init__(self, keeper: Keeper, origin: object, heads: KnownHeads) -> None:
        self._heads = heads
        self.origin = origin
        self.counted = True
        """Whether the keeper counts it among its places."""
        self.idle_until = 0.0
        """Monotonic time up to which it may be used again, or a left stream may end; 0 while it is in use."""
        self._keeper = keeper
        self._answer: PoolAnswer | None = None
        self._taker: Taker | None = None
        self._begun, self._pieces = b"", 0
        """What came of an answer for the taker that is not whole yet, and in how many pieces."""
        self._ends: float = 0.0
        """While only the last chunk of an answer is awaited that was taken: how long it may lie idle then."""
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
        transport, kernel = self._transport, self._kernel
        if transport is None or transport.is_closing() or time.monotonic() >= self.idle_until:
            return False
        if kernel is None:
            kernel = self._kernel = select.poll()
            kernel.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not kernel.poll(0)

    def send(self, request: bytes) -> PoolAnswer:
        """Write a request. The connection belongs to it until the answer's `settle`."""
        assert self._answer is None
        assert self._transport is not None
        self.idle_until = 0.0
        self._answer = answer = PoolAnswer(self, self._heads)
        self._transport.write(request)
        return answer

    def send_for(self, taker: Taker, request: bytes) -> None:
        """Write a request, whose answer the taker takes or has read. The connection belongs to it as with `send`."""
        assert self._answer is None
        assert self._transport is not None
        self.idle_until = 0.0
        self._taker = taker
        self._transport.write(request)

    def hand_over(self) -> PoolAnswer:
        """An answer that reads what comes, in place of the taker: called by it where the usual one will not come."""
        self._taker = None
        self._answer = answer = PoolAnswer(self, self._heads)
        begun, self._begun, self._pieces = self._begun, b"", 0
        if begun:
            answer.feed(begun)  # of a head that was judged before
        return answer

    def settle(self, idle_seconds: float) -> None:
        """The request is over; with 0 seconds the connection is too."""
        self._answer = None
        transport = self._transport
        # An answer that came before the request was out leaves a connection with half a request in it.
        if idle_seconds <= 0 or transport is None or transport.is_closing() or transport.get_write_buffer_size():
            self.close()
            return
        if self._paused:
            self.read_on()
        self._keeper.give_back(self, idle_seconds)

    def finish(self) -> None:
        """The caller has left; the answer's parser reads on to its end, or as long as the keeper lets it."""
        self.read_on()
        self._keeper.finishing(self)

    def read_on(self) -> None:
        """Read from the socket again, where reading was paused."""
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

    def pause_writing(self) -> None:
        """The transport holds enough that was not read: a request is written at once all the same."""

    def resume_writing(self) -> None:
        """The transport has sent most of it."""

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer; without a request, or behind its answer, they are nobody's."""
        if self._taker is not None:
            if self._begun:
                data, self._begun = self._begun + data, b""
            if self._taken(self._taker, data):
                return
        elif self._ends:
            self._ended(data)
            return
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

    def _taken(self, taker: Taker, data: bytes) -> bool:
        """Whether nothing is left to be done with what came; else the taker has asked for an answer that reads it."""
        start = data.find(HEAD_END) + len(HEAD_END)
        head = self._heads.known(data[:start])
        if head is not None:
            if head.plain:
                if head.length == len(data) - start and taker.take(data[start:]):
                    self._taker, self._pieces = None, 0
                    self.settle(head.idle_seconds if head.keeps else 0.0)
                    return True
            elif head.streams and head.chunked:
                chunk = first_chunk(data, start)
                if chunk is not None and self._took_events(taker, head, chunk[0], data[chunk[1] :]):
                    return True
            if self._keeps_begun(data, start, head):
                return True
        taker.unusual()
        return False

    def _took_events(self, taker: Taker, head: ReceivedHead, content: bytes, behind: bytes) -> bool:
        if (behind and behind != LAST_CHUNK) or not taker.take_events(content):
            return False
        self._is_over(head, whole=bool(behind))
        return True

    def _is_over(self, head: ReceivedHead, *, whole: bool) -> None:
        """The taker has its answer, of which the last chunk may be missing."""
        self._taker, self._pieces = None, 0
        idle_seconds = head.idle_seconds if head.keeps else 0.0
        if whole or idle_seconds <= 0:
            self.settle(idle_seconds)
        else:
            self._ends = idle_seconds
            self._keeper.finishing(self)

    def _keeps_begun(self, data: bytes, start: int, head: ReceivedHead) -> bool:
        self._pieces += 1
        if self._pieces >= MOST_PIECES or not may_become_usual(data, start, head):
            return False
        self._begun = data
        return True

    def _ended(self, data: bytes) -> None:
        """What comes behind an answer that was taken must be its last chunk, and all of it."""
        idle_seconds, self._ends = self._ends, 0.0
        self.settle(idle_seconds if data == LAST_CHUNK else 0.0)

    def eof_received(self) -> None:
        """The far side will send no more. The transport closes itself after this."""
        if self._taker is not None:
            self._taker.unusual()
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
        if self._taker is not None:
            self._taker.unusual()
        self._transport = self._kernel = None
        self._keeper.lost(self)
        if self._answer is not None:
            said = "the connection was lost" if error is None else f"{type(error).__name__}: {error}"
            self._answer.fail(broken(f"{said} before the answer was complete"))
