"""One worker's plans: which call may go by one, and what is learnt from those that went through the stages.

A plan lies with its head (`proxy.exchange.Head.plans`), under the name that is called, because a legacy client's head
names none. Asked per call, whatever a plan says: limits, room, what is against the server, whether the message is the
usual one, and whether a connection lies idle. Where any of it says no, nothing was taken and nothing sent.
"""

from collections.abc import Callable, Iterable, Mapping
from time import monotonic, time
from types import MappingProxyType
from typing import Final

from orjson import dumps

from core.mcp.faults import MessageFault
from core.mcp.json_limits import loads
from proxy.deps import Deps
from proxy.exchange import Exchange, Head
from proxy.plans.made import plan_of
from proxy.plans.parts import PlanParts
from proxy.plans.plan import RENEW_S, Plan
from proxy.plans.planned_call import PlannedCall, PlannedCaller
from proxy.plans.usual import plan_for
from proxy.telemetry.metrics import PLANNED, by_value
from proxy.tracing.call_trace import CallTrace

MOST_OF_A_HEAD: Final = 64
MOST: Final = 16_384
"""Plans of a worker; each takes two to three kilobytes."""
_SWEEP_S: Final = 5.0
"""How often plans go that stand no more: until then one holds what it was made from, a whole gateway with it."""
_AT_A_TIME: Final = 256
"""Heads that are looked at with one call. Ten thousand at once take fifteen milliseconds, and all would wait."""
_PLANNED: Final = by_value(PLANNED)


class Declined:
    """A call that does not go by a plan: the word why, and what was found out of it already."""

    __slots__ = ("read", "sampled", "trace", "why")

    def __init__(
        self, why: str, read: object = None, trace: CallTrace | None = None, *, sampled: bool = False
    ) -> None:
        self.why = why
        self.read = read
        """Its body as JSON, where that was read."""
        self.trace, self.sampled = trace, sampled
        """Its trace, if it has one; and whether it was drawn already if it has."""


OFF: Final = Declined("off")
FIRST: Final = Declined("first")
IN_PIECES: Final = Declined("in_pieces")
LAST: Final = Declined("last")
OVERLOADED: Final = Declined("overloaded")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_UNREADABLE: Final = Declined("unusual")
_NO_PLACE: Final = Declined("no_place")


class Plans:
    """The plans of one worker's fast lane. `heads`: those that are known."""

    def __init__(self, deps: Deps, heads: Callable[[], Iterable[Head]]) -> None:
        self._parts, self._deps = PlanParts(deps), deps
        self.on: Final = deps.settings.plans
        self._most_body: Final = deps.settings.max_body
        self._tracer: Final = deps.tracer
        self._heads, self._sweep_at, self._kept = heads, monotonic() + _SWEEP_S, 0
        self._unswept: list[Head] = []
        """What is left of the heads of the sweep that goes on; plans that it found standing, or that came since."""
        self._standing = 0

    def none_for(self, head: Head) -> Declined:
        """Why a call of a head without plans has none."""
        if not self.on:
            return OFF
        return Declined(head.unplanned) if head.unplanned else FIRST

    def begin(self, caller: PlannedCaller, head: Head, body: bytes) -> PlannedCall | Declined:
        """Send a call of a head that has plans by its plan, if it has one and nothing about it is unusual."""
        if len(body) > self._most_body:
            return _UNREADABLE
        try:
            message = loads(body)
        except MessageFault:
            return _UNREADABLE
        plan = plan_for(message, head.plans)
        if not isinstance(plan, Plan) or not isinstance(message, dict):
            return Declined("first" if plan is None else "unusual", message)
        now, unix = monotonic(), time()
        if now > plan.renew_at or not plan.stands(now, unix):
            self._renewed_by_this(plan, now)
            return Declined("again", message)
        parts, size, arguments = self._parts, len(body), dumps(message["params"]["arguments"])
        if parts.sent.against(plan.installation_id) is not None:
            return Declined("in_doubt", message)
        if self._deps.draining or not plan.seat.take(size):
            return _NO_PLACE
        if self._tracer is not None and (trace := self._tracer.begin(_NOTHING, _NOTHING)) is not None:
            _give_back(plan, size)
            return Declined("traced", message, trace, sampled=True)
        call = PlannedCall(parts, plan, caller, head, body, message, now + plan.seconds, unix)
        text = b'{"jsonrpc":"2.0","id":%d%b%b%b' % (call.upstream_id, plan.before, arguments, plan.end)
        way = plan.way.saying(call.request_id.encode()) if plan.tells_id else plan.way
        connection = parts.sent.transport.send_on(way, text, call)
        if connection is None:
            _give_back(plan, size)
            return Declined("no_connection", message, sampled=self._tracer is not None)
        call.waits(connection)
        parts.slots.planned += 1
        return call

    def learn(self, x: Exchange, why: str) -> None:
        """Keep what the stages decided for a call of a known head, now that it is answered."""
        head, now = x.head, monotonic()
        if not self.on:
            return
        if now >= self._sweep_at:
            self._sweep(now)
        known = head.plans.get(x.target.exposed) if head.plans is not None and x.target is not None else None
        if known is not None and why != "no_connection" and known.stands(now, time()) and now <= known.renew_at:
            return
        plan = plan_of(x, self._deps, self._parts.limits)
        if isinstance(plan, str):
            head.unplanned = plan
            return
        if head.plans is None:
            head.plans = {}
        is_new = plan.exposed not in head.plans
        if is_new and len(head.plans) >= MOST_OF_A_HEAD:
            head.plans.pop(next(iter(head.plans)))
            self._kept -= 1
        if self._kept < MOST or not is_new:
            self._kept += is_new
            self._standing += is_new
            head.plans[plan.exposed] = plan
            head.unplanned = ""

    def count(self, why: str) -> None:
        """Count a call that goes without a plan."""
        self._deps.slots.add(_PLANNED[why])

    def _renewed_by_this(self, plan: Plan, now: float) -> None:
        """This call goes through the stages; those that come meanwhile go on by the plan, as long as it stands."""
        plan.renew_at = now + RENEW_S

    def _sweep(self, now: float) -> None:
        """Look at some of the heads; with the last of them the sweep is over."""
        if not self._unswept:
            self._unswept, self._standing = [*self._heads()], 0
        unix = time()
        for head in self._unswept[-_AT_A_TIME:]:
            if head.plans:
                head.plans = {name: plan for name, plan in head.plans.items() if plan.stands(now, unix)}
                self._standing += len(head.plans)
        del self._unswept[-_AT_A_TIME:]
        if not self._unswept:
            self._sweep_at, self._kept = now + _SWEEP_S, self._standing


def _give_back(plan: Plan, size: int) -> None:
    plan.seat.leave()
    plan.seat.give_room_back(size)
