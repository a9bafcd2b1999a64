"""One call of a server on its way through the stages, in steps: each goes on until something must be waited for.

The order of the stages is `proxy/pipeline.py`'s. A lane with callbacks calls `go_on`, and again when the call tells
it to; `rest` goes the same way in a task. Wherever a call waits, it is registered among the running calls, so that
its session can cancel it. Whatever becomes of it, it ends once: what it held is given back, and it leaves a record.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from core.mcp.faults import MessageFault
from core.records import CallRecord
from proxy.answers.refused import answer_of_refusal, faulty, internal_error
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.limits.running_calls import Asked, CallKey, CutOff, Through
from proxy.limits.shares import quarter
from proxy.refusals import Refusal, overloaded
from proxy.room import at_end
from proxy.stages.record import record

log = logging.getLogger(__name__)
Stage = Callable[[Exchange, Deps], Awaitable[None] | None]
_NO_MORE: Final[tuple[Stage, ...]] = ()
_EVENT_STREAM: Final = "text/event-stream"


class UpstreamCall:
    """A call that has a place among this worker's calls. Ends with its last step, or by `cancel`."""

    __slots__ = ("_deps", "_left", "_over", "_ready", "_task", "_waits", "x")

    def __init__(self, x: Exchange, deps: Deps, stages: Iterable[Stage]) -> None:
        self.x, self._deps = x, deps
        x.runs = True
        self._left = iter(stages if x.trace is None else x.trace.timed(stages))
        self._over = False
        self._waits = False
        """Whether it is registered as a call that waits in no task."""
        self._ready: Callable[[], None] | None = None
        """Whom to tell when its upstream has answered, or when it was cancelled."""
        self._task: asyncio.Task[Any] | None = None
        """In which it runs, where it runs in one."""
        deps.calls.begins(self)

    @property
    def key(self) -> CallKey | None:
        """What its session calls it, if it has one."""
        return call_key(self.x)

    def asked(self) -> Asked:
        """Who called, which gateway, from where, and through which installation."""
        x, through = self.x, None
        if x.installation is not None and x.gateway is not None and x.target is not None:
            target = x.target
            through = Through(x.installation, x.gateway.id, target.assignment_id, target.route)
        return Asked(x.caller, x.gateway_name, x.address, through)

    def wait(self, ready: Callable[[], None]) -> None:
        """Wait for the upstream's answer, as where `go_on` returned None: the call was sent."""
        assert self.x.sent is not None
        self._waits, self._ready = True, ready
        self._deps.calls.waits(self)
        self.x.sent.then(ready)

    def go_on(self, ready: Callable[[], None]) -> Answer | Awaitable[Answer] | None:
        """Take steps for a lane that has no task for this call, as far as nothing but the upstream is waited for.

        Returns the answer; or what to await in a task for it; or None where the lane has nothing to do: its caller
        has left, or `ready` will be called, once and never from within, when it is time to go on.
        """
        calls = self._deps.calls
        if self._waits:
            self._waits, self._ready = False, None
            calls.waits_no_more(self)
        pending = self.step()
        if pending is None:
            return None if self.x.ended else answer_of(self.x, self._deps)
        self._waits = True
        calls.waits(self)
        sent = self.x.sent
        if pending is not sent or sent is None:
            return self._in_task(pending)
        self._ready = ready
        sent.then(ready)
        return None

    async def _in_task(self, pending: Awaitable[None]) -> Answer:
        calls = self._deps.calls
        self._waits = False
        calls.waits_no_more(self)
        await calls.run_here(self.key, self.rest(pending))
        return answer_of(self.x, self._deps)

    def step(self) -> Awaitable[None] | None:
        """Go on until something must be waited for, and return that; None once the call is over."""
        x, deps = self.x, self._deps
        try:
            for stage in self._left:
                pending = stage(x, deps)
                if pending is not None:
                    return pending
        except Exception as error:  # noqa: BLE001 - a refusal, a fault or a bug; each has an answer
            self._fail(error)
        return None if self._over else self._end()

    async def rest(self, pending: Awaitable[None] | None) -> None:
        """From what a step returned to the end, in a task; being cancelled ends the call."""
        self._task = asyncio.current_task()
        try:
            while pending is not None:
                try:
                    await pending
                except Exception as error:  # noqa: BLE001 - as in `step`
                    self._fail(error)
                pending = self.step()
        except asyncio.CancelledError:
            self._cancelled()
            raise

    def cancel(self) -> None:
        """End it while it waits in no task: its session cancels it, or nobody wants it any more."""
        x, ready = self.x, self._ready
        if self._over or not self._waits:
            return
        if ready is None:
            self._cancel_in_its_task()
            return
        if x.sent is not None:
            x.sent.abandon()
        self._left = iter(_NO_MORE)
        self._cancelled()
        ready()

    @property
    def request_id(self) -> str:
        """Of the request."""
        return self.x.request_id

    def keep_alive(self) -> None:
        """Its caller has waited for long: say something on the stream, if there is one or they take one."""
        x = self.x
        if not (self._over or x.ended) and (x.outlet.streaming or _EVENT_STREAM in x.headers.get("accept", "")):
            x.outlet.keep_alive()

    def attend(self) -> None:
        """Its server asks something beside it: from now on it runs in a task, in which its caller can be asked."""
        if self.x.sent is not None and not (self._over or self.x.sent.attended):
            self.x.sent.attend()

    def cut_off(self, why: CutOff) -> None:
        """End it now, wherever it waits, and tell its caller why."""
        if self._over:
            return
        self.x.cut_off = why
        if self._waits and self._ready is not None:
            self.cancel()
        elif self._task is not None:
            _ = self._deps.calls.call_off(self._task)
        else:  # its task has not begun
            asyncio.get_running_loop().call_soon(self.cut_off, why)

    def _cancel_in_its_task(self) -> None:
        """A task that has not begun would never run, and so never give back what its call holds: in its turn."""
        if self.key is not None:
            asyncio.get_running_loop().call_soon(self._deps.calls.cancel, self.key)

    def _end(self) -> Awaitable[None] | None:
        """Over: what may still be waited for is the safety of the record."""
        x = self.x
        self._give_back()
        kept = record(x, self._deps)
        assert x.gateway is not None
        return self._audited(kept) if x.gateway.snapshot.audit_required else None

    async def _audited(self, kept: CallRecord) -> None:
        if not await self._deps.records.safe(kept):
            self._answer(answer_of_refusal(self.x, Refusal("audit_unavailable"), self._deps))

    def _cancelled(self) -> None:
        if self._over:
            return
        self.x.status = self.x.cut_off or "cancelled"
        self._give_back()
        record(self.x, self._deps)

    def _give_back(self) -> None:
        self._over = True
        self._deps.calls.ends(self)
        x, usage = self.x, self._deps.usage
        usage.running.give_back(x.caller.key, 1)
        if x.holds_slot and x.target is not None:
            usage.leave(x.target.route.entry_id, x.caller.key, x.target.exposed)
        x.runs = False
        if x.ended:
            at_end(x, self._deps)

    def _fail(self, error: Exception) -> None:
        x, self._left = self.x, iter(_NO_MORE)
        if isinstance(error, Refusal):
            self._answer(answer_of_refusal(x, error, self._deps))
        elif isinstance(error, MessageFault):
            x.status = "wrong_message"
            self._answer(faulty(x, error))
        else:
            log.error("a call failed inside", exc_info=error, extra={"request_id": x.request_id})
            x.status = "internal"
            self._answer(internal_error(x))

    def _answer(self, answer: Answer) -> None:
        self.x.answer, self.x.bytes_out = answer, len(answer.body)


def begin(x: Exchange, deps: Deps, stages: Iterable[Stage]) -> UpstreamCall:
    """A call that begins. Raises Refusal `overloaded` where its principal has a quarter of all, or none is left."""
    most = deps.settings.calls_in_flight
    if not deps.usage.running.take(x.caller.key, 1, most=most, share=quarter(most)):
        raise overloaded()
    if deps.tracer is not None and not x.sampled:
        x.trace = deps.tracer.begin(x.request.meta, x.headers)
    return UpstreamCall(x, deps, stages)


def answer_of(x: Exchange, deps: Deps) -> Answer:
    """The answer of a call that is over."""
    return x.answer or answer_of_refusal(x, Refusal(x.cut_off or "cancelled"), deps)


def call_key(x: Exchange) -> CallKey | None:
    """What its session calls the call in this request; None where there is no session."""
    return (x.session.jti, x.request.id) if x.session is not None else None
