"""One connection of the fast lane, for its whole life: one request at a time, each answered before the next is read.

Bytes are kept until a header block is whole. One that `HeadMemory` knows, or that `HeadReader` finds plain, is served
here by `FastRequests`, or refused by `FastRefusals`; anything else is handed over to aiohttp with all its bytes, once
nothing of ours is unsent. So is a block that drips in: it is read from its beginning for each segment here, and
aiohttp's parser goes on where it was.
Answers are in `fast_outlet.py`, bytes and times in `wire.py`.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from core.mcp.event_stream import COMMENT_KEEPALIVE
from proxy.edge.answer_bytes import chunk
from proxy.edge.fast_refusals import FastRefusals
from proxy.edge.fast_requests import (
    BODY,
    ENDED,
    HANDING,
    HEAD,
    HOLDING,
    IDLE_S,
    LINGERING,
    NEXT,
    PUTTING,
    SKIPPING,
    WORKING,
)
from proxy.edge.get_stream import take_place
from proxy.edge.head_rules import END
from proxy.edge.unjudged import slow_header_answer
from proxy.exchange import Exchange, Head
from proxy.room import at_end

if TYPE_CHECKING:
    from proxy.edge.fast_lane import FastLane

LINGER_S: Final = 1.0
"""How long the rest of a body that nobody wants is read and thrown away, so that its sender can read why."""
MOST_SEGMENTS: Final = 4
"""In how many pieces a header block may come here; a block that then is not whole is handed over."""
MOST_BEGUN: Final = 8 << 10
"""How much of a header block that is not whole yet is kept here."""
MOST_KEPT: Final = 16 << 10
"""How much may come before its turn; then reading pauses, so that no more than one read is added to it."""
MOST_BEHIND_STREAM: Final = 4 << 10
"""How much may come behind a GET stream: reading never pauses there, because only a read tells that a caller left."""
HTTP_1_1: Final = (1, 1)
LOOK_S: Final = 1.0
"""How often the kernel is asked whether a caller is still there, from whom nothing is read while it is served."""


class FastConnection(FastRefusals):
    """A caller."""

    __slots__ = ("_drips", "_lane", "_paused", "_segments")

    def __init__(self, lane: "FastLane") -> None:
        super().__init__(lane.deps, lane.answer_heads, lane.turned_away)
        self._lane = lane
        self._paused = False
        self._drips = False
        """Whether the head in hand is handed over for how it comes, and not for what it says."""
        self._segments = 0
        """In how many pieces what there is of a header block has come."""

    @property
    def busy(self) -> bool:
        """Whether something is being answered."""
        return self._state in {BODY, SKIPPING, WORKING, HOLDING, PUTTING, NEXT, HANDING}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller is here, and may be silent for a while."""
        super().connection_made(transport)
        self._lane.connections.add(self)
        self.within(IDLE_S)

    def data_received(self, data: bytes) -> None:
        """Bytes: of what is being read, or kept for their turn."""
        state = self._state
        if state == HEAD:
            self._read_head(data)
        elif state == BODY:
            self._try(self._read_body, data)
        elif state == SKIPPING:
            self.skip(data)
        elif state == LINGERING:
            self._size += len(data)
            self._hang_up_after_body()
        elif state != ENDED:
            self._keep(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The caller, or we, have hung up."""
        super().connection_lost(exc)
        self._lane.forget(self)
        self.leave()

    def too_late(self) -> None:
        """A deadline is over: which one, the state says."""
        state = self._state
        if state == BODY:
            self._try(self._refuse_slow_body)
        elif state == HEAD:
            if self._kept:
                seconds = self._deps.settings.header_seconds
                self.transport.write(slow_header_answer(self._deps, self.peer, seconds))
            self._hang_up()
        elif state == LINGERING:
            self._hang_up()
        elif state == WORKING and not self._full and not self.caller_has_left():
            self._pause_if_enough()
        else:
            self.cut()

    def close_if_idle(self) -> None:
        """The worker ends: nothing more is read here."""
        if self._state == HEAD:
            self._hang_up()

    # the head

    def _read_head(self, data: bytes) -> None:
        seen = len(self._kept)
        begun = seen > 0
        if begun:
            data = self._kept + data
        self._segments += 1
        end = data.find(END, max(0, seen - 3))
        if end >= 0:
            if self._begin_whole(data, end):
                return
        elif self._segments >= MOST_SEGMENTS or len(data) > MOST_BEGUN:
            self._drips = True
        elif self._lane.heads.may_become_plain(data):
            self._kept = data
            if not begun:
                self.within(self._deps.settings.header_seconds)
            return
        self._hand_over(data, self.time_left() if begun else self._deps.settings.header_seconds)

    def _begin_whole(self, data: bytes, end: int) -> bool:
        """Serve the request whose head ends at `end`; False where it is not plain."""
        memory = self._lane.memory
        key, length, known = memory.ask(data, end, self.peer)
        if known is not None:
            close, head = known
        else:
            read = self._lane.heads.read(data[:end])
            if read is None:
                return False
            close, length = read.close, read.length
            head = Head(read.method, read.target, HTTP_1_1, (), self.peer, read.headers)
        self._kept, self._segments = data[end + 4 :], 0
        refused = self.refused(head, length, close=close) if self._deps.overload.sheds else None
        if not refused:
            self.begin(head, length, close=close, let_in=refused is False)
        if known is None and key is not None:
            memory.keep(key, head, close=close, refused=bool(refused))
        self._pause_if_enough()
        return True

    # after an answer

    def all_put(self) -> None:
        """What waited for the caller to read was taken."""
        if self._state == PUTTING:
            self.sent()
        elif self._state == SKIPPING:
            self.skip_in_time()
        elif self._state == HANDING:
            self._hand_over_now(self._kept, self._deps.settings.header_seconds)

    def sent(self) -> None:
        """The answer is with the transport: on to the next request, or to the end."""
        x, self._x = self._x, None
        if x is not None:
            at_end(x, self._deps)
        self._task = self._call = self._body = None
        self.streaming = False
        if self._closing:
            self._state, self._size = LINGERING, self._size + len(self._kept)
            self._kept = b""
            self.within(LINGER_S)
            self._hang_up_after_body()
        elif self._kept:
            self._state = NEXT
            self.without_deadline()
            self._loop.call_soon(self._next)  # in its turn: others have something to say as well
        else:
            self._state = HEAD
            self.within(IDLE_S)
        self.resume_reading()

    def _next(self) -> None:
        if self._state == NEXT:
            data, self._kept = self._kept, b""
            self._state = HEAD
            self._read_head(data)

    def _hang_up_after_body(self) -> None:
        if self._size >= self._length:
            self._hang_up()

    def _hang_up(self) -> None:
        """Close it, when the transport has written what it has; a caller that does not read that is cut off."""
        self._state = ENDED
        self.transport.close()
        self.within(self._write_seconds)

    # the GET stream: nothing of the request is kept, and no task waits; `StreamSweep` looks after it

    def hold_stream(self, x: Exchange) -> None:
        """Begin a GET stream. Raises Refusal."""
        place = take_place(x, self._deps)
        if len(self._kept) > MOST_BEHIND_STREAM:
            self._deps.streams.close(place)
            self.cut()
            return
        self._state = HOLDING
        self.stop_timer()
        self.resume_reading()
        head = self.begin_stream(x)
        self._x = self._task = None  # the task ends with this step, and its memory with it, not with the stream
        at_end(x, self._deps)
        self.transport.write(head + chunk(COMMENT_KEEPALIVE))
        self._lane.sweep.add(self, x)

    def comment(self) -> None:
        """Show whoever is between us and the caller that the stream lives."""
        self.transport.write(chunk(COMMENT_KEEPALIVE))
        if self._full and not self.has_deadline:
            self.within(self._write_seconds)

    # bytes before their turn, and requests that are not for this lane

    def _keep(self, data: bytes) -> None:
        self._kept += data
        if self._state == HOLDING:
            if len(self._kept) > MOST_BEHIND_STREAM:
                self.cut()
        else:
            self._pause_if_enough()

    def _pause_if_enough(self) -> None:
        """Read no more while enough is kept; what works for a caller learns in another way that it left."""
        if len(self._kept) <= MOST_KEPT or self._state == ENDED:
            return
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()
        if self._state == WORKING and not self.has_deadline:
            self.within(LOOK_S)

    def resume_reading(self) -> None:
        """Bytes are wanted, unless more than enough are kept."""
        if self._paused and len(self._kept) <= MOST_KEPT and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def _hand_over(self, data: bytes, header_seconds: float) -> None:
        if self.transport.get_write_buffer_size() == 0:
            self._hand_over_now(data, header_seconds)
            return
        self._state, self._kept = HANDING, data
        self._pause_if_enough()
        self.transport.set_write_buffer_limits(high=0)  # `all_put` is called when everything is sent
        self.within(self._write_seconds)

    def _hand_over_now(self, data: bytes, header_seconds: float) -> None:
        self._state, self._kept = ENDED, b""
        self.stop_timer()
        self._lane.forget(self)
        self.transport.set_write_buffer_limits()
        if self._paused:
            self.transport.resume_reading()
        self._lane.listener().adopt(self.transport, data, header_seconds, stays=self._drips)
