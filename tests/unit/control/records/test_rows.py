from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.records import rows
from control.records.rows import KeptTimes, days_of, rows_of
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


ODD = st.text(max_size=12) | st.sampled_from(["nul\0", "\x1b[31m", "\u202etxt", "Zoë 中"])


@given(
    st.builds(
        a_record,
        status=ODD,
        client=ODD,
        principal=ODD,
        tool=ODD,
        time=st.floats(),
        duration_ms=st.floats(),
        arguments_sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
        bytes_in=st.integers(1, 2**60),
        bytes_out=st.integers(1, 2**60),
    )
)
def test_a_row_becomes_what_its_whole_record_becomes(record: CallRecord) -> None:
    record = msgspec.structs.replace(record, request_id=record.id)
    _, whole = rows_of(Batch("w", 1, 0, [record]), RECEIVED, 30)
    _, lined = rows_of(Batch("w", 1, 0, [as_row(1, record)], [a_record(), line_of(record)], FORMAT), RECEIVED, 30)
    assert repr(lined[0][:-1]) == repr(whole[0][:-1])  # by text, since what is no number equals nothing
    assert sorted(map(repr, lined[0][-1].items())) == sorted(map(repr, whole[0][-1].items()))


@given(st.text())
def test_texts_that_need_no_cleaning_are_told_from_those_that_do(text: str) -> None:
    _, [values] = rows_of(Batch("w", 1, 0, [a_record(tool=text)]), RECEIVED, 30)
    assert values[5] == rows._STEERING.sub("\ufffd", text)


def test_the_identifier_of_a_row_is_its_requests_and_an_odd_one_is_replaced() -> None:
    record = a_record(id="x\0", arguments_sha256="00" * 32)
    _, [values] = rows_of(Batch("w", 1, 0, [as_row(0, record)], [line_of(record)], FORMAT), RECEIVED, 30)
    assert len(values[0]) == 36
    assert (values[10], values[12]["id"], values[12]["request_id"]) == ("x\ufffd", "x\ufffd", "x\ufffd")
