"""A batch of records as rows of the database: pure.

Called by the consumer: packed for COPY, or as values for records that must go one by one. Whatever a proxy sent has a
row: marks that Postgres cannot keep (NUL), that steer a terminal or that turn text around (a client states its own
name) are replaced, a time that lies outside the days that are kept (a wrong clock) becomes the time of receipt;
`record` keeps what was said. What many records have in common is made once a batch.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec.structs import replace

from control.store.copied_records import EPOCH, PackedLine, RecordValues, microseconds, packed_record, packed_text
from control.store.records import BatchRow
from core.identifiers import new_id
from core.records import Batch, CallRecord, Row

_AHEAD = timedelta(days=1)
# C0 and C1 controls, line and paragraph separators, bidirectional marks, lone surrogates. None of them is printable.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_IDENTIFIER: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_OWN: Final = frozenset(
    {"id", "time", "duration_ms", "request_id", "status", "arguments_sha256", "bytes_in", "bytes_out"}
)
"""Members of `record` that each row has for itself."""
_UNIX: Final = round(EPOCH.timestamp() * 1_000_000)
_DAY: Final = 86_400_000_000
_LINES: Final = 4_096
"""Lines that are remembered, 2 KB each."""
_STATUSES: Final = 256

_Common: TypeAlias = tuple[tuple[str, ...], dict[str, Any]]
"""What rows have in common: seven columns, from `principal` on, and the members of `record`."""


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """A batch's row, and its records packed for COPY."""

    row: BatchRow
    days: frozenset[date]
    """Days (UTC) whose partitions the records need."""
    records: bytes


def rows_of(batch: Batch, received: datetime, days_kept: int) -> tuple[BatchRow, list[RecordValues]]:
    """The batch's row and the values of its records."""
    kept, lines = KeptTimes(received, days_kept), [_line(one) for one in batch.lines]
    rows = [
        _of_row(one, lines, kept.of(one[2])) if isinstance(one, tuple) else _of_record(one, kept.of(one.time))
        for one in batch.records
    ]
    return _batch_row(batch, [row[1] for row in rows]), rows


class Packing:
    """Packs batches for COPY. Lines come again in batch after batch, so they are remembered, packed."""

    def __init__(self, days_kept: int) -> None:
        self._days_kept = days_kept
        self._line = lru_cache(_LINES)(_packed_line)
        self._status = lru_cache(_STATUSES)(_packed_status)

    def packed(self, batch: Batch, received: datetime) -> PackedBatch:
        """The batch's row, and its records: the same values as those of `rows_of`."""
        kept, lines = KeptTimes(received, self._days_kept), [self._line(one) for one in batch.lines]
        times = [kept.microseconds(one[2] if isinstance(one, tuple) else one.time) for one in batch.records]
        records = [
            self._row(lines[one[0]], one, one[5].hex(), time) if isinstance(one, tuple) else self._record(one, time)
            for one, time in zip(batch.records, times, strict=True)
        ]
        span = [_moment(min(times)), _moment(max(times))] if times else []
        days = frozenset(_moment(day * _DAY).date() for day in {time // _DAY for time in times})
        return PackedBatch(_batch_row(batch, span), days, b"".join(records))

    def _row(self, line: PackedLine, row: Row, digest: str, time: int) -> bytes:
        _, call_id, said, duration_ms, status, _, bytes_in, bytes_out = row
        status, packed_status = self._status(status)
        record_id = call_id
        if not _IDENTIFIER.fullmatch(call_id):
            record_id, call_id = _identifier(call_id), _clean(call_id)
        own = _own(call_id, said, duration_ms, status, digest, bytes_in, bytes_out)
        return line.packed(record_id, time, packed_status, packed_text(call_id), duration_ms, own)

    def _record(self, record: CallRecord, time: int) -> bytes:
        """One that came whole: nearly always it has a line in common with others all the same."""
        if record.request_id != record.id:
            return packed_record(_of_record(record, _moment(time)))
        line = replace(
            record, id="", time=0.0, duration_ms=0.0, request_id="", status="", arguments_sha256="", bytes_in=0,
            bytes_out=0,
        )  # fmt: skip
        row = (
            0, record.id, record.time, record.duration_ms, record.status, b"", record.bytes_in, record.bytes_out
        )  # fmt: skip
        return self._row(self._line(line), row, _clean(record.arguments_sha256), time)


def _packed_line(line: CallRecord) -> PackedLine:
    return PackedLine(*_line(line))


def _packed_status(status: str) -> tuple[str, bytes]:
    clean = _clean(status)
    return clean, packed_text(clean)


def _batch_row(batch: Batch, times: list[datetime]) -> BatchRow:
    first, last = (min(times), max(times)) if times else (None, None)
    return BatchRow(_clean(batch.worker), batch.number, len(batch.records), max(0, batch.dropped), first, last)


def days_of(rows: list[RecordValues]) -> set[date]:
    """The days (UTC) whose partitions the rows need."""
    return {row[1].date() for row in rows}


class KeptTimes:
    """Says at which times records are kept that came together."""

    def __init__(self, received: datetime, days_kept: int) -> None:
        first = received.astimezone(UTC).date() - timedelta(days=days_kept - 1)
        self._received = microseconds(received)
        self._oldest = datetime.combine(first, time(), UTC).timestamp()
        self._newest = (received + _AHEAD).timestamp()

    def of(self, seconds: float) -> datetime:
        """The time at which a record is kept that says this one."""
        return _moment(self.microseconds(seconds))

    def microseconds(self, seconds: float) -> int:
        """The same, since 2000."""
        if self._oldest <= seconds <= self._newest:
            return round(seconds * 1_000_000) - _UNIX
        return self._received  # for what is no number too


def _moment(time: int) -> datetime:
    return EPOCH + timedelta(microseconds=time)


def _line(line: CallRecord) -> _Common:
    members = _clean(msgspec.to_builtins(line))
    return _common(line), {name: value for name, value in members.items() if name not in _OWN}


def _common(record: CallRecord) -> tuple[str, ...]:
    return (
        _clean(record.principal), _clean(record.token_id), _clean(record.gateway_id), _clean(record.tool),
        _clean(record.entry_id), _clean(record.installation_id), record.decision,
    )  # fmt: skip


def _of_row(row: Row, lines: list[_Common], kept: datetime) -> RecordValues:
    line, call_id, said, duration_ms, status, digest, bytes_in, bytes_out = row
    common, members = lines[line]
    call_id, status = _clean(call_id), _clean(status)
    own = _own(call_id, said, duration_ms, status, digest.hex(), bytes_in, bytes_out)
    return (_identifier(call_id), kept, *common, status, call_id, duration_ms, {**members, **own})


def _own(
    call_id: str, time: float, duration_ms: float, status: str, digest: str, bytes_in: int, bytes_out: int
) -> dict[str, Any]:
    return {
        "id": call_id,
        "time": time,
        "duration_ms": duration_ms,
        "request_id": call_id,
        "status": status,
        "arguments_sha256": digest,
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
    }


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
