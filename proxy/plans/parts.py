"""What all planned calls of one worker share."""

from typing import Final, Protocol

from proxy.deps import Deps
from proxy.limits.running_calls import RunningCall
from proxy.limits.seat import CallLimits
from proxy.telemetry.metrics import PLANS_LEFT, by_value
from proxy.upstream.deadlines import Limited
from proxy.upstream.pool.connection import Taker

_LEFT: Final = by_value(PLANS_LEFT)


class Running(Limited, Taker, RunningCall, Protocol):
    """A planned call that waits for its answer."""


class PlanParts:
    """The worker's parts, and what of its settings is asked for each call."""

    __slots__ = ("deps", "keep", "keep_row", "limits", "running", "sent", "slots")

    def __init__(self, deps: Deps) -> None:
        settings = deps.settings
        self.slots = deps.slots
        self.deps, self.sent = deps, deps.upstreams.sent
        self.limits = CallLimits(settings.calls_in_flight, settings.bytes_in_flight, settings.calls_per_upstream)
        self.keep, self.keep_row = deps.records.keep, deps.records.keep_row

        self.running: set[Running] = set()
        """Calls that were sent by their plan and wait for their answers."""
        self.sent.deadlines.watch(self.running)
        deps.calls.watch(self.running)

    def left(self, why: str) -> None:
        """Count a call that leaves its plan."""
        self.deps.slots.add(_LEFT[why])
