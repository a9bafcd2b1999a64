"""What is looked for among calls, as the fields of a browser say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control.console.activity_query import ActivityQuery, in_utc
from control.http.problems import Problem
from control.http.reading import checked

NOW = datetime(2026, 11, 28, 19, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-28T19:40", "2026-11-28T19:40:00Z"),
        ("2026-11-28T19:40:05", "2026-11-28T19:40:05Z"),
        ("2026-11-28T19:40:05.123", "2026-11-28T19:40:05.123Z"),
        ("2026-11-28T19:40:00+01:00", "2026-11-28T19:40:00+01:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_moment_without_a_zone_is_meant_in_utc(typed: str, meant: str) -> None:
    assert in_utc(typed) == meant


def test_moments_of_a_browser_and_of_the_api_are_both_read() -> None:
    query = checked(ActivityQuery, {"from": "2026-11-28T19:40", "to": "2026-11-28T21:40:00+01:00"})
    wanted = query.wanted_at(NOW, None)
    assert (wanted.since, wanted.until) == (NOW, NOW + timedelta(hours=1))


def test_what_is_no_moment_is_refused_at_its_field() -> None:
    with pytest.raises(Problem) as refusal:
        checked(ActivityQuery, {"from": "2026-02-30T10:00"})
    assert [one.field for one in refusal.value.errors] == ["from"]


@pytest.mark.parametrize(("span", "hours"), [("hour", 1), ("day", 24), ("week", 168)])
def test_a_span_ends_now(span: str, hours: int) -> None:
    assert checked(ActivityQuery, {"within": span}).wanted_at(NOW, None).since == NOW - timedelta(hours=hours)


def test_of_two_beginnings_the_later_one_counts() -> None:
    later = checked(ActivityQuery, {"within": "week", "from": "2026-11-28T10:00"})
    assert later.wanted_at(NOW, None).since == NOW.replace(hour=10, minute=0)
    earlier = checked(ActivityQuery, {"within": "hour", "from": "2026-11-28T10:00"})
    assert earlier.wanted_at(NOW, None).since == NOW - timedelta(hours=1)


def test_whose_records_are_read_is_not_the_querys_to_say() -> None:
    query = checked(ActivityQuery, {"principal": "organisation"})
    assert query.wanted_at(NOW, ["user:me"]).principals == ["user:me"]
