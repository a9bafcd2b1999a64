"""Breakers: what fails again and again is left alone for a moment, then tried by one at a time.

A server rests for everybody only for what is the server's: no connection to it can be made, and finding that out
takes time or work. (Where nobody listens it takes neither, and a server that starts again is served at once.) What
becomes of a call that was sent (no answer in time, an answer that breaks off) may be the tool's or its arguments', so
it rests one caller's calls of one tool, and nobody else's. Any whole answer ends both. Called by `health`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from proxy.caches.bounded import Bounded

_FAILURES = 5
_REST_S = 5.0
_SHORT_REST_S = 0.5
"""After connections that were closed again or lost their way at once: who starts again is soon served."""
_KEPT = 10_000
_KEPT_LINES = 256


@dataclass  # without slots, since it is compiled
class _Row:
    """Failures in a row of one kind."""

    failures: int = 0
    resting_until: float = 0.0
    rest: float = _REST_S

    def failed(self, rest: float) -> None:
        self.failures += 1
        self.rest = rest
        if self.failures >= _FAILURES:
            self.resting_until = time.monotonic() + rest

    def admits(self) -> bool:
        """Whether one may try; after a rest one may, and for the others a new rest begins."""
        if self.failures < _FAILURES:
            return True
        now = time.monotonic()
        if now < self.resting_until:
            return False
        self.resting_until = now + self.rest
        return True


@dataclass  # without slots, since it is compiled
class _State:
    connecting: _Row = field(default_factory=_Row)
    calls: Bounded[tuple[str, str], _Row] = field(default_factory=lambda: Bounded(_KEPT_LINES))
    """By tool and caller."""


class Breakers:
    """The circuit breakers of one worker: for each upstream one, and one for each caller's calls of each tool."""

    def __init__(self) -> None:
        self._states: Bounded[str, _State] = Bounded(_KEPT)
        self.against: Callable[[str], object] = self._states.peek
        """Whatever is against an upstream, for anybody; None for nothing. The warm path."""

    def doubts(self, upstream: str) -> bool:
        """Whether anything is against it, for anybody."""
        return self._states.peek(upstream) is not None

    def doubts_call(self, upstream: str, tool: str, caller: str) -> bool:
        """Whether a call of this caller of this tool has failed since the last answer, or a connection has."""
        state = self._states.peek(upstream)
        return state is not None and (state.connecting.failures > 0 or (tool, caller) in state.calls)

    def rests(self, upstream: str) -> bool:
        """Whether nobody may try to reach it now; after a rest one is let through, and the others rest again."""
        state = self._states.get(upstream)
        return state is not None and not state.connecting.admits()

    def rests_call(self, upstream: str, tool: str, caller: str) -> bool:
        """The same of this caller's calls of this tool."""
        state = self._states.get(upstream)
        row = None if state is None else state.calls.get((tool, caller))
        return row is not None and not row.admits()

    def failed_to_connect(self, upstream: str, *, slowly: bool) -> None:
        """No connection could be made; `slowly`: and it took its time to find that out."""
        self._state(upstream).connecting.failed(_REST_S if slowly else _SHORT_REST_S)

    def call_failed(self, upstream: str, tool: str, caller: str) -> None:
        """A call that was sent was not answered whole."""
        state = self._state(upstream)
        state.connecting = _Row()  # it could be sent
        row = state.calls.get((tool, caller))
        if row is None:
            row = _Row()
            state.calls.put((tool, caller), row)
        row.failed(_REST_S)

    def answered(self, upstream: str, tool: str, caller: str) -> None:
        """The upstream is alive, and so is this tool for this caller."""
        state = self._states.peek(upstream)
        if state is None:
            return
        state.connecting = _Row()
        state.calls.pop((tool, caller))
        if not len(state.calls):
            self._states.pop(upstream)

    def forget(self, upstream: str) -> None:
        """It was discovered again: nothing is against it."""
        self._states.pop(upstream)

    def _state(self, upstream: str) -> _State:
        state = self._states.get(upstream)
        if state is None:
            state = _State()
            self._states.put(upstream, state)
        return state
