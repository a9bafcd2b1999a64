"""A breaker per upstream: after failures in a row it is left alone, then tried with one call at a time.

Only faults of the transport count: an upstream that answers, even with an error, is alive.
"""

import time
from dataclasses import dataclass

from proxy.caches.bounded import Bounded

_FAILURES = 5
_REST_S = 5.0
_KEPT = 10_000


@dataclass(slots=True)
class _State:
    failures: int = 0
    resting_until: float = 0.0


class Breakers:
    """The circuit breakers of one worker, one for each installation."""

    def __init__(self) -> None:
        self._states: Bounded[str, _State] = Bounded(_KEPT)

    def admits(self, upstream: str) -> bool:
        """Whether a call may try; after a rest one call is let through, and a new rest begins for the others."""
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
        return self._states.peek(upstream) is not None

    def failed(self, upstream: str) -> None:
        """The transport failed."""
        state = self._states.get(upstream)
        if state is None:
            state = _State()
            self._states.put(upstream, state)
        state.failures += 1
        if state.failures >= _FAILURES:
            state.resting_until = time.monotonic() + _REST_S

    def answered(self, upstream: str) -> None:
        """The upstream is alive."""
        if self._states.peek(upstream) is not None:
            self._states.pop(upstream)
