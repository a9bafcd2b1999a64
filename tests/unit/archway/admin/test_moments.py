from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from archway.admin.moments import NoPeriod, before_now, from_now, period

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("45s", timedelta(seconds=45)),
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_period_is_a_number_and_a_letter(text: str, length: timedelta) -> None:
    assert period(text) == length


@pytest.mark.parametrize(
    "text", ["", "90", "d", "90 d", "90D", "1.5h", "-1d", "+1d", "3mo", "1y", "1d12h", "٣d", "0d", "99999999w"]
)
def test_what_says_no_period_is_told_what_does(text: str) -> None:
    with pytest.raises(NoPeriod, match="takes"):
        period(text)


def test_a_period_lies_ahead_or_back() -> None:
    assert from_now("90d", NOON) == "2027-02-26T12:00:00Z"
    assert before_now("1h", NOON) == "2026-11-28T11:00:00Z"


@pytest.mark.parametrize("text", ["2026-11-01T00:00:00Z", "2026-11-01T02:00:00+02:00", "2026-11-01"])
def test_a_moment_is_left_to_the_api(text: str) -> None:
    assert before_now(text, NOON) == text


@pytest.mark.parametrize("text", ["yesterday", "1", "now", "12:00"])
def test_what_is_neither_a_moment_nor_a_period_is_told_both_forms(text: str) -> None:
    with pytest.raises(NoPeriod, match=r"such as 90m, 1h or 2d, or a moment with time zone"):
        before_now(text)
