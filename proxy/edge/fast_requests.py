"""One request after another of one connection of the fast lane, through the pipeline, each to its answer.

In callbacks as long as no stage waits, then in one task. `FastConnection` gives it heads and bytes and is told when
an answer was written; what a request means is decided in `proxy/pipeline.py`, what a body must keep to in
`body_rules.py`.
"""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from core.mcp.message import Request
from proxy.answers.plain import public_answer
from proxy.answers.refused import internal_error, refused
from proxy.answers.sessions import end_session
from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.body_rules import judge_announced, seconds_for, too_slow
from proxy.edge.fast_outlet import FastOutlet
from proxy.exchange import Answer, Exchange, Head
from proxy.pipeline import at_headers, at_message, at_message_now, begin_call
from proxy.refusals import Refusal
from proxy.room import at_end, reserve
from proxy.stages.admit import GATEWAY_PATH
from proxy.telemetry.counting import FAST_LANE
from proxy.upstream_call import UpstreamCall

log = logging.getLogger(__name__)
IDLE_S: Final = 75.0
"""How long a connection may be silent between two requests."""

HEAD, BODY, WORKING, HOLDING, PUTTING, NEXT, LINGERING, HANDING, SKIPPING, ENDED = range(10)
"""What a connection is doing: reading a head, reading a body, waiting for the pipeline, holding a GET stream,
writing to a slow caller, about to read a head that is there, reading to waste, waiting to be handed over, reading
away the body of a call that is refused, nothing."""


