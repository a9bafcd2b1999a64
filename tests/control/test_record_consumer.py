"""Records from the stream into Postgres: once each, whoever dies."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from control.records import partitions
from control.records.consumer import RecordConsumer
from control.records.partitions import days_begin, keep_days
from control.redis import Redis
from control.store.pool import Pool, transaction
from control.store.records import gaps
from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.records import BATCH_PURPOSE, FORMAT, Batch, CallRecord
from core.redis_names import RECORDS, RECORDS_GROUP
from core.sealing import Sealer
from core.tasks import Tasks
from tests.fakes.call_records import as_row, line_of
from tests.fixtures_redis import RedisServer

KEY = new_key()
RING = parse_key_ring("ARCHWAY_PROXY_KEY", KEY)
HERE = Path(__file__).parent
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def a_record(**fields: Any) -> CallRecord:
    usual = {"id": new_id(), "time": time.time(), "duration_ms": 1.5, "request_id": "r", "decision": "allowed"}
    return CallRecord(**{**usual, "status": "ok", "method": "tools/call", **fields})


def send(
    server: RedisServer, number: int, records: list[CallRecord], *, worker: str = "w1", dropped: int = 0
) -> None:
    send_batch(server, Batch(worker, number, dropped, list(records)))


def send_batch(server: RedisServer, batch: Batch) -> None:
    body = msgspec.msgpack.encode(batch)
    sealed = Sealer(RING, BATCH_PURPOSE).seal(body, batch.worker, str(batch.number))
    with server.client() as redis:
        redis.xadd(RECORDS, {"w": batch.worker, "n": batch.number, "b": sealed})


@pytest.fixture
async def consuming(pool: Pool, redis_server: RedisServer) -> AsyncIterator[Callable[[], None]]:
    """Starts a consumer, as often as it is called."""
    tasks = Tasks("test")
    redis = Redis(redis_server.url, deadline_s=2)

    def start() -> None:
        consumer = RecordConsumer(pool, redis, RING, days_kept=30, idle_s=0.3)
        tasks.spawn("consumer", consumer.run())

    yield start
    await tasks.close()
    await redis.close()


async def eventually_kept(pool: Pool, records: int) -> None:
    for _ in range(250):
        if await pool.fetchval("select count(*) from records") >= records:
            break
        await asyncio.sleep(0.02)
    assert await pool.fetchval("select count(*) from records") == records


async def eventually_taken(server: RedisServer) -> None:
    for _ in range(250):
        with server.client() as redis:
            if not redis.xlen(RECORDS):
                return
        await asyncio.sleep(0.02)
    raise AssertionError("entries are left on the stream")


async def test_a_batch_is_kept_with_its_records_and_leaves_the_stream(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    record = a_record(principal="user:1", tool="search", arguments_sha256="ab")
    send(redis_server, 1, [record])
    consuming()
    await eventually_taken(redis_server)
    row = await pool.fetchrow("select * from records")
    assert row is not None
    assert (row["id"], row["principal"], row["tool"]) == (record.id, "user:1", "search")
    assert msgspec.convert(row["record"], CallRecord) == record


async def test_a_batch_that_arrives_twice_is_kept_once(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    records = [a_record(), a_record(time=0.0)]  # the second is kept under the time of its receipt, which differs
    send(redis_server, 1, records)
    send(redis_server, 1, records)
    consuming()
    await eventually_taken(redis_server)
    assert await pool.fetchval("select count(*) from records") == 2


async def test_a_consumer_killed_between_insert_and_acknowledgement_doubles_and_loses_nothing(
    pool: Pool, database: str, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    for number in range(1, 4):
        send(redis_server, number, [a_record(), a_record()])
    dying = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "dying_consumer.py"),
        env={**os.environ, "DSN": database, "REDIS": redis_server.url, "KEY": KEY, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    async with asyncio.timeout(30):
        assert await dying.wait() == -9
    assert await pool.fetchval("select count(*) from records") == 6
    with redis_server.client() as redis:
        assert redis.xlen(RECORDS) == 3
    send(redis_server, 4, [a_record()])
    consuming()
    await eventually_taken(redis_server)
    assert await pool.fetchval("select count(*) from records") == 7
    assert await pool.fetchval("select count(*) from record_batches") == 4


async def test_two_consumers_share_the_stream(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    consuming()
    consuming()
    for number in range(1, 41):
        send(redis_server, number, [a_record()], worker=f"w{number % 3}")
    await eventually_taken(redis_server)
    await eventually_kept(pool, 40)


async def test_what_no_proxy_sealed_is_thrown_away_and_keeps_nobody_waiting(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    sealed = Sealer(RING, BATCH_PURPOSE).seal(msgspec.msgpack.encode(Batch("w1", 7, 0, [a_record()])), "w1", "7")
    with redis_server.client() as redis:
        redis.xadd(RECORDS, {"w": "w1", "n": 8, "b": sealed})  # another number than it was sealed for
        redis.xadd(RECORDS, {"w": "w1", "n": 1, "b": b"garbage"})
        redis.xadd(RECORDS, {"x": b"no batch"})
    send(redis_server, 1, [a_record()])
    consuming()
    await eventually_taken(redis_server)
    await eventually_kept(pool, 1)


async def test_a_record_that_postgres_could_not_hold_is_kept_all_the_same(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    strange = a_record(id="no identifier", tool="nul\0l", time=9e14, duration_ms=float("nan"))
    send(redis_server, 1, [strange, a_record(time=0.0), a_record(time=float("inf"))])
    consuming()
    await eventually_taken(redis_server)
    times = [row["time"] for row in await pool.fetch("select time from records")]
    assert len(times) == 3
    assert all(datetime.now(UTC) - time < timedelta(minutes=1) for time in times)


async def test_rows_are_kept_as_their_whole_records_would_be(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    calls = [a_record(principal=f"user:{at % 3}", arguments_sha256=f"{at:064x}", bytes_in=1) for at in range(1, 9)]
    calls = [msgspec.structs.replace(one, request_id=one.id, bytes_out=7) for one in calls]
    lines = [line_of(one) for one in calls[:3]]
    mixed = [as_row(at % 3, one) if at % 4 else one for at, one in enumerate(calls)]
    send_batch(redis_server, Batch("w1", 1, 0, mixed, lines, FORMAT))
    consuming()
    await eventually_taken(redis_server)
    kept = await pool.fetch("select * from records order by time, id")
    assert [msgspec.convert(row["record"], CallRecord) for row in kept] == calls
    assert [(row["id"], row["request_id"], row["principal"]) for row in kept] == [
        (one.id, one.id, one.principal) for one in calls
    ]


async def test_a_broken_batch_is_thrown_away_whole_and_keeps_nobody_waiting(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    good = a_record(arguments_sha256="00" * 32)
    send_batch(redis_server, Batch("w1", 1, 0, [good, as_row(1, good)], [line_of(good)], FORMAT))
    send_batch(redis_server, Batch("w1", 2, 0, [good], [], FORMAT + 1))
    send(redis_server, 3, [])
    consuming()
    await eventually_taken(redis_server)
    assert await pool.fetchval("select count(*) from records") == 0
    assert await pool.fetchval("select array_agg(number) from record_batches") == [3]


async def test_odd_texts_in_rows_and_lines_are_kept_all_the_same(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    odd = a_record(
        id="no\0id", client="nul\0 \\. \t\n\\N", tool='"quoted" {1}', status="\\x", arguments_sha256="ff" * 32
    )
    odd = msgspec.structs.replace(odd, duration_ms=float("nan"), time=float("inf"), bytes_in=2**60)
    send_batch(redis_server, Batch("w1", 1, 0, [as_row(0, odd), odd], [line_of(odd)], FORMAT))
    consuming()
    await eventually_taken(redis_server)
    kept = await pool.fetch("select * from records")
    assert {row["tool"] for row in kept} == {'"quoted" {1}'}
    assert {row["status"] for row in kept} == {"\\x"}
    assert {row["record"]["client"] for row in kept} == {"nul\ufffd \\. \ufffd\ufffd\\N"}
    assert [(row["record"]["bytes_in"], row["record"]["duration_ms"]) for row in kept] == [(2**60, None)] * 2


async def test_a_batch_that_cannot_be_kept_keeps_no_other_from_being_kept(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    send(redis_server, 1, [a_record()])
    send(redis_server, 2, [a_record()], dropped=2**40)  # more than its column holds
    send(redis_server, 3, [a_record()])
    consuming()
    await eventually_kept(pool, 2)
    assert await pool.fetchval("select array_agg(number order by number) from record_batches") == [1, 3]


async def test_many_batches_are_kept_whatever_their_size(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    sizes = [0, 1, 500, 3_000, 2, 0, 499, 1]
    for number, size in enumerate(sizes, 1):
        send(redis_server, number, [a_record() for _ in range(size)])
    consuming()
    await eventually_kept(pool, sum(sizes))
    await eventually_taken(redis_server)
    kept = await pool.fetch("select records from record_batches order by number")
    assert [row["records"] for row in kept] == sizes


async def test_a_day_that_was_dropped_meanwhile_is_made_again(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    consuming()
    send(redis_server, 1, [a_record()])
    await eventually_kept(pool, 1)
    await pool.execute(f"drop table {name(datetime.now(UTC).date())}")
    send(redis_server, 2, [a_record()])
    await eventually_kept(pool, 1)
    await eventually_taken(redis_server)


async def test_a_record_that_another_batch_brought_too_is_there_once_and_costs_no_other(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    twice = a_record()
    send(redis_server, 1, [twice])
    send(redis_server, 2, [a_record(), twice, a_record(), twice])
    consuming()
    await eventually_taken(redis_server)
    await eventually_kept(pool, 3)
    assert await pool.fetchval("select count(*) from record_batches") == 2


async def test_a_flushed_stream_is_taken_up_again(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    consuming()
    send(redis_server, 1, [a_record()])
    await eventually_kept(pool, 1)
    redis_server.flush()
    send(redis_server, 2, [a_record()])
    await eventually_kept(pool, 2)


async def test_gaps_are_named_by_worker_and_time(
    pool: Pool, redis_server: RedisServer, consuming: Callable[[], None]
) -> None:
    now = time.time()
    send(redis_server, 1, [a_record(time=now - 50)], worker="w1")
    send(redis_server, 4, [a_record(time=now - 10)], worker="w1")
    send(redis_server, 3, [a_record(time=now)], worker="w2", dropped=9)
    send(redis_server, 1, [a_record(time=now)], worker="w3")
    consuming()
    await eventually_taken(redis_server)
    async with transaction(pool) as conn:
        found = {gap.worker: gap for gap in await gaps(conn, limit=9, worker=None, since=LONG_AGO, until=None)}
    assert found.keys() == {"w1", "w2"}
    assert (found["w1"].first_number, found["w1"].last_number) == (2, 3)
    assert found["w1"].after_time.timestamp() == pytest.approx(now - 50, abs=1e-3)
    assert found["w1"].before_time.timestamp() == pytest.approx(now - 10, abs=1e-3)
    assert (found["w2"].first_number, found["w2"].last_number, found["w2"].dropped) == (1, 2, 9)


async def test_partitions_are_made_ahead_and_old_ones_dropped_with_their_batches(pool: Pool) -> None:
    today = datetime.now(UTC).date()

    async def days() -> list[str]:
        rows = await pool.fetch("select relname as n from pg_class where relname ~ '^records_\\d+$' order by 1")
        return [row["n"] for row in rows]

    await keep_days(pool, today - timedelta(days=4), days_kept=30)
    await pool.execute(
        "insert into record_batches (worker, number, records, dropped, received_at) values"
        " ('ended', 1, 0, 0, now() - interval '9 days'), ('lives', 1, 0, 0, now() - interval '9 days'),"
        " ('lives', 2, 0, 0, now() - interval '8 days'), ('lives', 3, 0, 0, now())"
    )
    await keep_days(pool, today, days_kept=4)
    assert await days() == [name(today + timedelta(days=ahead)) for ahead in range(-3, 4)]
    left = await pool.fetch("select worker, number from record_batches order by 1, 2")
    assert [(row["worker"], row["number"]) for row in left] == [("lives", 2), ("lives", 3)]
    async with transaction(pool) as conn:
        assert not await gaps(conn, limit=9, worker=None, since=days_begin(today, 4), until=None)


async def test_a_fault_that_nobody_foresaw_does_not_end_the_keeping_of_days(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[date] = []

    async def fails_once(_: Pool, today: date, __: int) -> None:
        tried.append(today)
        if len(tried) == 1:
            raise RuntimeError("unforeseen")

    monkeypatch.setattr(partitions, "keep_days", fails_once)
    monkeypatch.setattr(partitions, "_AGAIN_AFTER_S", 0)
    tasks = Tasks("test")
    keeping = tasks.spawn("partitions", partitions.keep_partitions(pool, 4))
    while len(tried) < 2:
        assert not keeping.done()
        await asyncio.sleep(0)
    await tasks.close()


def name(day: date) -> str:
    return f"records_{day:%Y%m%d}"


async def test_a_consumer_leaves_the_group_when_it_is_closed(pool: Pool, redis_server: RedisServer) -> None:
    tasks = Tasks("test")
    async with Redis(redis_server.url, deadline_s=2) as redis:
        consumer = RecordConsumer(pool, redis, RING, days_kept=30)
        tasks.spawn("consumer", consumer.run())
        send(redis_server, 1, [a_record()])
        await eventually_taken(redis_server)
        await tasks.close()
        await consumer.close()
    with redis_server.client() as redis:
        assert redis.xinfo_consumers(RECORDS, RECORDS_GROUP) == []
