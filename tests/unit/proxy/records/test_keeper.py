import asyncio
from pathlib import Path

import msgspec

from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.records import BATCH_PURPOSE, Batch, CallRecord
from core.sealing import Sealer
from proxy.records import keeper
from proxy.records.keeper import AT_ONCE, RecordKeeper
from proxy.redis import Courier

RING = parse_key_ring("proxy", new_key())
AWAY = "redis://127.0.0.1:1/0"


def a_record() -> CallRecord:
    return CallRecord(new_id(), 0.0, 1.0, "r", "allowed", "ok", "tools/call")


def spooled(folder: Path) -> list[Batch]:
    found = []
    for path in sorted((folder / "records").glob("*.batch")):
        worker, number, _ = path.name.rsplit(".", 2)
        sealed = Sealer(RING, BATCH_PURPOSE).open(path.read_bytes(), worker, str(int(number)))
        found.append(msgspec.msgpack.decode(sealed, type=Batch))
    return found


async def test_what_redis_does_not_take_is_spooled_in_numbered_batches(tmp_path: Path) -> None:
    made = RecordKeeper(Courier(AWAY), RING, str(tmp_path))
    kept = [a_record() for _ in range(AT_ONCE + 1)]
    for record in kept:
        made.keep(record)
    assert made.can_keep

    await made.flush()

    batches = spooled(tmp_path)
    assert [batch.number for batch in batches] == [1, 2]
    assert [record for batch in batches for record in batch.records] == kept


async def test_with_no_spool_a_batch_is_dropped_and_the_rest_waits() -> None:
    made = RecordKeeper(Courier(AWAY), RING, "")
    for _ in range(2 * AT_ONCE):
        made.keep(a_record())

    await asyncio.wait_for(made.flush(), 2)
    assert made.dropped == AT_ONCE

    for _ in range(5):
        await asyncio.wait_for(made.flush(), 2)
    assert made.dropped == 2 * AT_ONCE


async def test_memory_is_bounded(monkeypatch: object) -> None:
    made = RecordKeeper(Courier(AWAY), RING, "")
    for _ in range(keeper._WAITING + 3):
        made.keep(a_record())
    assert (made.kept, made.dropped) == (keeper._WAITING, 3)


async def test_who_demands_a_record_waits_until_it_is_safe(tmp_path: Path) -> None:
    for folder, expected in ((str(tmp_path), True), ("", False)):
        made = RecordKeeper(Courier(AWAY), RING, folder)
        record = a_record()
        made.keep(record)
        safe, _ = await asyncio.gather(made.safe(record), made.flush())
        assert safe is expected


async def test_nobody_waits_for_ever_for_a_record() -> None:
    made = RecordKeeper(Courier(AWAY), RING, "")
    assert await made.safe(a_record(), deadline=0.05) is False


async def test_closing_sends_what_is_left(tmp_path: Path) -> None:
    made = RecordKeeper(Courier(AWAY), RING, str(tmp_path))
    made.keep(a_record())
    await made.close()
    assert len(spooled(tmp_path)) == 1
