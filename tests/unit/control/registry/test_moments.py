"""How points in time are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from control.registry.moments import in_utc


def test_a_moment_is_written_in_utc_to_the_millisecond() -> None:
    noon = datetime(2030, 1, 31, 12, 0, 0, 123_987, tzinfo=timezone(timedelta(hours=2)))
    assert in_utc(noon) == "2030-01-31T10:00:00.123Z"
    assert in_utc(datetime(2030, 1, 31, tzinfo=UTC)) == "2030-01-31T00:00:00.000Z"
