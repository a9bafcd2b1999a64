"""One call that goes by its plan: its body was judged and sent, its answer will be, and it leaves a record.

Everything that is per call stands here, and nothing of it is decided: what is not certain to pass is left to the
pipeline, at whatever moment that is found out. Before the call is sent `Plans` leaves it. After that this object
becomes the exchange that the stages would have made (`_to_pipeline`), with the answer as far as it came, and the
pipeline's own callbacks go on: an answer that is not the usual one, a caller that leaves, a deadline, a lost
connection, a session that cancels. What is held (places, room, the connection) goes over with it.
"""

from time import perf_counter
from typing import Protocol

from msgspec.structs import replace
from orjson import dumps

from core.identifiers import new_id
from core.mcp.shapes import result_for_legacy, result_for_modern
from proxy.exchange import Exchange, Head
from proxy.limits.running_calls import Asked, CallKey, CutOff, Through
from proxy.offered.shown_uris import holds_uris
from proxy.pipeline import go_on_from_plan
from proxy.plans.made_exchange import exchange_of
from proxy.plans.parts import PlanParts
from proxy.plans.plan import Plan
from proxy.plans.usual import Json, only_message, usual_result
from proxy.stages.record import client_of, sha256_of
from proxy.upstream.answers import ON_LOOP
from proxy.upstream.first_message import FirstMessage
from proxy.upstream.outbound import new_upstream_id
from proxy.upstream.pool.awaited_answer import PoolAnswer
from proxy.upstream.pool.connection import PoolConnection
from proxy.upstream.refused_results import looks_refused
from proxy.upstream_call import UpstreamCall


class PipelineRequest(Protocol):
    """A request as the pipeline serves it, which a planned call has become."""

    def goes_on(self, call: UpstreamCall) -> None:
        """What it waits for."""

    def leave(self) -> None:
        """The caller has left."""

    def ready(self) -> None:
        """The upstream has answered, or the call was cancelled."""


class PlannedCaller(Protocol):
    """The connection on which a planned call came."""

    def write_usual(self, request_id: str, body: bytes) -> None:
        """Write a success with JSON; `PlannedCall.end` is called when it was taken."""

    def becomes(self, x: Exchange) -> PipelineRequest:
        """The request in hand is the pipeline's from now on; what serves it is the way back of its exchange, too."""

    def cut(self) -> None:
        """End it at once, whatever is unsent."""


