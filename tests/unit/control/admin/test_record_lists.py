"""Where lists of records and of gaps go on. What there never was: `tests/control/test_records_api.py`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from control.admin.record_lists import gap_key, gap_place, record_key, record_place
from control.http.paging import make_cursor
from control.http.problems import Problem
from control.store.records import KeptGap, KeptRecord

AT = datetime(2026, 11, 28, 19, 40, 12, 345678, tzinfo=UTC)
RECORD = KeptRecord("0197c9c0-0000-7000-8000-000000000001", AT, {})
GAP = KeptGap("a worker", 7, 5, 6, 0, None, AT, AT)


def test_a_list_goes_on_behind_what_was_shown_last() -> None:
    assert record_place(make_cursor(record_key(RECORD))) == (AT, RECORD.id)
    assert gap_place(make_cursor(gap_key(GAP))) == (AT, "a worker", 7)


def test_without_a_cursor_a_list_begins() -> None:
    assert record_place("") is None
    assert gap_place("") is None


@pytest.mark.parametrize(
    "key",
    [
        "now",
        f"now {RECORD.id}",
        f"{AT.isoformat()} x",
        f"2026-11-28 {RECORD.id}",
        f"0001-01-01T00:00Z {RECORD.id}",
    ],
)
def test_what_is_no_place_among_records_is_refused(key: str) -> None:
    with pytest.raises(Problem) as refusal:
        record_place(make_cursor(key))
    assert [one.field for one in refusal.value.errors] == ["cursor"]


@pytest.mark.parametrize(
    "key", ["now 7 w", f"{AT.isoformat()} -1 w", f"{AT.isoformat()} 7 w\0", f"{AT.isoformat()} ² w"]
)
def test_what_is_no_place_among_gaps_is_refused(key: str) -> None:
    with pytest.raises(Problem):
        gap_place(make_cursor(key))
