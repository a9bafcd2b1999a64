"""How renewals of accounts ended and how long they took, counted in the memory of one control.

Filled by `control/accounts/renewals.py`, read by `exposition.py`. Counters begin at 0 when control starts.
"""

from bisect import bisect_left

from control.telemetry.metrics import BOUNDS, OUTCOMES, Outcome


class RenewalCounts:
    """How renewals of accounts ended in one control, and how long they took."""

    def __init__(self) -> None:
        self.ended: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
        """Renewals, by how they ended."""
        self.buckets = [0] * (len(BOUNDS) + 1)
        """How many took longer than the bound before, and no longer than this one; the last: longer than all."""
        self.seconds = 0.0
        """What all took together."""

    def note(self, outcome: Outcome, seconds: float) -> None:
        """A renewal ended."""
        self.ended[outcome] += 1
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds
