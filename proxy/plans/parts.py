"""What all planned calls of one worker share."""

from typing import Final, Protocol

from proxy.deps import Deps
from proxy.limits.running_calls import Stepped
from proxy.limits.shares import quarter
from proxy.telemetry.metrics import PLANS_LEFT, by_value
from proxy.upstream.sent_call import LimitedTaker

_LEFT: Final = by_value(PLANS_LEFT)


class Running(LimitedTaker, Stepped, Protocol):
    """A planned call that waits for its answer."""


class PlanParts:
    """The worker's parts, and what of its settings is asked for each call."""

    __slots__ = ("bytes_share", "calls_share", "deps", "most_bytes", "most_calls", "running", "sent")

    def __init__(self, deps: Deps) -> None:
        settings = deps.settings
        self.deps, self.sent = deps, deps.upstreams.sent
        self.most_calls, self.calls_share = settings.calls_in_flight, quarter(settings.calls_in_flight)
        self.most_bytes, self.bytes_share = settings.bytes_in_flight, quarter(settings.bytes_in_flight)

        self.running: set[Running] = set()
        """Calls that were sent by their plan and wait for their answers."""
        self.sent.watch(self.running)
        deps.calls.watch(self.running)

    def left(self, why: str) -> None:
        """Count a call that leaves its plan."""
        self.deps.slots.add(_LEFT[why])
