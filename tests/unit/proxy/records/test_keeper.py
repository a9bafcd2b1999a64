import asyncio
import threading
from pathlib import Path

import msgspec
import pytest

from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.records import BATCH_PURPOSE, Batch, CallRecord
from core.sealing import Sealer
from core.tasks import Tasks
from proxy.records import keeper
from proxy.records.keeper import AT_ONCE, RecordKeeper
from proxy.records.spool import Spool
from proxy.redis import Redis

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
    made = RecordKeeper(Redis(AWAY), RING, str(tmp_path))
    kept = [a_record() for _ in range(AT_ONCE + 1)]
    for record in kept:
        made.keep(record)
    assert made.can_keep

    await made.flush()

    batches = spooled(tmp_path)
    assert [batch.number for batch in batches] == [1, 2]
    assert [record for batch in batches for record in batch.records] == kept


async def test_with_no_spool_a_batch_is_dropped_and_the_rest_waits() -> None:
    made = RecordKeeper(Redis(AWAY), RING, "")
    for _ in range(2 * AT_ONCE):
        made.keep(a_record())

    await asyncio.wait_for(made.flush(), 30)
    assert made.dropped == AT_ONCE

    for _ in range(5):
        await asyncio.wait_for(made.flush(), 30)
    assert made.dropped == 2 * AT_ONCE


async def test_memory_is_bounded(monkeypatch: object) -> None:
    made = RecordKeeper(Redis(AWAY), RING, "")
    for _ in range(keeper._WAITING + 3):
        made.keep(a_record())
    assert (made.kept, made.dropped) == (keeper._WAITING, 3)


async def test_who_demands_a_record_waits_until_it_is_safe(tmp_path: Path) -> None:
    for folder, expected in ((str(tmp_path), True), ("", False)):
        made = RecordKeeper(Redis(AWAY), RING, folder)
        record = a_record()
        made.keep(record)
        safe, _ = await asyncio.gather(made.safe(record), made.flush())
        assert safe is expected


async def test_nobody_waits_for_ever_for_a_record() -> None:
    made = RecordKeeper(Redis(AWAY), RING, "")
    assert await made.safe(a_record(), deadline=0.05) is False


async def test_closing_sends_what_is_left(tmp_path: Path) -> None:
    made = RecordKeeper(Redis(AWAY), RING, str(tmp_path))
    made.keep(a_record())
    await made.close()
    assert len(spooled(tmp_path)) == 1


async def test_the_folder_is_read_and_written_off_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_loop: dict[str, bool] = {}

    def watched(name: str) -> None:
        whole = getattr(Spool, name)

        def work(*args: object) -> object:
            on_the_loop[name] = threading.current_thread() is threading.main_thread()
            return whole(*args)

        monkeypatch.setattr(Spool, name, work)

    for name in ("put", "oldest", "remove"):
        watched(name)
    made = RecordKeeper(Redis(AWAY), RING, str(tmp_path))
    made.keep(a_record())
    await made.flush()

    async def sent(*_: object) -> bool:
        return True

    monkeypatch.setattr(made, "_sent", sent)
    monkeypatch.setattr(made, "_redis", Redis(AWAY))
    await made.flush()
    assert on_the_loop == {"put": False, "oldest": False, "remove": False}
    assert spooled(tmp_path) == []


async def test_sending_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "EVERY_S", 0.01)
    made, tasks, flushed = RecordKeeper(Redis(AWAY), RING, ""), Tasks("test"), asyncio.Event()
    failures = [ValueError("a stray file"), OSError("a disk")]

    async def flush() -> None:
        if failures:
            raise failures.pop()
        flushed.set()

    monkeypatch.setattr(made, "flush", flush)
    _ = tasks.spawn("records", made.send())
    await asyncio.wait_for(flushed.wait(), 30)
    await tasks.close()
