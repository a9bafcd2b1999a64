"""One worker's plans: which call may go by one, and what is learnt from those that went through the stages.

A plan lies with its head (`proxy.exchange.Head.plans`), under the name that is called, because a legacy client's head
names none. Asked per call, whatever a plan says: limits, room, what is against the server, whether the message is the
usual one, and whether a connection lies idle. Where any of it says no, nothing was taken and nothing sent.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

import orjson

from core.mcp.faults import MessageFault
from core.mcp.json_limits import loads
from proxy.deps import Deps
from proxy.exchange import Exchange, Head
from proxy.plans.made import plan_of
from proxy.plans.parts import PlanParts
from proxy.plans.plan import RENEW_S, Plan
from proxy.plans.planned_call import PlannedCall, PlannedCaller
from proxy.plans.usual import Json, plan_for
from proxy.stages.authenticate import ACCEPTED
from proxy.stages.resolve_credential import REMEMBERED
from proxy.telemetry.counting import FAST_LANE
from proxy.telemetry.metrics import PLANNED, by_value
from proxy.tracing.call_trace import CallTrace

MOST_OF_A_HEAD: Final = 64
MOST: Final = 16_384
"""Plans of a worker; each takes about a kilobyte."""
_SWEEP_S: Final = 5.0
"""How often plans go that stand no more: until then one holds what it was made from, a whole gateway with it."""
_PLANNED: Final = by_value(PLANNED)


class Declined:
    """A call that does not go by a plan: the word why, and what was found out of it already."""

    __slots__ = ("read", "trace", "why")

    def __init__(self, why: str, read: object = None, trace: CallTrace | None = None) -> None:
        self.why = why
        self.read = read
        """Its body as JSON, where that was read."""
        self.trace = trace
        """Where it was sampled."""


OFF: Final = Declined("off")
FIRST: Final = Declined("first")
IN_PIECES: Final = Declined("in_pieces")
OVERLOADED: Final = Declined("overloaded")
_UNREADABLE: Final = Declined("unusual")
_NO_PLACE: Final = Declined("no_place")


class Plans:
    """The plans of one worker's fast lane. `heads`: those that are known."""

    def __init__(self, deps: Deps, heads: Callable[[], Iterable[Head]]) -> None:
        self._parts, self._deps = PlanParts(deps), deps
        self.on: Final = deps.settings.plans
        self._most_body: Final = deps.settings.max_body
        self._heads, self._sweep_at, self._kept = heads, time.monotonic() + _SWEEP_S, 0

    def begin(self, caller: PlannedCaller, head: Head, body: bytes) -> PlannedCall | Declined:
        """Send a call of a known head by its plan, if it has one and nothing about it is unusual."""
        plans = head.plans
        if plans is None:
            return Declined(head.unplanned) if head.unplanned else FIRST
        if len(body) > self._most_body:
            return _UNREADABLE
        try:
            message = loads(body)
        except MessageFault:
            return _UNREADABLE
        plan = plan_for(message, plans)
        if not isinstance(plan, Plan):
            return Declined("first" if plan is None else "unusual", message)
        now = time.monotonic()
        if now >= plan.renew_at or not plan.stands(now, time.time()):
            self._renewed_by_this(plan, now)
            return Declined("again", message)
        assert isinstance(message, dict)
        return self._sent(caller, head, body, plan, message, now)

    def _sent(
        self, caller: PlannedCaller, head: Head, body: bytes, plan: Plan, message: Json, now: float
    ) -> PlannedCall | Declined:
        deps, sent = self._deps, self._parts.sent
        if sent.in_doubt(plan.installation_id):
            return Declined("in_doubt", message)
        if not self._take(plan, len(body)):
            return _NO_PLACE
        if deps.tracer is not None and (trace := deps.tracer.begin({}, {})) is not None:
            self._give_back(plan, len(body))
            return Declined("traced", message, trace)
        call = PlannedCall(self._parts, plan, caller, head, body, message, now + plan.seconds)
        arguments = orjson.dumps(message["params"]["arguments"])
        text = b'{"jsonrpc":"2.0","id":%d%b%b%b' % (call.upstream_id, plan.before, arguments, plan.end)
        connection = sent.send_on(plan.way, text, call)
        if connection is None:
            self._give_back(plan, len(body))
            return Declined("no_connection", message)
        call.waits(connection)
        add = deps.slots.add
        add(FAST_LANE)
        add(ACCEPTED)
        add(REMEMBERED)
        add(_PLANNED["kept"])
        return call

    def learn(self, x: Exchange, why: str) -> None:
        """Keep what the stages decided for a call of a known head, now that it is answered."""
        head, now = x.head, time.monotonic()
        if not self.on:
            return
        if now >= self._sweep_at:
            self._sweep(now)
        known = head.plans.get(x.target.exposed) if head.plans is not None and x.target is not None else None
        if known is not None and why != "no_connection" and known.stands(now, time.time()) and now < known.renew_at:
            return
        plan = plan_of(x, self._deps)
        if isinstance(plan, str):
            head.unplanned = plan
            return
        if head.plans is None or len(head.plans) >= MOST_OF_A_HEAD:
            head.plans = {}
        if self._kept < MOST or plan.exposed in head.plans:
            self._kept += plan.exposed not in head.plans
            head.plans[plan.exposed] = plan

    def count(self, why: str) -> None:
        """Count a call that goes without a plan."""
        self._deps.slots.add(_PLANNED[why])

    def _renewed_by_this(self, plan: Plan, now: float) -> None:
        """This call goes through the stages; those that come meanwhile go on by the plan, as long as it stands."""
        plan.renew_at = now + RENEW_S

    def _take(self, plan: Plan, size: int) -> bool:
        """Take places and room for a call; False, and nothing taken, where there is none."""
        parts, deps, principal = self._parts, self._deps, plan.principal_key
        usage, calls, room = deps.usage, parts.most_calls, parts.most_bytes
        if deps.draining or usage.running.used >= calls or usage.held.used >= room:
            return False
        if not usage.held.take(principal, size, most=room, share=parts.bytes_share):
            return False
        if not usage.running.take(principal, 1, most=calls, share=parts.calls_share):
            usage.held.give_back(principal, size)
            return False
        if not usage.enter(plan.entry_id, principal, plan.exposed, deps.settings.calls_per_upstream):
            usage.running.give_back(principal, 1)
            usage.held.give_back(principal, size)
            return False
        return True

    def _give_back(self, plan: Plan, size: int) -> None:
        usage, principal = self._deps.usage, plan.principal_key
        usage.leave(plan.entry_id, principal, plan.exposed)
        usage.running.give_back(principal, 1)
        usage.held.give_back(principal, size)

    def _sweep(self, now: float) -> None:
        self._sweep_at, self._kept, unix = now + _SWEEP_S, 0, time.time()
        for head in self._heads():
            if head.plans:
                head.plans = {name: plan for name, plan in head.plans.items() if plan.stands(now, unix)}
                self._kept += len(head.plans)
