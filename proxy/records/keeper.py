"""Records on their way to control: batched, numbered, sealed, and spooled to a bounded file while Redis is away.

`keep` and `keep_row` are plain and never wait. A background task sends what has gathered every 200 ms, or sooner at
500 records; what many of them have in common is in a batch once. What cannot be sent goes to the spool; what fits
nowhere is dropped and counted, and the next batch says how many. A gateway with `audit: required` waits for its
record to be safe, and is refused where it could not be.
"""

import asyncio
import logging
import os
from collections import deque
from contextlib import suppress
from typing import TypeAlias

import msgspec

from core import redis_names
from core.identifiers import new_id
from core.keys import KeyRing
from core.records import BATCH_PURPOSE, FORMAT, Batch, CallRecord, Row
from core.sealing import Sealer
from core.tasks import forever
from proxy.records.at_the_door import DoorRecords
from proxy.records.spool import Spool
from proxy.redis import Redis, RedisAway

log = logging.getLogger(__name__)
EVERY_S = 0.2
AT_ONCE = 500
_WAITING = 20_000
"""Records in memory; at 5,000 calls a second that is four seconds of a stuck sender."""

LinedRow: TypeAlias = tuple[CallRecord, str, float, float, str, bytes, int, int]
"""As `core.records.Row`, with the line itself."""


class RecordKeeper:
    """Keeps one worker's call records until control's stream or the spool has them."""

    def __init__(self, redis: Redis, ring: KeyRing, spool_folder: str) -> None:
        self.worker = f"{os.getpid()}-{new_id()}"
        self.kept = 0
        self.dropped = 0
        self.door = DoorRecords()
        """Which refusals before a call leave a record."""
        self._redis = redis
        self._sealer = Sealer(ring, BATCH_PURPOSE)
        self._waiting: deque[CallRecord | LinedRow] = deque()
        self._number = 0
        self._dropped_since = 0
        self._full = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._spool = Spool(spool_folder)
        self._safe: dict[str, asyncio.Future[bool]] = {}

    @property
    def can_keep(self) -> bool:
        """Whether a record made now would be safe: Redis answers, or the spool has room."""
        return not self._redis.away or self._spool.has_room

    def keep(self, record: CallRecord) -> None:
        """Take one record; never waits."""
        if len(self._waiting) >= _WAITING:
            self._drop(1)
            return
        self.kept += 1
        self._waiting.append(record)
        if len(self._waiting) >= AT_ONCE:
            self._full.set()

    def keep_row(
        self,
        line: CallRecord,
        call_id: str,
        time: float,
        duration_ms: float,
        status: str,
        arguments_sha256: bytes,
        bytes_in: int,
        bytes_out: int,
    ) -> None:
        """Take the record that `line` becomes with these fields; never waits, and costs less than a whole record.

        `call_id` is the request's identifier too. Batches tell lines apart by identity: hand in the same object for
        all calls that have it in common.
        """
        waiting = self._waiting
        if len(waiting) >= _WAITING:
            self._drop(1)
            return
        self.kept += 1
        waiting.append((line, call_id, time, duration_ms, status, arguments_sha256, bytes_in, bytes_out))
        if len(waiting) >= AT_ONCE:
            self._full.set()

    async def safe(self, record: CallRecord, deadline: float = 2.0) -> bool:
        """Whether the record reached Redis or the spool; for gateways that demand it."""
        future = asyncio.get_running_loop().create_future()
        self._safe[record.id] = future
        self._full.set()
        try:
            return await asyncio.wait_for(future, deadline)
        except TimeoutError:
            return False
        finally:
            self._safe.pop(record.id, None)

    async def send(self) -> None:
        """Run until cancelled."""
        await forever("records", self._send_what_gathered, EVERY_S)

    async def _send_what_gathered(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._full.wait(), EVERY_S)
        self._full.clear()
        await self.flush()

    async def flush(self) -> None:
        """Send everything that has gathered, older batches from the spool first."""
        async with self._flushing:  # `close` waits here for the batch that is on its way
            await self._flush()

    async def _flush(self) -> None:
        await self._resend()
        while self._waiting or (self._dropped_since and self.can_keep):
            batch = self._next_batch()
            sealed = self._sealer.seal(msgspec.msgpack.encode(batch), batch.worker, str(batch.number))
            safe = await self._sent(batch.worker, batch.number, sealed)
            if not safe:
                safe = await asyncio.to_thread(self._spool.put, batch.worker, batch.number, sealed)
            if not safe:
                self._drop(len(batch.records))
                self._dropped_since += batch.dropped
            self._tell(batch, safe)
            if not safe:
                return  # what is left waits in memory: trying again at once would only lose it, and hold the loop

    async def close(self) -> None:
        """Send or spool what is left."""
        try:
            await asyncio.wait_for(self.flush(), 3.0)
        except TimeoutError:
            log.warning("records were left unsent", extra={"records": len(self._waiting)})

    def _next_batch(self) -> Batch:
        self._number += 1
        dropped, self._dropped_since = self._dropped_since, 0
        waiting = self._waiting
        records: list[CallRecord | Row] = []
        lines: list[CallRecord] = []
        places: dict[int, int] = {}  # of lines, by identity: the list keeps each alive meanwhile
        for _ in range(min(AT_ONCE, len(waiting))):
            one = waiting.popleft()
            if isinstance(one, CallRecord):
                records.append(one)
                continue
            line = one[0]
            place = places.setdefault(id(line), len(lines))
            if place == len(lines):
                lines.append(line)
            records.append((place, *one[1:]))
        return Batch(self.worker, self._number, dropped, records, lines, FORMAT if lines else 1)

    def _tell(self, batch: Batch, safe: bool) -> None:
        """Answer those who wait for one of these records."""
        if not self._safe:
            return
        for one in batch.records:
            future = self._safe.get(one.id) if isinstance(one, CallRecord) else None
            if future is not None and not future.done():
                future.set_result(safe)

    async def _resend(self) -> None:
        if self._redis.away or not self._spool.may_hold_some:
            return
        for worker, number, sealed in await asyncio.to_thread(self._spool.oldest):
            if not await self._sent(worker, number, sealed):
                return
            await asyncio.to_thread(self._spool.remove, worker, number)

    async def _sent(self, worker: str, number: int, sealed: bytes) -> bool:
        fields = {b"w": worker.encode(), b"n": str(number).encode(), b"b": sealed}
        commands = self._redis.commands
        try:
            await self._redis.ask(commands.xadd(redis_names.RECORDS, fields, maxlen=redis_names.RECORDS_LENGTH))
        except RedisAway:
            return False
        return True

    def _drop(self, number: int) -> None:
        self.dropped += number
        self._dropped_since += number
