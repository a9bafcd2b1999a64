from __future__ import annotations

import pytest

from control.telemetry.metrics import BOUNDS
from control.telemetry.renewal_counts import RenewalCounts


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, 0), (BOUNDS[0], 0), (BOUNDS[0] + 0.01, 1), (BOUNDS[-1], -2), (BOUNDS[-1] + 1, -1)]
)
def test_a_renewal_falls_into_the_first_bucket_that_is_long_enough(seconds: float, bucket: int) -> None:
    counts = RenewalCounts()
    counts.note("renewed", seconds)
    assert counts.buckets[bucket] == sum(counts.buckets) == 1


def test_outcomes_and_seconds_are_added_up() -> None:
    counts = RenewalCounts()
    for outcome, seconds in (("renewed", 0.5), ("renewed", 1.0), ("away", 2.0)):
        counts.note(outcome, seconds)  # type: ignore[arg-type]  # they are outcomes
    assert (counts.ended["renewed"], counts.ended["away"], counts.ended["refused"]) == (2, 1, 0)
    assert counts.seconds == 3.5
