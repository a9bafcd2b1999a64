"""One connection of the fast lane, for its whole life: one request at a time, each answered before the next is read.

It joins three: `Wire`, from which it is made (bytes and times), a `RequestReader` (what the bytes are), and for each
request a `ServedRequest` (the pipeline, and the answer). A call that an overloaded worker refuses gets no request:
`OverloadRefusals` has its answer. What is not plain is handed over to the aiohttp lane with all its bytes, once
nothing of ours is unsent. So is a head that drips in: it is read from its beginning for each segment here, and
aiohttp's parser goes on where it was.
"""

import asyncio
from math import inf
from typing import Final

from core.mcp.event_stream import COMMENT_KEEPALIVE
from proxy.edge import request_reader as reading
from proxy.edge.answer_bytes import LAST_CHUNK, chunk
from proxy.edge.body_rules import seconds_of
from proxy.edge.lane_parts import LaneParts
from proxy.edge.request_reader import ReaderEvent, RequestReader
from proxy.edge.served_request import ServedRequest
from proxy.edge.unjudged import slow_header_answer
from proxy.edge.wire import Wire
from proxy.exchange import NOBODY, Exchange, Head
from proxy.plans.planned_call import PlannedCall
from proxy.plans.plans import IN_PIECES, LAST, OVERLOADED, Declined

IDLE_S: Final = 75.0
"""How long a connection may be silent between two requests."""
LOOK_S: Final = 1.0
"""How often the kernel is asked whether a caller is still there, from whom nothing is read while it is served."""


class FastConnection(Wire):
    """The connection of one caller."""

    __slots__ = ("_parts", "_paused", "_served", "reader")

    def __init__(self, parts: LaneParts) -> None:
        super().__init__(parts.deps.settings.write_seconds)
        self._parts = parts
        self.reader = RequestReader(parts.heads, parts.memory)
        self._served: ServedRequest | PlannedCall | None = None
        """The request in hand; None for one that was refused without, and for a stream that is held."""
        self._paused = False

    @property
    def busy(self) -> bool:
        """Whether something is being answered."""
        return self.reader.state not in {reading.HEAD, reading.LINGERING, reading.ENDED}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller is here, and may be silent for a while."""
        super().connection_made(transport)
        self.reader.peer = self.peer
        self._parts.connections.add(self)
        self.within(IDLE_S)

    def data_received(self, data: bytes) -> None:
        """Bytes came: of what is being read, or to be kept for their turn."""
        event = self.reader.feed(data)
        if isinstance(event, Head):
            self._begin(event)
        elif event is not None:
            self._do(event)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The caller, or we, have hung up."""
        super().connection_lost(exc)
        self._forget()
        self.reader.end()
        served, self._served = self._served, None
        if served is not None:
            served.leave()
            self._served = None  # a planned call has become another

    def too_late(self) -> None:
        """A deadline is over: which one, the state says."""
        state, served = self.reader.state, self._served
        if state is reading.BODY and isinstance(served, ServedRequest):
            served.body_is_late()
        elif state is reading.HEAD:
            if self.reader.kept:
                deps = self._parts.deps
                self.transport.write(slow_header_answer(deps, self.peer, deps.settings.header_seconds))
            self._hang_up()
        elif state is reading.LINGERING:
            self._hang_up()
        elif state is reading.SERVING and not self._full and not self.caller_has_left():
            self._pause_if_enough()
        else:
            self.cut()

    def close_if_idle(self) -> None:
        """The worker ends: nothing more is read here."""
        if self.reader.state is reading.HEAD:
            self._hang_up()

    def cut(self) -> None:
        """End it at once, whatever is unsent."""
        self.reader.end()
        self.transport.abort()

    # what the reader says

    def _do(self, event: Head | ReaderEvent) -> None:
        if event is reading.IDLE:
            self.within(IDLE_S)
        elif isinstance(event, Head):
            self._begin(event)
        elif event is reading.NEXT_CAME:
            self.without_deadline()
            self._loop.call_soon(self._next)  # in its turn: others have something to say as well
        elif event is reading.BODY_CAME:
            assert isinstance(self._served, ServedRequest)
            self._served.body_came()
        elif event is reading.ENOUGH:
            self._pause_if_enough()
        elif event is reading.NOT_PLAIN:
            self._hand_over()
        elif event is reading.SKIPPED:
            self._skipped()
        elif event is reading.OVER:
            self._hang_up()
        elif event is reading.TOO_MUCH:
            self.cut()
        else:
            self.within(seconds_of(event, self._parts.deps.settings))

    def _begin(self, head: Head) -> None:
        """Serve a request, or refuse it if an overloaded worker does so on its head alone."""
        reader, parts, let_in = self.reader, self._parts, False
        planned: PlannedCall | Declined | None = None
        if parts.deps.overload.sheds:
            asked = parts.refusals.ask(head, reader.missing, close=reader.closes)
            if isinstance(asked, bytes):
                self._refuse(head, asked)
                return
            let_in = asked
            planned = OVERLOADED if not let_in else None
        if planned is None:
            planned = self._planned(head) if head.plans else parts.plans.none_for(head)
        self._deadline = inf
        if isinstance(planned, Declined):
            self._serve(head, planned, let_in=let_in)
        else:
            self._served = planned
        if len(reader.kept) > reading.MOST_KEPT:
            self._pause_if_enough()

    def _planned(self, head: Head) -> PlannedCall | Declined:
        """A call that was sent by its plan, or why it was not."""
        reader = self.reader
        kept, length = reader.kept, reader.length
        if reader.closes:
            return LAST
        if len(kept) < length:
            return IN_PIECES
        planned = self._parts.plans.begin(self, head, kept[:length])
        if not isinstance(planned, Declined):
            reader.has_given_body()
        return planned

    def _serve(self, head: Head, unplanned: Declined, *, let_in: bool) -> None:
        """Serve a request through the stages."""
        reader, x, known = self.reader, Exchange(head, NOBODY), head.judged is not None
        x.let_in = let_in
        self._served = served = ServedRequest(self, self._parts, x, unplanned, known=known)
        served.begin()
        if reader.key is not None:
            reader.remember(head)

    # a planned call

    def write_usual(self, request_id: str, body: bytes) -> None:
        """Write a success with JSON to the request in hand."""
        self._deadline = inf
        self.written(at_once=self.put(self._parts.answer_heads.usual(request_id, len(body)), body))

    def becomes(self, x: Exchange) -> ServedRequest:
        """The request in hand is the pipeline's from now on."""
        self._served = served = ServedRequest(self, self._parts, x)
        return served

    def _refuse(self, head: Head, answer: bytes) -> None:
        self.transport.write(answer)
        self._do(self.reader.skip_body())
        self.resume_reading()
        self.reader.remember(head, refused=True)
        self._pause_if_enough()

    def _skipped(self) -> None:
        if self._full:
            self.within(self._write_seconds)
        self.written(at_once=not self._full)

    def _next(self) -> None:
        event = self.reader.next_head()
        if event is not None:
            self._do(event)

    # after an answer

    def written(self, *, at_once: bool) -> None:
        """All of an answer was written: once it is with the transport, on to the next request, or to the end."""
        if not at_once:  # `all_put` is called when it was taken
            self.reader.wait_for_caller()
            return
        served, self._served = self._served, None
        if served is not None:
            served.end()
        event = self.reader.answered()
        if event is reading.IDLE:  # nearly every answer ends so
            self._deadline = deadline = self._loop.time() + IDLE_S
            if deadline < self._fires:
                self.until(deadline)
        else:
            self._do(event)
        if self._paused:
            self.resume_reading()

    def all_put(self) -> None:
        """What waited for the caller to read was taken."""
        state, settings = self.reader.state, self._parts.deps.settings
        if state is reading.WRITING:
            self.written(at_once=True)
        elif state is reading.SKIPPING:
            self.within(settings.body_seconds)
        elif state is reading.HANDING:
            self._hand_over_now(settings.header_seconds)

    def _hang_up(self) -> None:
        """Close it, when the transport has written what it has; a caller that does not read that is cut off."""
        self.reader.end()
        self.transport.close()
        self.within(self._write_seconds)

    def _forget(self) -> None:
        """It was closed, or handed over."""
        self._parts.connections.discard(self)
        self._parts.sweep.drop(self)

    # the GET stream: nothing of the request is kept, and no task waits; `StreamSweep` looks after it

    def hold_stream(self, x: Exchange, head: bytes, first: bytes = COMMENT_KEEPALIVE) -> None:
        """Begin a stream. Its request and the task that judged it end here, so that their memory is free."""
        assert self._served is not None
        self._served.end()
        self._served = None
        self.stop_timer()
        self.resume_reading()
        self.transport.write(head + chunk(first))
        self._parts.sweep.add(self, x)

    def say(self, piece: bytes) -> None:
        """Write a piece of a stream, a comment or an event; a caller that does not read is cut off after a while."""
        self.transport.write(chunk(piece))
        if self._full and not self.has_deadline:
            self.within(self._write_seconds)

    def end_stream(self, last: bytes = b"") -> None:
        """The clean end of a stream, after some last bytes of it."""
        if self.reader.state in {reading.SERVING, reading.STREAMING}:
            self.written(at_once=self.put(b"", chunk(last) + LAST_CHUNK if last else LAST_CHUNK))

    # reading, and what is not for this lane

    def _pause_if_enough(self) -> None:
        """Read no more while enough is kept; what works for a caller learns in another way that it left."""
        if len(self.reader.kept) <= reading.MOST_KEPT:
            return
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()
        if self.reader.state is reading.SERVING and not self.has_deadline:
            self.within(LOOK_S)

    def resume_reading(self) -> None:
        """Bytes are wanted, unless more than enough are kept."""
        if self._paused and len(self.reader.kept) <= reading.MOST_KEPT and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def _hand_over(self) -> None:
        if self.transport.get_write_buffer_size() == 0:
            header_seconds = self._parts.deps.settings.header_seconds
            self._hand_over_now(self.time_left() if self.reader.block_began else header_seconds)
            return
        self._pause_if_enough()
        self.transport.set_write_buffer_limits(high=0)  # `all_put` is called when everything is sent
        self.within(self._write_seconds)

    def _hand_over_now(self, header_seconds: float) -> None:
        data = self.reader.hand_over()
        self.stop_timer()
        self._forget()
        self.transport.set_write_buffer_limits()
        if self._paused:
            self.transport.resume_reading()
        self._parts.listener().adopt(self.transport, data, header_seconds, stays=self.reader.drips)
