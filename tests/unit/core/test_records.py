import msgspec

from core.records import Batch, CallRecord


def test_a_batch_survives_the_wire_and_a_plain_record_is_short() -> None:
    record = CallRecord("id", 1.5, 2.5, "r", "allowed", "ok", "tools/call")
    batch = Batch("w1", 7, 2, [record])
    body = msgspec.msgpack.encode(batch)
    assert msgspec.msgpack.decode(body, type=Batch) == batch
    assert b"trace_id" not in body
