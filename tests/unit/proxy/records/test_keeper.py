import asyncio
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.records import BATCH_PURPOSE, Batch, CallRecord, read_batch
from core.sealing import Sealer
from core.tasks import Tasks
from proxy.records import keeper
from proxy.records.keeper import AT_ONCE, RecordKeeper
from proxy.records.spool import Spool
from proxy.redis import Redis
from tests.fakes.call_records import as_row, line_of, whole_records

RING = parse_key_ring("proxy", new_key())
AWAY = "redis://127.0.0.1:1/0"


def a_record() -> CallRecord:
    return CallRecord(new_id(), 0.0, 1.0, "r", "allowed", "ok", "tools/call")


def spooled(folder: Path) -> list[Batch]:
    found = []
    for path in sorted((folder / "records").glob("*.batch")):
        worker, number, _ = path.name.rsplit(".", 2)
        sealed = Sealer(RING, BATCH_PURPOSE).open(path.read_bytes(), worker, str(int(number)))
        found.append(read_batch(sealed))
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


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(0, 2**53)
KEPT = st.builds(
    CallRecord,
    TEXTS, st.floats(allow_nan=False), st.floats(allow_nan=False), TEXTS, st.sampled_from(["allowed", "refused"]),
    TEXTS, TEXTS,
    principal=TEXTS, client=TEXTS, tool=TEXTS, gateway_revision=NUMBERS, session=TEXTS, reason=TEXTS,
    arguments_sha256=st.binary(min_size=32, max_size=32).map(bytes.hex), bytes_in=NUMBERS, bytes_out=NUMBERS,
)  # fmt: skip
OWN = ("id", "time", "duration_ms", "status", "arguments_sha256", "bytes_in", "bytes_out")


@given(st.lists(st.tuples(KEPT, st.integers(0, 4)), max_size=30))
def test_rows_and_lines_give_back_the_records_that_would_have_been_kept_whole(
    calls: list[tuple[CallRecord, int]],
) -> None:
    made = RecordKeeper(Redis(AWAY), RING, "")
    kept, lines = [], [line_of(record) for record, _ in calls[:3]]
    for record, whose in calls:
        if whose >= len(lines):
            made.keep(record)
            kept.append(record)
            continue
        _, call_id, time, duration_ms, status, digest, *sizes = as_row(0, record)
        made.keep_row(lines[whose], call_id, time, duration_ms, status, digest, *sizes)
        own = {name: getattr(record, name) for name in OWN}
        kept.append(msgspec.structs.replace(lines[whose], request_id=record.id, **own))

    batch = read_batch(msgspec.msgpack.encode(made._next_batch()))

    assert whole_records(batch) == kept
    assert len(batch.lines) <= 3


async def test_rows_are_bounded_and_counted_as_records_are(tmp_path: Path) -> None:
    made, line = RecordKeeper(Redis(AWAY), RING, str(tmp_path)), line_of(a_record())
    for _ in range(keeper._WAITING - 1):
        made.keep_row(line, new_id(), 1.0, 1.0, "ok", b"\0" * 32, 1, 1)
    made.keep(a_record())
    made.keep_row(line, new_id(), 1.0, 1.0, "ok", b"\0" * 32, 1, 1)
    made.keep(a_record())
    assert (made.kept, made.dropped) == (keeper._WAITING, 2)

    await made.flush()

    first, *others = spooled(tmp_path)
    assert (first.dropped, first.lines) == (2, [line])
    assert sum(len(one.records) for one in (first, *others)) == keeper._WAITING
    assert {len(one.records) for one in (first, *others)} == {AT_ONCE}


async def test_rows_wake_the_sender_as_records_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "EVERY_S", 600)
    made, tasks, flushed = RecordKeeper(Redis(AWAY), RING, ""), Tasks("test"), asyncio.Event()

    async def flush() -> None:
        flushed.set()

    monkeypatch.setattr(made, "flush", flush)
    _ = tasks.spawn("records", made.send())
    for _ in range(AT_ONCE):
        made.keep_row(a_record(), new_id(), 1.0, 1.0, "ok", b"\0" * 32, 1, 1)
    await asyncio.wait_for(flushed.wait(), 30)
    await tasks.close()


async def test_who_demands_a_record_among_rows_waits_until_it_is_safe(tmp_path: Path) -> None:
    made, record = RecordKeeper(Redis(AWAY), RING, str(tmp_path)), a_record()
    made.keep_row(line_of(record), new_id(), 1.0, 1.0, "ok", b"\0" * 32, 1, 1)
    made.keep(record)
    safe, _ = await asyncio.gather(made.safe(record), made.flush())
    assert safe is True
