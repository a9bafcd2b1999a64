"""Records of calls as a test reads them: each whole, in whatever form a batch has it."""

from __future__ import annotations

import msgspec

from core.records import Batch, CallRecord, Row
from proxy.records.keeper import LinedRow, RecordKeeper


def whole_records(batch: Batch) -> list[CallRecord]:
    """Every record of the batch, in order."""
    return [_whole(batch.lines[one[0]], one) if isinstance(one, tuple) else one for one in batch.records]


def waiting_records(keeper: RecordKeeper) -> list[CallRecord]:
    """Every record that the keeper has not sent yet, in order."""
    return [_whole(one[0], one) if isinstance(one, tuple) else one for one in keeper._waiting]


def as_row(line: int, record: CallRecord) -> Row:
    """What of the record is its own."""
    return (
        line, record.id, record.time, record.duration_ms, record.status, bytes.fromhex(record.arguments_sha256),
        record.bytes_in, record.bytes_out,
    )  # fmt: skip


def line_of(record: CallRecord) -> CallRecord:
    """What the record has in common with others of its plan."""
    return msgspec.structs.replace(
        record, id="", time=0.0, duration_ms=0.0, request_id="", status="", arguments_sha256="", bytes_in=0,
        bytes_out=0,
    )  # fmt: skip


def _whole(line: CallRecord, row: Row | LinedRow) -> CallRecord:
    _, call_id, time, duration_ms, status, digest, bytes_in, bytes_out = row
    return msgspec.structs.replace(
        line, id=call_id, time=time, duration_ms=duration_ms, request_id=call_id, status=status,
        arguments_sha256=digest.hex(), bytes_in=bytes_in, bytes_out=bytes_out,
    )  # fmt: skip
