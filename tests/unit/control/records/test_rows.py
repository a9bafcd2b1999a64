from __future__ import annotations

import struct
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.records import rows
from control.records.rows import KeptTimes, PackedBatch, Packing, days_of, rows_of
from control.store.copied_records import RecordValues, packed_record
from core.identifiers import new_id
from core.records import FORMAT, Batch, CallRecord
from tests.fakes.call_records import as_row, line_of

RECEIVED = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_record(**fields: Any) -> CallRecord:
    usual = {"id": new_id(), "time": RECEIVED.timestamp(), "duration_ms": 1, "request_id": "r", "status": "ok"}
    return CallRecord(**{**usual, "decision": "allowed", "method": "tools/call", **fields})


def test_a_batch_tells_the_span_of_its_records() -> None:
    records = [a_record(time=RECEIVED.timestamp() - age) for age in (5, 9, 2)]
    row, values = rows_of(Batch("w1", 4, 1, records), RECEIVED, 30)
    assert (row.worker, row.number, row.records, row.dropped) == ("w1", 4, 3, 1)
    assert (row.first_time, row.last_time) == (RECEIVED - timedelta(seconds=9), RECEIVED - timedelta(seconds=2))
    assert len(values) == 3


def test_an_empty_batch_has_no_span() -> None:
    row, values = rows_of(Batch("w1", 1, 7, []), RECEIVED, 30)
    assert (row.first_time, row.last_time, values) == (None, None, [])


@pytest.mark.parametrize(
    ("seconds_off", "kept"),
    [(0, True), (3_600, True), (86_401, False), (-2 * 86_400, True), (-3 * 86_400, False)],
)
def test_a_time_outside_the_kept_days_becomes_the_time_of_receipt(seconds_off: float, kept: bool) -> None:
    time = RECEIVED + timedelta(seconds=seconds_off)
    assert KeptTimes(RECEIVED, 3).of(time.timestamp()) == (time if kept else RECEIVED)


@given(st.floats())
def test_every_float_has_a_time(seconds: float) -> None:
    assert abs(KeptTimes(RECEIVED, 30).of(seconds) - RECEIVED) < timedelta(days=31)


def test_nul_is_replaced_everywhere_and_an_odd_identifier_by_a_new_one() -> None:
    _, [values] = rows_of(Batch("w\0", 1, 0, [a_record(id="x", tool="a\0b")]), RECEIVED, 30)
    assert "\0" not in repr(values).replace("\\x00", "\0")
    assert len(values[0]) == 36


@pytest.mark.parametrize("mark", ["\x1b", "\x07", "\n", "\x7f", "\x9b", "\u202e", "\u2066"])
def test_marks_that_steer_a_terminal_or_turn_text_around_are_replaced(mark: str) -> None:
    _, [values] = rows_of(Batch("w", 1, 0, [a_record(client=f"Zoë{mark}[31m", tool=f"a{mark}")]), RECEIVED, 30)
    assert (values[5], values[12]["client"], values[12]["tool"]) == ("a\ufffd", "Zoë\ufffd[31m", "a\ufffd")


def test_days_are_counted_in_utc() -> None:
    _, values = rows_of(Batch("w", 1, 0, [a_record(time=RECEIVED.timestamp() - 86_400), a_record()]), RECEIVED, 30)
    assert days_of(values) == {date(2026, 11, 20), date(2026, 11, 21)}


def test_what_is_packed_is_what_is_kept_one_by_one() -> None:
    records = [
        a_record(principal=f"user:{at % 2}", arguments_sha256="ab" * 32, bytes_in=1, bytes_out=2) for at in range(6)
    ]
    records = [msgspec.structs.replace(one, request_id=one.id) for one in records]
    lines = [line_of(one) for one in records[:2]]
    batch = Batch("w", 4, 3, [as_row(at % 2, one) for at, one in enumerate(records)], lines, FORMAT)
    batch_row, values = rows_of(batch, RECEIVED, 30)
    found = Packing(30).packed(batch, RECEIVED)
    assert found == PackedBatch(batch_row, frozenset(days_of(values)), b"".join(map(packed_record, values)))


ODD = st.text(max_size=12) | st.sampled_from(["nul\0", "\x1b[31m", "\u202etxt", "Zoë 中"])


CALL = st.builds(
    a_record,
    id=st.builds(new_id) | ODD,
    status=ODD,
    client=ODD,
    principal=ODD,
    tool=ODD,
    time=st.floats(),
    duration_ms=st.floats(),
    arguments_sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    bytes_in=st.integers(0, 2**60),
    bytes_out=st.integers(0, 2**60),
)


@given(CALL)
def test_a_row_becomes_what_its_whole_record_becomes(record: CallRecord) -> None:
    record = msgspec.structs.replace(record, request_id=record.id)
    _, whole = rows_of(Batch("w", 1, 0, [record]), RECEIVED, 30)
    lined = Batch("w", 1, 0, [as_row(1, record)], [a_record(), line_of(record)], FORMAT)
    _, rows = rows_of(lined, RECEIVED, 30)
    assert told(rows[0]) == told(whole[0])
    for batch in (lined, Batch("w", 1, 0, [record])):
        assert told(unpacked(Packing(30).packed(batch, RECEIVED).records)) == told(whole[0])


@given(CALL)
def test_a_record_whose_request_is_another_is_packed_too(record: CallRecord) -> None:
    batch = Batch("w", 1, 0, [record])
    _, [values] = rows_of(batch, RECEIVED, 30)
    assert told(unpacked(Packing(30).packed(batch, RECEIVED).records)) == told(values)


def told(values: RecordValues) -> list[str]:
    """By text, since what is no number equals nothing; as JSON has it. An identifier that was made is any."""
    record_id, *others, record = values
    known = record_id if record_id == record["id"] else len(record_id)
    members = msgspec.structs.asdict(msgspec.convert({**record, "duration_ms": 0.0, "time": 0.0}, CallRecord))
    return [
        repr(known),
        *map(repr, others),
        repr(members),
        repr(orjson.dumps([record["duration_ms"], record["time"]])),
    ]


def unpacked(body: bytes) -> RecordValues:
    """One record, as PostgreSQL reads it."""
    columns, at = struct.unpack_from(">h", body)[0], 2
    values = []
    for _ in range(columns):
        (length,) = struct.unpack_from(">i", body, at)
        values.append(body[at + 4 : at + 4 + length])
        at += 4 + length
    assert at == len(body)
    record_id, time, *texts, duration_ms, record = values
    since = timedelta(microseconds=int.from_bytes(time, "big", signed=True))
    assert record[0] == 1
    return (
        str(UUID(bytes=record_id)), datetime(2000, 1, 1, tzinfo=UTC) + since, *[one.decode() for one in texts],
        struct.unpack(">d", duration_ms)[0], orjson.loads(record[1:]),
    )  # fmt: skip


@given(st.text())
def test_texts_that_need_no_cleaning_are_told_from_those_that_do(text: str) -> None:
    _, [values] = rows_of(Batch("w", 1, 0, [a_record(tool=text)]), RECEIVED, 30)
    assert values[5] == rows._STEERING.sub("\ufffd", text)


def test_the_identifier_of_a_row_is_its_requests_and_an_odd_one_is_replaced() -> None:
    record = a_record(id="x\0", arguments_sha256="00" * 32)
    _, [values] = rows_of(Batch("w", 1, 0, [as_row(0, record)], [line_of(record)], FORMAT), RECEIVED, 30)
    assert len(values[0]) == 36
    assert (values[10], values[12]["id"], values[12]["request_id"]) == ("x\ufffd", "x\ufffd", "x\ufffd")
