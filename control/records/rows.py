"""A batch of records as rows of the database: pure.

Called by the consumer. Whatever a proxy sent has a row: marks that Postgres cannot keep (NUL), that steer a terminal
or that turn text around (a client states its own name) are replaced, a time that lies outside the days that are kept
(a wrong clock) becomes the time of receipt; `record` keeps what was said. What many records have in common is made
once a batch.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from control.store.records import BatchRow, RecordValues
from core.identifiers import new_id
from core.records import Batch, CallRecord, Row

_AHEAD = timedelta(days=1)
# C0 and C1 controls, line and paragraph separators, bidirectional marks, lone surrogates. None of them is printable.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_IDENTIFIER: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_Line: TypeAlias = tuple[tuple[str, ...], dict[str, Any]]
"""What rows have in common: seven columns, from `principal` on, and the members of `record`."""


def rows_of(batch: Batch, received: datetime, days_kept: int) -> tuple[BatchRow, list[RecordValues]]:
    """The batch's row and its records'."""
    kept, lines = KeptTimes(received, days_kept), [_line(one) for one in batch.lines]
    rows = [
        _of_row(one, lines, kept.of(one[2])) if isinstance(one, tuple) else _of_record(one, kept.of(one.time))
        for one in batch.records
    ]
    times = [row[1] for row in rows]
    first, last = (min(times), max(times)) if times else (None, None)
    return BatchRow(_clean(batch.worker), batch.number, len(rows), max(0, batch.dropped), first, last), rows


def days_of(rows: list[RecordValues]) -> set[date]:
    """The days (UTC) whose partitions the rows need."""
    return {row[1].date() for row in rows}


class KeptTimes:
    """Says at which times records are kept that came together."""

    def __init__(self, received: datetime, days_kept: int) -> None:
        first = received.astimezone(UTC).date() - timedelta(days=days_kept - 1)
        self._received = received
        self._oldest = datetime.combine(first, time(), UTC).timestamp()
        self._newest = (received + _AHEAD).timestamp()

    def of(self, seconds: float) -> datetime:
        """The time at which a record is kept that says this one."""
        if self._oldest <= seconds <= self._newest:
            return datetime.fromtimestamp(seconds, UTC)
        return self._received  # for what is no number too


def _line(line: CallRecord) -> _Line:
    return _common(line), _clean(msgspec.to_builtins(line))


def _common(record: CallRecord) -> tuple[str, ...]:
    return (
        _clean(record.principal), _clean(record.token_id), _clean(record.gateway_id), _clean(record.tool),
        _clean(record.entry_id), _clean(record.installation_id), record.decision,
    )  # fmt: skip


def _of_row(row: Row, lines: list[_Line], kept: datetime) -> RecordValues:
    line, call_id, said, duration_ms, status, digest, bytes_in, bytes_out = row
    common, members = lines[line]
    call_id, status = _clean(call_id), _clean(status)
    record = {
        **members,
        "id": call_id,
        "time": said,
        "duration_ms": duration_ms,
        "request_id": call_id,
        "status": status,
        "arguments_sha256": digest.hex(),
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
    }
    return (_identifier(call_id), kept, *common, status, call_id, duration_ms, record)


def _of_record(record: CallRecord, kept: datetime) -> RecordValues:
    return (
        _identifier(record.id), kept, *_common(record), _clean(record.status), _clean(record.request_id),
        record.duration_ms, _clean(msgspec.to_builtins(record)),
    )  # fmt: skip


def _identifier(text: str) -> str:
    if _IDENTIFIER.fullmatch(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        return new_id()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isprintable() else _STEERING.sub("\ufffd", value)
    return {name: _clean(one) for name, one in value.items()} if isinstance(value, dict) else value
