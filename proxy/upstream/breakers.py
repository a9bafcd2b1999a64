"""A breaker per upstream: after failures in a row it is left alone, then tried with one call at a time.

Only faults of the transport count: an upstream that answers, even with an error, is alive.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass

_FAILURES = 5
_REST_S = 5.0
_KEPT = 10_000


@dataclass(slots=True)
class _State:
    failures: int = 0
    resting_until: float = 0.0


class Breakers:
    """Breakers by installation."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, _State] = OrderedDict()

    def admits(self, upstream: str) -> bool:
        """Whether a call may try; after a rest one call is let through, and the rest begins anew for the others."""
        state = self._states.get(upstream)
        if state is None or state.failures < _FAILURES:
            return True
        now = time.monotonic()
        if now < state.resting_until:
            return False
        state.resting_until = now + _REST_S
        return True

    def doubts(self, upstream: str) -> bool:
        """Whether it has failed since it last answered."""
        return upstream in self._states

    def failed(self, upstream: str) -> None:
        """The transport failed."""
        state = self._states.setdefault(upstream, _State())
        state.failures += 1
        if state.failures >= _FAILURES:
            state.resting_until = time.monotonic() + _REST_S
        self._states.move_to_end(upstream)
        while len(self._states) > _KEPT:
            self._states.popitem(last=False)

    def answered(self, upstream: str) -> None:
        """The upstream is alive."""
        self._states.pop(upstream, None)
