from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control.accounts.times import next_refresh, rest_after

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("life", "luck", "ahead"),
    [(3600, 0.0, 300), (3600, 1.0, 600), (600, 0.0, 120), (600, 0.5, 180), (0, 1.0, 0), (-60, 0.5, 0)],
)
def test_the_next_refresh_is_ahead_of_the_end(life: int, luck: float, ahead: int) -> None:
    ends = NOW + timedelta(seconds=life)
    assert next_refresh(ends, NOW, luck) == ends - timedelta(seconds=ahead)


def test_what_never_ends_is_never_refreshed_by_itself() -> None:
    assert next_refresh(None, NOW, 0.5) is None


@pytest.mark.parametrize(
    ("failing", "wanted", "least", "most"),
    [
        (None, 0, 3.75, 6.25),
        (timedelta(seconds=1), 0, 3.75, 6.25),
        (timedelta(seconds=60), 0, 45, 75),
        (timedelta(days=3), 0, 225, 375),
        (None, 120, 120, 132),
        (timedelta(days=3), 3600, 3600, 3960),
        (timedelta(seconds=-5), 0, 3.75, 6.25),
    ],
)
def test_a_provider_rests_for_as_long_as_it_has_failed_and_never_shorter_than_it_wants(
    failing: timedelta | None, wanted: float, least: float, most: float
) -> None:
    since = None if failing is None else NOW - failing
    rests = [rest_after(since, NOW, wanted, luck).total_seconds() for luck in (0.0, 0.5, 1.0)]
    assert rests == sorted(rests)
    assert rests[0] == pytest.approx(least)
    assert rests[2] == pytest.approx(most)