class PlannedCall:
    """A call that was sent by its plan."""

    __slots__ = (
        "_answer",
        "_caller",
        "_first",
        "_head",
        "_over",
        "_parts",
        "began",
        "body",
        "bytes_held",
        "connection",
        "message",
        "plan",
        "request_id",
        "time",
        "until",
        "upstream_id",
    )

    connection: PoolConnection
    """Set once it was sent."""

    def __init__(
        self,
        parts: PlanParts,
        plan: Plan,
        caller: PlannedCaller,
        head: Head,
        body: bytes,
        message: Json,
        until: float,
        unix: float,
    ) -> None:
        self._parts, self._caller, self._head = parts, caller, head
        self.plan, self.body, self.message = plan, body, message
        self.began, self.time = perf_counter(), unix
        self.request_id = new_id()
        self.upstream_id = new_upstream_id()
        self.until = until
        """Monotonic time at which it is given up."""
        self.bytes_held, self._over = len(body), False
        self._answer: PoolAnswer | None = None
        """What reads the answer, where it does not come whole."""
        self._first: FirstMessage | None = None

    @property
    def key(self) -> CallKey | None:
        """What its session calls it, if it has one."""
        return (self.plan.jti, self.message["id"]) if self.plan.jti else None

    def asked(self) -> Asked:
        """Who called, which gateway, from where, and through which installation."""
        judged, plan, target = self._head.judged, self.plan, self.plan.target
        assert judged is not None
        through = Through(plan.installation, plan.gateway.id, target.assignment_id, target.route)
        return Asked(plan.caller, judged.gateway_name, judged.address, through)

    def waits(self, connection: PoolConnection) -> None:
        """It was sent there, and waits for its answer."""
        self.connection = connection
        parts = self._parts
        parts.running.add(self)
        if not parts.sent.deadlines.sweeps:
            parts.sent.deadlines.sweep()
        if self.plan.jti:
            self._parts.deps.calls.waits(self)

    def _waits_no_more(self) -> None:
        self._parts.running.discard(self)
        if self.plan.jti:
            self._parts.deps.calls.waits_no_more(self)

    # what the connection to the server says

    def take(self, body: bytes) -> bool:
        """Answer the caller with this body; False, and nothing done, where that is not certain to be right."""
        if len(body) > ON_LOOP or self._parts.sent.against(self.plan.installation_id) is not None:
            return False  # a whole answer tells the breaker that the server is well
        result = usual_result(body, self.upstream_id)
        return result is not None and not (self.plan.names_uris and holds_uris(result)) and self._finish(result)

    def take_events(self, content: bytes) -> bool:
        """The same with the first chunk of an event stream, if it is one event that holds a message."""
        data = only_message(content)
        return data is not None and self.take(data)

    def unusual(self) -> None:
        """The answer does not come whole: it is read as it comes."""
        self._answer = answer = self.connection.hand_over()
        answer.when_ready(self._parts.sent.most, self._ready, self._enough)

    def _enough(self) -> bool:
        assert self._answer is not None
        if self._first is None:
            self._first = FirstMessage(self._answer, self._parts.sent.most)
        return self._first.look()

    def _ready(self) -> None:
        """The answer is there, or cannot become the usual one."""
        answer = self._answer
        assert answer is not None
        if answer.fault is None and answer.head is not None:
            if answer.head.streams:
                if self._enough() and self._take_first(answer):
                    return
            elif answer.is_whole and self.take(answer.peek(0)):
                answer.settle(sound=True)
                return
        self._to_pipeline("answer" if answer.fault is None else "connection")
        answer.wake()  # it is what the pipeline waits for, too

    def _take_first(self, answer: PoolAnswer) -> bool:
        """Take the first message of an event stream, if it is the usual answer; what comes behind it is too late."""
        first = self._first
        if first is None or not first.data or not self.take(first.data):
            return False
        answer.may_be_left(all_read=first.is_alone)
        answer.fetch()
        answer.settle(sound=True)
        return True

    # what ends it otherwise

    def strike(self) -> None:
        """Its time is over."""
        _, call = self._to_pipeline("deadline")
        assert call.x.sent is not None
        call.x.sent.strike()

    def cancel(self) -> None:
        """Its session cancels it, or the worker ends."""
        self._to_pipeline("cancelled")[1].cancel()

    def keep_alive(self) -> None:
        """Its caller has waited for long: what becomes of that is the pipeline's."""
        self._to_pipeline("long")[1].keep_alive()

    def attend(self) -> None:
        """Its server asks something beside it: so the pipeline has to ask its caller."""
        self._to_pipeline("asked")[1].attend()

    def cut_off(self, why: CutOff) -> None:
        """It may not go on."""
        self._to_pipeline("cancelled")[1].cut_off(why)

    def leave(self) -> None:
        """The caller has left."""
        if self._over:
            self.end()
        else:
            self._to_pipeline("caller")[0].leave()

    def end(self) -> None:
        """The answer is with the transport."""
        self.plan.seat.give_room_back(self.bytes_held)
        self.bytes_held = 0

    def _finish(self, result: Json) -> bool:
        """Answer, record and count; False, and nothing done, where there is no room, or more is to be done."""
        plan, parts, failed = self.plan, self._parts, result.get("isError") is True
        shaped = (
            result_for_modern(result, plan.server_info, plan.account)
            if plan.modern
            else result_for_legacy(result, plan.version, plan.account)
        )
        body = dumps({"jsonrpc": "2.0", "id": self.message["id"], "result": shaped})
        size, seat = len(body), plan.seat
        if parts.deps.draining or (failed and looks_refused(result)) or not seat.take_room(size):
            return False
        self._over = True
        self.bytes_held += size
        self._waits_no_more()
        seat.leave()
        seconds = perf_counter() - self.began
        self._record("tool_error" if failed else "ok", seconds, size)
        parts.slots.call_at(plan.failed if failed else plan.ok, seconds, len(self.body), size)
        self._caller.write_usual(self.request_id, body)
        return True

    def _record(self, status: str, seconds: float, bytes_out: int) -> None:
        plan, params, parts = self.plan, self.message["params"], self._parts
        meta = params.get("_meta")
        duration_ms, digest = int(seconds * 1_000_000 + 0.5) / 1000, sha256_of(params["arguments"])
        if meta == plan.meta:
            size = len(self.body)
            parts.keep_row(plan.line, self.request_id, self.time, duration_ms, status, digest, size, bytes_out)
            return
        kept = replace(
            plan.line, id=self.request_id, time=self.time, duration_ms=duration_ms, request_id=self.request_id,
            status=status, client=client_of(self._headers, meta or {}), arguments_sha256=digest.hex(),
            bytes_in=len(self.body), bytes_out=bytes_out,
        )  # fmt: skip
        parts.keep(kept)

    @property
    def _headers(self) -> dict[str, str]:
        assert self._head.judged is not None
        return self._head.judged.headers

    # becoming the pipeline's

    def _to_pipeline(self, why: str) -> tuple[PipelineRequest, UpstreamCall]:
        """Go on as the call that the stages would have made, which waits for its answer."""
        self._parts.left(why)
        self._waits_no_more()
        try:
            return self._become_pipelines()
        except Exception:  # a bug of ours: nobody waits for this call any more, so nothing may be held for it
            self._over = True
            self.plan.seat.leave()
            self.end()
            self.connection.close()
            self._caller.cut()
            raise

    def _become_pipelines(self) -> tuple[PipelineRequest, UpstreamCall]:
        plan, parts, caller = self.plan, self._parts, self._caller
        parts.deps.usage.found_by_name(plan.target.route.entry_id, plan.caller.key, plan.exposed)
        if self._answer is None:
            self._answer = self.connection.hand_over()
        x = exchange_of(self, self._head, parts.deps)
        assert x.outbound is not None
        x.sent = parts.sent.begun(
            plan.installation, x.outbound, x.caller.key, plan.upstream_session, self._answer, self.until, self._first
        )
        request = caller.becomes(x)
        call = go_on_from_plan(x, parts.deps)
        request.goes_on(call)
        call.wait(request.ready)
        return request, call
