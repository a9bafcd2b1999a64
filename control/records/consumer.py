"""The record consumer: batches from the stream into Postgres, once each.

One runs in every replica of control; a consumer group shares the entries out. An entry is acknowledged and deleted
only after its transaction has committed: a consumer that dies before leaves it to be claimed by another, and the
batch's primary key makes the second arrival write nothing. While Postgres is away entries wait in Redis; while Redis
is away they wait with the proxies. What was not sealed by a proxy of ours is thrown away and logged.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final, Protocol, TypeAlias

from control.records.first_calls import FirstCalls
from control.records.rows import PackedBatch, Packing, days_of, rows_of
from control.redis import Entry, GroupMissing, Redis, RedisAway
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from control.store.records import insert_batch, insert_batches, make_partitions
from core.identifiers import new_id
from core.keys import KeyRing
from core.records import BATCH_PURPOSE, Batch, read_batch
from core.redis_names import RECORDS, RECORDS_GROUP, RECORDS_TTL_S
from core.sealing import SealBroken, Sealer

log = logging.getLogger(__name__)

_TAKE: Final = 20
_WAIT_S: Final = 1.0
_LOOK_FOR_IDLE_EVERY_S: Final = 10.0
_AGAIN_AFTER_S: Final = 1.0
_FORGET_CONSUMER_S: Final = 3_600.0
_TOGETHER: Final = 2_000
"""Records of one transaction: some milliseconds of the event loop."""
_GATHER_S: Final = 0.2
"""After a few batches, while more gather: as long as a worker gathers records. The first after a while is not kept
waiting."""


_Opened: TypeAlias = tuple[bytes, Batch]
"""The identifier of an entry, and what is in it."""


class Committed(Protocol):
    """What is told between a commit and the acknowledgement; tests end the consumer there."""

    async def __call__(self) -> None:
        """Nothing to return."""


async def _go_on() -> None:
    return None


class RecordConsumer:
    """Takes batches of records from the stream into Postgres until cancelled."""

    def __init__(
        self,
        pool: Pool,
        redis: Redis,
        ring: KeyRing,
        *,
        days_kept: int,
        idle_s: float = 30.0,
        committed: Committed = _go_on,
        first_calls: FirstCalls | None = None,
    ) -> None:
        self._pool, self._redis = pool, redis
        self._sealer = Sealer(ring, BATCH_PURPOSE)
        self._days_kept, self._idle_s, self._committed = days_kept, idle_s, committed
        self._packing, self._first_calls = Packing(days_kept), first_calls
        self._name = f"control-{new_id()}"
        self._looked_for_idle = float("-inf")
        self._days: set[date] = set()
        self._fault = ""

    async def run(self) -> None:
        """Take batches until cancelled; faults are logged once each and waited out."""
        while True:
            try:
                await self._redis.make_group(RECORDS, RECORDS_GROUP, RECORDS_TTL_S)
                await self._take_unfinished()
                while True:
                    await self._take_idle()
                    await self._take_new()
                    self._note_fault("")
            except GroupMissing:
                log.info("the stream of records was flushed")
            except (RedisAway, StoreUnavailable, StoreConflict) as fault:
                self._note_fault(str(fault))
                await asyncio.sleep(_AGAIN_AFTER_S)
            except Exception:
                log.exception("taking records failed")  # they stay on the stream
                await asyncio.sleep(_AGAIN_AFTER_S)

    async def close(self) -> None:
        """Leave the group; unfinished entries keep the name until another consumer claims them."""
        try:
            if self._name.encode() in await self._redis.idle_consumers(RECORDS, RECORDS_GROUP, -1):
                await self._redis.drop_consumer(RECORDS, RECORDS_GROUP, self._name)
        except (RedisAway, GroupMissing) as fault:
            log.debug("did not leave the group", extra={"fault": str(fault)})

    async def _take_unfinished(self) -> None:
        """What this consumer took before a fault."""
        entries = await self._redis.read_group(
            RECORDS, RECORDS_GROUP, self._name, count=_TAKE, wait_s=_WAIT_S, unfinished=True
        )
        await self._take(entries)

    async def _take_new(self) -> None:
        entries = await self._redis.read_group(RECORDS, RECORDS_GROUP, self._name, count=_TAKE, wait_s=_WAIT_S)
        await self._take(entries)
        if 0 < len(entries) < _TAKE:
            await asyncio.sleep(_GATHER_S)

    async def _take_idle(self) -> None:
        """Now and then: what a dead consumer left, and dead consumers themselves."""
        if time.monotonic() - self._looked_for_idle < min(_LOOK_FOR_IDLE_EVERY_S, self._idle_s):
            return
        self._looked_for_idle = time.monotonic()
        await self._redis.make_group(RECORDS, RECORDS_GROUP, RECORDS_TTL_S)  # and extend the stream's life
        entries = await self._redis.claim_idle(RECORDS, RECORDS_GROUP, self._name, idle_s=self._idle_s, count=_TAKE)
        await self._take(entries)
        for consumer in await self._redis.idle_consumers(RECORDS, RECORDS_GROUP, _FORGET_CONSUMER_S):
            await self._redis.drop_consumer(RECORDS, RECORDS_GROUP, consumer)

    async def _take(self, entries: Sequence[Entry]) -> None:
        finished: list[bytes] = []
        try:
            opened: list[_Opened] = []
            for entry_id, fields in entries:
                try:
                    opened.append((entry_id, self._opened(fields)))
                except (SealBroken, KeyError, ValueError) as broken:
                    log.error("a batch of records is not ours", extra={"fault": str(broken)})
                    finished.append(entry_id)
            for some in _in_transactions(opened):
                finished += await self._kept(some)
        finally:
            if finished:
                await self._committed()
                await self._redis.finish(RECORDS, RECORDS_GROUP, finished)
        if self._first_calls is not None:
            await self._first_calls.look([batch for entry_id, batch in opened if entry_id in finished])

    async def _kept(self, some: Sequence[_Opened]) -> list[bytes]:
        """Which of these entries are done with; raises StoreUnavailable and StoreConflict."""
        try:
            await self._insert([self._packing.packed(batch, datetime.now(UTC)) for _, batch in some])
            return [entry_id for entry_id, _ in some]
        except StoreUnavailable:
            raise
        except StoreConflict:
            log.info("a record is there already: batches are kept one by one")
        except Exception:
            log.exception("batches of records are kept one by one")
        self._days = set()
        return [entry_id for entry_id, batch in some if await self._kept_alone(batch)]

    async def _kept_alone(self, batch: Batch) -> bool:
        """Whether the batch is done with; raises StoreUnavailable and StoreConflict."""
        try:
            row, records = rows_of(batch, datetime.now(UTC), self._days_kept)
            await self._make_days(days_of(records))
            async with transaction(self._pool) as connection:
                await insert_batch(connection, row, records)
        except (StoreUnavailable, StoreConflict):
            raise
        except Exception:
            # A batch that Postgres refuses keeps nobody waiting; it stays on the stream and is tried again.
            log.exception("a batch of records cannot be kept", extra={"worker": batch.worker, "number": batch.number})
            return False
        return True

    def _opened(self, fields: Mapping[bytes, bytes]) -> Batch:
        worker, number = fields[b"w"].decode(), fields[b"n"].decode()
        batch = read_batch(self._sealer.open(fields[b"b"], worker, number))
        if (batch.worker, str(batch.number)) != (worker, number):
            raise ValueError("the batch names another worker or number")
        return batch

    async def _insert(self, batches: Sequence[PackedBatch]) -> None:
        await self._make_days(set().union(*(one.days for one in batches)))
        async with transaction(self._pool) as connection:
            await insert_batches(connection, [(one.row, one.records) for one in batches])

    async def _make_days(self, days: set[date]) -> None:
        missing = days - self._days
        if missing:
            async with transaction(self._pool) as connection:
                await make_partitions(connection, sorted(missing))
            self._days = days

    def _note_fault(self, fault: str) -> None:
        if fault != self._fault:
            if fault:
                log.warning("records wait on the stream", extra={"fault": fault})
            else:
                log.info("records are taken again")
        self._fault = fault


def _in_transactions(opened: Sequence[_Opened]) -> Iterator[list[_Opened]]:
    """Batches that are kept together: a commit costs as much as a hundred records."""
    some: list[_Opened] = []
    for one in opened:
        if some and sum(len(batch.records) for _, batch in some) + len(one[1].records) > _TOGETHER:
            yield some
            some = []
        some.append(one)
    if some:
        yield some