class FastRequests(FastOutlet):
    """The requests of one connection."""

    __slots__ = ("_began", "_body", "_call", "_kept", "_length", "_size", "_state", "_task")

    def __init__(self, deps: Deps, answer_heads: AnswerHeads) -> None:
        super().__init__(deps, answer_heads)
        self._state = HEAD
        self._kept = b""
        """Bytes behind what was taken already."""
        self._body: bytearray | None = None
        self._length = self._size = 0
        """How long the body says it is, and how much of it has come; while SKIPPING, what is to be read away."""
        self._began = 0.0
        self._task: asyncio.Task[None] | None = None
        self._call: UpstreamCall | None = None

    def begin(self, head: Head, length: int, *, close: bool, let_in: bool = False) -> None:
        """Serve a request; its body, `length` bytes, is in `_kept`, or comes with `_read_body`.

        `let_in`: see `Exchange`.
        """
        self.without_deadline()
        self._state, self._closing, self._length, self._size = WORKING, close, length, 0
        self._x = Exchange(head, self)
        if let_in:
            self._x.let_in = True
        self._try(self._on_headers, self._x)

    def leave(self) -> None:
        """The caller has left: what runs for it ends, but for a legacy call, which runs on with nobody to tell."""
        self._state, self._kept = ENDED, b""
        x, self._x = self._x, None
        if x is None:
            return
        at_end(x, self._deps)
        task, call = self._task, self._call
        if x.outlives_caller:
            return
        if call is not None:
            call.cancel()
        if task is not None:
            # In its turn: a task that has not begun would never run, and so never give back what its call holds.
            self._loop.call_soon(task.cancel)

    def cut(self) -> None:
        """End it at once, whatever is unsent."""
        self._state = ENDED
        self.transport.abort()

    # what the connection does

    @abstractmethod
    def resume_reading(self) -> None:
        """Bytes are wanted."""

    @abstractmethod
    def hold_stream(self, x: Exchange) -> None:
        """Begin a GET stream, which ends with `sent`. Raises Refusal."""

    @abstractmethod
    def sent(self) -> None:
        """The answer is with the transport."""

    # the stages

    def _on_headers(self, x: Exchange) -> Answer | None:
        """The answer, or None where somebody goes on: a task, or the next bytes."""
        self._deps.slots.add(FAST_LANE)
        if not x.head.target.startswith(GATEWAY_PATH):
            public = public_answer(x, self._deps)
            if public is not None:
                return public
        pending = at_headers(x, self._deps)
        if pending is None:
            return self._judged(x)
        self._spawn(x, self._on_judgement(x, pending))
        return None

    async def _on_judgement(self, x: Exchange, pending: Awaitable[None]) -> Answer | None:
        await pending
        return self._judged(x) if self._x is x else None

    def _judged(self, x: Exchange) -> Answer | None:
        if x.head.method == "POST":
            return self._expect_body(x)
        if x.head.method == "DELETE":
            self._spawn(x, end_session(x, self._deps))
            return None
        self.hold_stream(x)
        return None

    # the body

    def _expect_body(self, x: Exchange) -> Answer | None:
        length = self._length
        judge_announced(x, self._deps, length)
        came = self._kept
        if len(came) >= length:
            self._kept = came[length:]
            return self._on_body(x, came[:length])
        self._state, self._kept = BODY, b""
        self._began, self._body = self._loop.time(), bytearray()
        self.resume_reading()
        return self._read_body(came)

    def _read_body(self, data: bytes) -> Answer | None:
        """More of it, taken into account as it comes: announcing a body costs its caller nothing."""
        assert self._x is not None
        assert self._body is not None
        wanted = self._length - self._size
        if len(data) > wanted:
            data, self._kept = data[:wanted], data[wanted:]
        reserve(self._x, self._deps, len(data))
        self._body += data
        self._size += len(data)
        if self._size < self._length:
            self.until(self._began + seconds_for(self._size, self._deps.settings.body_seconds))
            return None
        self.without_deadline()
        body, self._body = bytes(self._body), None
        self._state = WORKING
        return self._on_body(self._x, body, held=True)

    def _refuse_slow_body(self) -> Answer | None:
        raise too_slow(self._size, self._deps.settings.body_seconds)

    def _on_body(self, x: Exchange, body: bytes, *, held: bool = False) -> Answer | None:
        self._size = len(body)
        if body and not held:
            reserve(x, self._deps, len(body))
        x.body = body
        answer = at_message_now(x, self._deps)
        if answer is not None:
            return answer
        if isinstance(x.message, Request):
            self._call = call = begin_call(x, self._deps)
            return self._go_on(x, call)
        self._spawn(x, at_message(x, self._deps))
        return None

    # a call: in callbacks, while only the upstream is waited for

    def _go_on(self, x: Exchange, call: UpstreamCall) -> Answer | None:
        further = call.go_on(partial(self._on_ready, x, call))
        if further is None or isinstance(further, Answer):
            return further
        self._spawn(x, further)
        return None

    def _on_ready(self, x: Exchange, call: UpstreamCall) -> None:
        """The upstream has answered, or the call was cancelled; the caller may have left."""
        try:
            answer = self._go_on(x, call)
        except Exception as error:  # noqa: BLE001 - as in `_try`
            answer = self._failed(x, error)
        if answer is not None and self._x is x:
            self._answer(x, answer)

    # the answer

    def _try(self, step: Callable[..., Answer | None], *arguments: object) -> None:
        """Run a step of the request, and write its answer, if it has one yet."""
        x = self._x
        assert x is not None
        try:
            answer = step(*arguments)
        except Exception as error:  # noqa: BLE001 - a refusal or a bug; both have an answer
            answer = self._failed(x, error)
        if answer is not None:
            self._answer(x, answer)

    def _spawn(self, x: Exchange, work: Awaitable[Answer | None]) -> None:
        self._task = self._deps.calls.serve(self._finish(x, work))

    async def _finish(self, x: Exchange, work: Awaitable[Answer | None]) -> None:
        """Await the rest of a request and write its answer, unless its caller has left."""
        try:
            answer = await work
        except asyncio.CancelledError:
            if self._x is x:  # not by its caller: the worker stops
                self.cut()
            raise
        except Exception as error:  # noqa: BLE001 - as in `_try`
            answer = self._failed(x, error)
        if self._x is not x:
            return
        if self.streaming:  # what has begun can only be ended
            self.end_stream()
        elif answer is not None:
            self._answer(x, answer)

    def _failed(self, x: Exchange, error: Exception) -> Answer:
        if isinstance(error, Refusal):
            return refused(x, error, self._deps)
        log.error("a request failed inside", exc_info=error, extra={"request_id": x.request_id})
        return internal_error(x)

    def _answer(self, x: Exchange, answer: Answer) -> None:
        self.without_deadline()
        if self._size < self._length:  # what is not read would be taken for the next request
            self._closing = True
        try:
            written = self.put_answer(x, answer)
        except ValueError:
            log.exception("an answer had a header that would break it", extra={"request_id": x.request_id})
            written = self.put_answer(x, internal_error(x))
        self._after_writing(written)

    def _after_writing(self, written: bool) -> None:
        if written:
            self.sent()
        else:
            self._state = PUTTING

    def end_stream(self, last: bytes = b"") -> None:
        """The clean end of a stream, after some last bytes of it."""
        if self._state in {WORKING, HOLDING}:
            self._after_writing(self.put_end(last))
