"""One connection of the fast lane as bytes and times: one timer, writes with back-pressure, a deadline for each wait.

What the bytes mean is the business of `FastConnection`, which builds on this. A caller that does not read has
`write_seconds` for each piece of its answer, as in the aiohttp lane (`writing.py`); what is not taken by then is
thrown away with the connection.
"""

import asyncio
import socket
from abc import ABC, abstractmethod
from contextlib import suppress
from math import inf
from typing import Final, cast

from proxy.edge.writing import PIECE

_LEFT: Final = frozenset({7, 8})
"""Linux's numbers for TCP states: CLOSE, after a reset, and CLOSE_WAIT, after the caller's FIN."""


class Wire(ABC):
    """A transport with a timer and an outlet that can be full.

    It is what asyncio calls a protocol, without being derived from that class: then it could not be compiled.
    """

    __slots__ = (
        "_deadline",
        "_drained",
        "_fires",
        "_full",
        "_loop",
        "_rest",
        "_timer",
        "_write_seconds",
        "gone",
        "peer",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, write_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._write_seconds = write_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = self._fires = inf
        self._full = False
        self._rest: memoryview | None = None
        self._drained: asyncio.Future[None] | None = None
        self.gone = False
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller is here."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        connected = transport.get_extra_info("socket")
        if connected is not None and connected.family in {socket.AF_INET, socket.AF_INET6}:
            with suppress(OSError):  # it has left already
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The caller, or we, have hung up."""
        self.gone = True
        self._rest = None
        self.stop_timer()
        if self._drained is not None and not self._drained.done():
            self._drained.set_exception(ConnectionResetError("the caller has left"))

    def caller_has_left(self) -> bool:
        """Whether the kernel knows of the caller's end, for when nothing is read; False where it cannot be asked."""
        connected = self.transport.get_extra_info("socket")
        if connected is None or not hasattr(socket, "TCP_INFO"):
            return False
        try:
            return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in _LEFT
        except (OSError, ValueError):  # it is closed
            return True

    # times: setting a deadline that is later than the timer's costs no new timer

    def within(self, seconds: float) -> None:
        """Call `too_late` in so many seconds, unless another deadline is set before."""
        self.until(self._loop.time() + seconds)

    def until(self, when: float) -> None:
        """As `within`, by the loop's clock."""
        self._deadline = when
        if when < self._fires:
            if self._timer is not None:
                self._timer.cancel()
            self._fires = when
            self._timer = self._loop.call_at(when, self._look)

    def without_deadline(self) -> None:
        """Nothing is waited for, or somebody else watches over it."""
        self._deadline = inf

    def stop_timer(self) -> None:
        """There will be no deadline any more."""
        self._deadline = self._fires = inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def has_deadline(self) -> bool:
        """Whether one runs."""
        return self._deadline != inf

    def time_left(self) -> float:
        """Seconds to the deadline."""
        return self._deadline - self._loop.time()

    @abstractmethod
    def too_late(self) -> None:
        """The deadline is over."""

    def _look(self) -> None:
        self._timer, self._fires = None, inf
        if self._deadline == inf:
            return
        left = self.time_left()
        if left > 0:
            self.within(left)
        else:
            self._deadline = inf
            self.too_late()

    # writing

    def put(self, head: bytes, body: bytes) -> bool:
        """Write an answer; whether it was taken at once. If not, `all_put` is called when it was."""
        if len(body) > PIECE:
            self._rest = memoryview(body)
            self.transport.write(head)
            self._put_more()
        else:
            self.transport.write(head + body if body else head)
        if not self._full:
            return True
        self.within(self._write_seconds)
        return False

    @property
    def full(self) -> bool:
        """Whether the transport holds enough that was not read."""
        return self._full

    @abstractmethod
    def all_put(self) -> None:
        """What `put` could not write at once was taken."""

    async def put_chunk(self, data: bytes) -> None:
        """Write a piece of a stream and wait while the caller is slow. Raises ConnectionError when it has left."""
        if self.gone or self.transport.is_closing():
            raise ConnectionResetError("the caller has left")
        self.transport.write(data)
        if not self._full:
            return
        if self._drained is None or self._drained.done():
            self._drained = self._loop.create_future()
        self.within(self._write_seconds)
        await self._drained

    def eof_received(self) -> bool:
        """The caller will send no more: the transport is to close itself after this."""
        return False

    def pause_writing(self) -> None:
        """The transport holds enough that was not read."""
        self._full = True

    def resume_writing(self) -> None:
        """The caller has read most of it."""
        self._full = False
        self._deadline = inf
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
            return
        self._put_more()
        if self._full:
            self.within(self._write_seconds)
        else:
            self.all_put()

    def _put_more(self) -> None:
        while self._rest is not None and not self._full:
            piece, rest = self._rest[:PIECE], self._rest[PIECE:]
            self._rest = rest if len(rest) else None
            self.transport.write(piece)
