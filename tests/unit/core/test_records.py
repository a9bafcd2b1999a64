from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.records import FORMAT, Batch, CallRecord, read_batch

LINE = CallRecord("", 0.0, 0.0, "", "allowed", "", "tools/call", principal="user:1")
ROW = (0, "id", 1.5, 2.5, "ok", b"\0" * 32, 3, 4)


def test_a_batch_survives_the_wire_and_a_plain_record_is_short() -> None:
    record = CallRecord("id", 1.5, 2.5, "r", "allowed", "ok", "tools/call")
    batch = Batch("w1", 7, 2, [record])
    body = msgspec.msgpack.encode(batch)
    assert msgspec.msgpack.decode(body, type=Batch) == batch
    assert b"trace_id" not in body


def test_rows_and_records_are_read_in_their_order() -> None:
    record = CallRecord("id", 1.5, 2.5, "r", "allowed", "ok", "tools/call")
    batch = Batch("w1", 7, 2, [ROW, record, ROW], [LINE], FORMAT)
    assert read_batch(msgspec.msgpack.encode(batch)) == batch


def test_a_batch_without_rows_is_as_the_version_before_wrote_and_reads_it() -> None:
    record = CallRecord("id", 1.5, 2.5, "r", "allowed", "ok", "tools/call")
    before = _BatchBefore("w1", 7, 2, [record])
    body = msgspec.msgpack.encode(Batch("w1", 7, 2, [record]))
    assert body == msgspec.msgpack.encode(before)
    assert read_batch(body) == Batch("w1", 7, 2, [record])
    assert msgspec.msgpack.decode(body, type=_BatchBefore) == before


def test_the_version_before_refuses_rows_rather_than_leave_them_out() -> None:
    body = msgspec.msgpack.encode(Batch("w1", 7, 2, [ROW], [LINE], FORMAT))
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(body, type=_BatchBefore)


def test_a_row_is_short() -> None:
    one, two = (msgspec.msgpack.encode(Batch("w1", 7, 2, [ROW] * many, [LINE], FORMAT)) for many in (1, 2))
    assert len(two) - len(one) < 200


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"format": FORMAT + 1}, id="of a later form"),
        pytest.param({"format": 0}, id="of no form"),
        pytest.param({"records": [(1, *ROW[1:])]}, id="a line that is not there"),
        pytest.param({"records": [ROW, (-1, *ROW[1:])]}, id="a line before the first"),
        pytest.param({"lines": []}, id="no lines"),
        pytest.param({"records": [(*ROW[:5], b"\0" * 31, 3, 4)]}, id="a digest that is none"),
        pytest.param({"records": [ROW[:-1]]}, id="a field too few"),
        pytest.param({"records": [(*ROW, 5)]}, id="a field too many"),
        pytest.param({"records": [7]}, id="neither record nor row"),
        pytest.param({"lines": [{"id": "1"}]}, id="a broken line"),
    ],
)
def test_a_broken_batch_is_refused_as_a_whole(changed: dict[str, Any]) -> None:
    whole = {"worker": "w1", "number": 7, "dropped": 0, "records": [ROW], "lines": [LINE], "format": FORMAT}
    assert read_batch(msgspec.msgpack.encode(whole)).records == [ROW]
    with pytest.raises(ValueError, match=r".+"):
        read_batch(msgspec.msgpack.encode(whole | changed))


class _BatchBefore(msgspec.Struct, frozen=True):
    """As the first version had it."""

    worker: str
    number: int
    dropped: int
    records: list[CallRecord]
