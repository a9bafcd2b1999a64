"""One request of the fast lane, from its head to its answer: through the pipeline, and back to the caller.

`FastConnection` makes one for each request and drops it with the answer. It runs in callbacks as long as no stage
waits for anything but the upstream, then in one task. What a request means is decided in `proxy/pipeline.py`, what a
body must keep to in `body_rules.py`, and what its bytes are in `request_reader.py`. It is the stages' `Outlet`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Final

from core.mcp.event_stream import COMMENT_KEEPALIVE
from core.mcp.message import Request
from proxy.answers.plain import public_answer
from proxy.answers.refused import answer_of_refusal, internal_error
from proxy.answers.sessions import end_session
from proxy.edge.answer_headers import own_headers
from proxy.edge.body_rules import judge_announced, seconds_for, too_slow
from proxy.edge.caller import Caller
from proxy.edge.event_answer import EventAnswer
from proxy.edge.get_stream import take_listening_place, take_place
from proxy.edge.lane_parts import LaneParts
from proxy.exchange import NOBODY, Answer, Exchange
from proxy.gateways.resources import GATEWAY_PATH
from proxy.pipeline import at_headers, at_message, at_message_now, begin_call
from proxy.plans.plans import FIRST, Declined
from proxy.refusals import Refusal
from proxy.room import at_end, reserve
from proxy.telemetry.counting import FAST_LANE
from proxy.upstream_call import UpstreamCall

log = logging.getLogger(__name__)
_JSON: Final = "application/json"


class ServedRequest:
    """A request that the fast lane serves, from its head to its answer."""

    __slots__ = (
        "_body_began", "_call", "_caller", "_deps", "_events", "_known", "_parts", "_task", "_unplanned", "gone", "x",
    )  # fmt: skip

    def __init__(
        self, caller: Caller, parts: LaneParts, x: Exchange, unplanned: Declined = FIRST, *, known: bool = False
    ) -> None:
        """`unplanned`: why a call goes without a plan; `known`: whether its head was, so that a plan may be made."""
        self._caller, self._parts, self._deps = caller, parts, parts.deps
        self.x = x
        x.outlet, x.read, x.trace, x.sampled = self, unplanned.read, unplanned.trace, unplanned.sampled
        self._unplanned, self._known = unplanned.why, known
        self._body_began = 0.0
        """When the first bytes of a body came that did not come whole."""
        self._call: UpstreamCall | None = None
        self._task: asyncio.Task[None] | None = None
        self.gone = False
        """Whether the caller has left."""
        self._events: EventAnswer | None = None
        """The answer, where it is an event stream that has begun."""

    @property
    def streaming(self) -> bool:
        """Whether the answer is an event stream that has begun."""
        return self._events is not None

    # what the connection tells

    def begin(self) -> None:
        """The head is there."""
        self._try(self._on_headers)

    def body_came(self) -> None:
        """More of the body is there."""
        self._try(self._take_body)

    def body_is_late(self) -> None:
        """The next bytes of the body did not come in time."""
        self._try(self._refuse_slow_body)

    def leave(self) -> None:
        """The caller has left: what runs for it ends, but for a legacy call, which runs on with nobody to tell."""
        self.gone = True
        at_end(self.x, self._deps)
        if self.x.outlives_caller:
            return
        if self._call is not None:
            self._call.cancel()
        if self._task is not None:
            # In its turn: a task that has not begun would never run, and so never give back what its call holds.
            asyncio.get_running_loop().call_soon(self._task.cancel)

    def end(self) -> None:
        """The answer is with the transport."""
        at_end(self.x, self._deps)
        self.x.outlet = NOBODY  # or each of us would hold the other, until the garbage collector comes

    # the stages

    def _on_headers(self) -> Answer | None:
        """The answer, or None where somebody goes on: a task, or the next bytes."""
        x, deps = self.x, self._deps
        deps.slots.add(FAST_LANE)
        if not x.head.target.startswith(GATEWAY_PATH):
            public = public_answer(x, deps)
            if isinstance(public, Answer):
                return public
            if public is not None:
                self._spawn(public)
                return None
        pending = at_headers(x, deps)
        if pending is None:
            return self._judged()
        self._spawn(self._on_judgement(pending))
        return None

    async def _on_judgement(self, pending: Awaitable[None]) -> Answer | None:
        await pending
        return None if self.x.ended else self._judged()

    def _judged(self) -> Answer | None:
        x, deps = self.x, self._deps
        if x.head.method == "POST":
            judge_announced(x, deps, self._caller.reader.length)
            return self._take_body()
        if x.head.method == "DELETE":
            self._spawn(end_session(x, deps))
        else:
            self._hold_stream(take_place(x, deps))
        return None

    def _hold_stream(self, place: str, first: bytes = COMMENT_KEEPALIVE) -> None:
        """The stream of a session, or of a modern caller who listens: nothing of this request is kept for it."""
        if self._caller.reader.begin_stream():
            self._caller.hold_stream(self.x, self._stream_head(), first)
        else:
            self._deps.streams.close(place)
            self._caller.cut()

    def _listen(self, answer: Answer) -> None:
        """The stream of a modern caller, from its first event on. Raises Refusal."""
        self._hold_stream(take_listening_place(self.x, self._deps), answer.body)

    # the body

    def _take_body(self) -> Answer | None:
        """Go on where the body is whole. It counts as it comes: announcing a body costs its caller nothing."""
        x, deps, caller = self.x, self._deps, self._caller
        reader = caller.reader
        body = reader.take_body()
        if reader.came:
            reserve(x, deps, reader.came)
        if body is None:
            self._await_body()
            return None
        if self._body_began:
            caller.without_deadline()
        x.body = body
        answer = at_message_now(x, deps)
        if answer is not None:
            return answer
        if isinstance(x.message, Request) and x.choose is not None:
            self._parts.plans.count(self._unplanned)
            self._call = begin_call(x, deps)
            return self._go_on()
        self._spawn(at_message(x, deps))
        return None

    def _await_body(self) -> None:
        caller = self._caller
        if not self._body_began:
            self._body_began = asyncio.get_running_loop().time()
            caller.resume_reading()
        caller.until(self._body_began + seconds_for(caller.reader.size, self._deps.settings.body_seconds))

    def _refuse_slow_body(self) -> Answer | None:
        raise too_slow(self._caller.reader.size, self._deps.settings.body_seconds)

    # a call: in callbacks, while only the upstream is waited for

    def _go_on(self) -> Answer | None:
        assert self._call is not None
        further = self._call.go_on(self.ready)
        if further is None:
            return None
        if isinstance(further, Answer):
            if self._known:
                self._parts.plans.learn(self.x, self._unplanned)
            return further
        self._spawn(further)
        return None

    def goes_on(self, call: UpstreamCall) -> None:
        """Serve a call that was sent by its plan, and is the pipeline's now."""
        self._call = call

    def ready(self) -> None:
        """The upstream has answered, or the call was cancelled; the caller may have left."""
        self._try(self._go_on)

    # the answer

    def _try(self, step: Callable[[], Answer | None]) -> None:
        """Take a step, and write the answer if there is one yet, and somebody to read it."""
        try:
            answer = step()
        except Exception as error:  # noqa: BLE001 - a refusal or a bug; both have an answer
            answer = self._failed(error)
        if answer is not None and not self.x.ended:
            self._answer(answer)

    def _spawn(self, work: Awaitable[Answer | None]) -> None:
        self._task = self._deps.calls.serve(self._finish(work))

    async def _finish(self, work: Awaitable[Answer | None]) -> None:
        """Await the rest of the request and write its answer, unless its caller has left."""
        x = self.x
        try:
            answer = await work
        except asyncio.CancelledError:
            if not x.ended:  # not by its caller: the worker stops
                self._caller.cut()
            raise
        except Exception as error:  # noqa: BLE001 - as in `_try`
            answer = self._failed(error)
        if x.ended:
            return
        if answer is not None and x.subscription is not None and answer.status == HTTPStatus.OK:
            self._try(partial(self._listen, answer))
        elif answer is not None:
            self._answer(answer)
        elif self._events is not None:  # what has begun can only be ended
            self._events.end(None)

    def _failed(self, error: Exception) -> Answer:
        if isinstance(error, Refusal):
            return answer_of_refusal(self.x, error, self._deps)
        log.error("a request failed inside", exc_info=error, extra={"request_id": self.x.request_id})
        return internal_error(self.x)

    def _answer(self, answer: Answer) -> None:
        caller = self._caller
        if self._events is not None:
            self._events.end(answer.body)
            return
        reader = caller.reader
        caller.without_deadline()
        if answer.close or self._deps.draining or reader.size < reader.length:
            reader.closes = True  # what is not read of a body would be taken for the next request
        try:
            written = self._put(answer)
        except ValueError:
            log.exception("an answer had a header that would break it", extra={"request_id": self.x.request_id})
            written = self._put(internal_error(self.x))
        caller.written(at_once=written)

    def _put(self, answer: Answer) -> bool:
        x, heads, closes = self.x, self._parts.answer_heads, self._caller.reader.closes
        origin = self._origin()
        if answer.status == 200 and not (answer.headers or closes or origin) and answer.media_type == _JSON:
            head = heads.usual(x.request_id, len(answer.body))
        else:
            head = heads.of(answer, own_headers(x.request_id, origin, self._deps.origins), close=closes)
        return self._caller.put(head, answer.body)

    def _stream_head(self) -> bytes:
        """The head of an event stream, to be written."""
        reader = self._caller.reader
        if self._deps.draining:
            reader.closes = True
        own = own_headers(self.x.request_id, self._origin(), self._deps.origins)
        return self._parts.answer_heads.of_stream(own, close=reader.closes)

    def _origin(self) -> str:
        headers = self.x.head.headers
        return headers.get("origin", "") if headers is not None else ""

    async def send_event(self, message: bytes) -> None:
        """One JSON-RPC message as one event; nothing once the caller has left, or has read nothing for too long."""
        if self.gone or self.x.ended:
            return
        try:
            await self._begun_events().send(message)
        except ConnectionError:
            self.gone = True

    def keep_alive(self) -> None:
        """A comment, which may be the first of the stream."""
        if not (self.gone or self.x.ended):
            self._begun_events().keep_alive()

    def _begun_events(self) -> EventAnswer:
        """The event stream, begun if need be; from here on no whole answer can follow."""
        if self._events is None:
            self._events = EventAnswer(self._caller, self._stream_head())
        return self._events
