"""Moments in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from control.console.moments import ago, exact

NOW = datetime(2026, 11, 28, 20, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "spoken"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=59), "59 seconds ago"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=45), "1 month ago"),
        (timedelta(days=800), "2 years ago"),
        (-timedelta(days=3), "in 3 days"),
        (-timedelta(days=7) + timedelta(seconds=1), "in 7 days"),
        (-timedelta(days=90) + timedelta(seconds=1), "in 3 months"),
        (-timedelta(days=365) + timedelta(seconds=1), "in 12 months"),
        (-timedelta(hours=1, minutes=10), "in 1 hour"),
        (-timedelta(seconds=4), "just now"),
    ],
)
def test_the_past_is_said_in_whole_units_and_what_is_to_come_in_the_nearest_number(
    before: timedelta, spoken: str
) -> None:
    assert ago(NOW - before, NOW) == spoken


def test_the_exact_time_is_in_utc() -> None:
    assert exact(NOW.astimezone(timezone(timedelta(hours=2)))) == "2026-11-28 20:00:00 UTC"
