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
from proxy.upstream.pool.head import KnownHeads, broken


class Keeper(Protocol):
    """The owner of connections, who is told what becomes of each."""

    def give_back(self, connection: "PoolConnection", idle_seconds: float) -> None:
        """The request is over and the connection sound."""

    def finishing(self, connection: "PoolConnection") -> None:
        """The request is over but for its answer's end, which may come for a short while; then it is given back."""

    def lost(self, connection: "PoolConnection") -> None:
        """The connection is closed."""


class PoolConnection(asyncio.Protocol):
    """An open connection: idle, with one request under way, or waiting for the end of a stream that was left."""

    __slots__ = (
        "_answer",
        "_heads",
        "_keeper",
        "_kernel",
        "_paused",
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
        self._answer = answer = PoolAnswer(self, self._heads)
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
