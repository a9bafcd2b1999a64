"""Whether control answers: what its client learns from each question, and what callers need not wait for therefore.

`control_client.py` tells it when a question begins and how it ends. Three failures in a row leave control alone, but
for one probe a second. Before that, control is *late* as soon as a question failed, or has waited for longer than the
patience while no other was answered: then whoever can be served by an older value waits for nothing, until there is
an answer again.
"""

import time
from typing import Final

from proxy.caches.two_ages import PATIENCE_S

FAILURES: Final = 3
PROBE_S: Final = 1.0


class ControlPulse:
    """What the last questions to control tell of it."""

    __slots__ = ("_answered", "_failures", "_next_try", "_running")

    def __init__(self) -> None:
        self._failures = 0
        self._next_try = 0.0
        self._answered = 0.0
        self._running: dict[object, float] = {}
        """When each question that has no answer yet was asked, the oldest first."""

    @property
    def away(self) -> bool:
        """Whether control is being left alone just now."""
        return self._failures >= FAILURES and time.monotonic() < self._next_try

    @property
    def late(self) -> bool:
        """Whether control has left a question without an answer, and has given none since."""
        if self._failures:
            return True
        oldest = next(iter(self._running.values()), None)
        return oldest is not None and time.monotonic() - max(oldest, self._answered) > PATIENCE_S

    def patience(self) -> float:
        """For how many seconds a call that an older value could serve waits for control."""
        return 0.0 if self.late else PATIENCE_S

    def begins(self, question: object) -> None:
        """A question is on its way; where control is being left alone, this one is the probe."""
        if self._failures >= FAILURES:
            self._next_try = time.monotonic() + PROBE_S
        self._running[question] = time.monotonic()

    def ends(self, question: object) -> None:
        """Nobody waits for the question any more."""
        self._running.pop(question, None)

    def answers(self) -> None:
        """Control has answered."""
        self._failures = 0
        self._answered = time.monotonic()

    def fails(self) -> None:
        """No address of control gave an answer."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._next_try = time.monotonic() + PROBE_S
