"""A batch of records as rows: pure.

Called by the consumer. Whatever a proxy sent has a row: marks that Postgres cannot keep (NUL), that steer a terminal
or that turn text around (a client states its own name) are replaced, a time that lies outside the days that are kept
(a wrong clock) becomes the time of receipt; `record` keeps what was said.
"""

import re
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import Any
from uuid import UUID

import msgspec

from control.store.records import BatchRow, RecordValues
from core.identifiers import new_id
from core.records import Batch, CallRecord

_AHEAD = timedelta(days=1)
# C0 and C1 controls, line and paragraph separators, bidirectional marks, lone surrogates.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def rows_of(batch: Batch, received: datetime, days_kept: int) -> tuple[BatchRow, list[RecordValues]]:
    """The batch's row and its records'."""
    times = [kept_time(record.time, received, days_kept) for record in batch.records]
    rows = [_row(record, time) for record, time in zip(batch.records, times, strict=True)]
    first, last = (min(times), max(times)) if times else (None, None)
    return BatchRow(_clean(batch.worker), batch.number, len(rows), max(0, batch.dropped), first, last), rows


def days_of(rows: list[RecordValues]) -> set[date]:
    """The days (UTC) whose partitions the rows need."""
    return {row[1].date() for row in rows}


def kept_time(seconds: float, received: datetime, days_kept: int) -> datetime:
    """The time at which a record is kept."""
    if not isfinite(seconds) or abs(seconds) > 1e11:
        return received
    time = datetime.fromtimestamp(seconds, UTC)
    oldest = received.date() - timedelta(days=days_kept - 1)
    return time if oldest <= time.date() and time <= received + _AHEAD else received


def _row(record: CallRecord, time: datetime) -> RecordValues:
    return (
        _identifier(record.id), time, _clean(record.principal), _clean(record.token_id), _clean(record.gateway_id),
        _clean(record.tool), _clean(record.entry_id), _clean(record.installation_id), record.decision,
        _clean(record.status), _clean(record.request_id), record.duration_ms, _clean(msgspec.to_builtins(record)),
    )  # fmt: skip


def _identifier(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return new_id()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _STEERING.sub("\ufffd", value)
    return {name: _clean(one) for name, one in value.items()} if isinstance(value, dict) else value
