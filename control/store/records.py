"""Records of calls: batches in, pages and gaps out, partitions made and dropped.

Called by `control/records/` and `control/admin/records.py`. A batch and its records are one transaction, and the
batch's primary key makes it once, however often it arrives.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from control.store.copied_records import COLUMNS, HEADER, TRAILER, RecordValues
from control.store.pool import Connection
from core.identifiers import is_id

_LOCK: Final = 0x72656373
_PARTITION = re.compile(r"records_(\d{4})(\d{2})(\d{2})")

_BATCHES: Final = """
    insert into record_batches (worker, number, records, dropped, first_time, last_time)
    select * from unnest($1::text[], $2::bigint[], $3::int[], $4::int[], $5::timestamptz[], $6::timestamptz[])
    on conflict do nothing returning worker, number
"""

_RECORD: Final = f"""
    insert into records ({", ".join(COLUMNS)})
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing
"""

_PAGE: Final = """
    select id, time, record from records
    where ($2::timestamptz is null or (time, id) < ($2, $3::uuid))
      and ($4::text is null or gateway_id = $4)
      and ($5::text is null or principal = $5)
      and ($6::text is null or tool = $6)
      and ($7::text is null or status = $7)
      and ($8::text is null or decision = $8)
      and ($9::timestamptz is null or time >= $9)
      and ($10::timestamptz is null or time < $10)
      and ($11::text is null or entry_id = $11)
      and ($12::text is null or installation_id = $12)
      and ($13::text is null or starts_with(lower(record ->> 'client'), lower($13)))
      and ($14::text is null
           or (id = $15::uuid and request_id = $14)
           or (request_id <> id::text and request_id = $14))
      and ($16::text[] is null or principal = any($16))
    order by time desc, id desc limit $1
"""

# A batch's number follows the one before, and its worker's first is 1; what is between did not arrive. `dropped`
# counts what the worker itself gave up before it sent the batch.
_GAPS: Final = """
    with seen as (
        select worker, number, dropped, received_at, first_time,
               lag(number, 1, 0::bigint) over of_worker as before,
               lag(last_time) over of_worker as time_before
        from record_batches window of_worker as (partition by worker order by number)
    )
    select worker, number, before + 1 as first_number, number - 1 as last_number, dropped,
           time_before as after_time, coalesce(first_time, received_at) as before_time, received_at as noticed_at
    from seen
    where (number > before + 1 or dropped > 0)
      and ($2::text is null or worker = $2)
      and received_at >= $3
      and ($4::timestamptz is null or received_at < $4)
      and ($5::timestamptz is null or (received_at, worker, number) < ($5, $6::text, $7::bigint))
    order by received_at desc, worker desc, number desc limit $1
"""

_PARTITIONS: Final = """
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'records'::regclass
"""

# The newest of the old rows of a worker that still sends stays: without it, its next batch would look like a gap.
_FORGET_BATCHES: Final = """
    delete from record_batches old where received_at < $1 and (
        not exists (select 1 from record_batches new where new.worker = old.worker and new.received_at >= $1)
        or exists (select 1 from record_batches mid
                   where mid.worker = old.worker and mid.received_at < $1 and mid.number > old.number))
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of a list of records; None: any."""

    gateway_id: str | None = None
    principal: str | None = None
    tool: str | None = None
    status: str | None = None
    decision: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    entry_id: str | None = None
    installation_id: str | None = None
    client: str | None = None
    """How the client's name begins, in whatever case."""
    request_id: str | None = None
    principals: Sequence[str] | None = None
    """Only of these callers: whose records somebody may read."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """The row of a batch, without its records."""

    worker: str
    number: int
    records: int
    dropped: int
    first_time: datetime | None
    last_time: datetime | None


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """The record of a call as it is kept."""

    id: str
    time: datetime
    record: dict[str, Any]
    """As `core.records.CallRecord` has it."""


@dataclass(frozen=True, slots=True)
class KeptGap:
    """What is missing of a worker's batches.

    When its batch `number` came, `first_number` to `last_number` had not (none when the first is above the last), and
    the worker had given up `dropped` records; both lie between the two times.
    """

    worker: str
    number: int
    first_number: int
    last_number: int
    dropped: int
    after_time: datetime | None
    before_time: datetime
    noticed_at: datetime


async def insert_batches(connection: Connection, batches: Sequence[tuple[BatchRow, bytes]]) -> None:
    """Batches and their records, which `copied_records.py` has packed; of a batch that is there already, nothing.

    Raises StoreConflict at the end of the transaction where one of the records is there though its batch is not.
    """
    new = await _insert_keys(connection, {(row.worker, row.number): row for row, _ in batches})
    packed = {(row.worker, row.number): records for row, records in batches}
    if any(packed[key] for key in new):
        # A view, since the driver takes bytes for the name of a file.
        whole = memoryview(b"".join([HEADER, *(packed[key] for key in new), TRAILER]))
        await connection.copy_to_table("records", source=whole, columns=COLUMNS, format="binary")


async def insert_batch(connection: Connection, batch: BatchRow, records: Iterable[RecordValues]) -> bool:
    """A batch and its records one by one, without those that are there; False where the batch itself is."""
    new = await _insert_keys(connection, {(batch.worker, batch.number): batch})
    if new:
        await connection.executemany(_RECORD, records)
    return bool(new)


async def _insert_keys(connection: Connection, rows: Mapping[tuple[str, int], BatchRow]) -> list[tuple[str, int]]:
    """Those that were not there."""
    ordered = [rows[key] for key in sorted(rows)]  # two replicas that have the same ones do not wait for each other
    found = await connection.fetch(
        _BATCHES,
        [one.worker for one in ordered],
        [one.number for one in ordered],
        [one.records for one in ordered],
        [one.dropped for one in ordered],
        [one.first_time for one in ordered],
        [one.last_time for one in ordered],
    )
    return [(row["worker"], row["number"]) for row in found]


async def page(
    connection: Connection, wanted: Wanted, *, limit: int, before: tuple[datetime, str] | None
) -> list[KeptRecord]:
    """Records, newest first, older than `before`."""
    time, record_id = before or (None, None)
    rows = await connection.fetch(
        _PAGE, limit, time, record_id, wanted.gateway_id, wanted.principal, wanted.tool, wanted.status,
        wanted.decision, wanted.since, wanted.until, wanted.entry_id, wanted.installation_id, wanted.client,
        wanted.request_id, wanted.request_id if is_id(wanted.request_id or "") else None, wanted.principals,
    )  # fmt: skip
    return [KeptRecord(*row) for row in rows]


async def one(connection: Connection, record_id: str) -> KeptRecord | None:
    """The record with this identifier, which is its request's too."""
    row = await connection.fetchrow("select id, time, record from records where id = $1", record_id)
    return None if row is None else KeptRecord(*row)


Named = Literal["gateway", "entry", "installation"]
_KNOWN: Final = """
    select exists (select 1 from {table} where id = $1::uuid)
        or exists (select 1 from records where {column} = $1::uuid::text)
"""
_KNOWN_BY: Final[dict[Named, str]] = {
    "gateway": _KNOWN.format(table="gateways", column="gateway_id"),
    "entry": _KNOWN.format(table="entries", column="entry_id"),
    "installation": _KNOWN.format(table="installations", column="installation_id"),
}


async def is_known(connection: Connection, what: Named, identifier: str) -> bool:
    """Whether there is this object, or was when somebody called it."""
    return bool(await connection.fetchval(_KNOWN_BY[what], identifier))


async def gaps(
    connection: Connection,
    *,
    limit: int,
    worker: str | None,
    since: datetime,
    until: datetime | None,
    before: tuple[datetime, str, int] | None = None,
) -> list[KeptGap]:
    """What is missing, newest first.

    `since` is not before the days that are kept: there a forgotten batch would look like a missing one. `before`:
    `noticed_at, worker, number` to go on after.
    """
    rows = await connection.fetch(_GAPS, limit, worker, since, until, *(before or (None, None, None)))
    return [KeptGap(*row) for row in rows]


async def make_partitions(connection: Connection, days: Sequence[date]) -> None:
    """A partition for each day (UTC) that has none. Replicas take turns."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
    for day in days:
        if await connection.fetchval("select to_regclass($1)::text", _name_of(day)) is None:
            first, last = day.isoformat(), (day + timedelta(days=1)).isoformat()
            await connection.execute(
                f"create table {_name_of(day)} partition of records "
                f"for values from ('{first} 00:00:00+00') to ('{last} 00:00:00+00')"
            )


async def drop_partitions(connection: Connection, before: datetime) -> list[date]:
    """Drop the days before `before` (a midnight, UTC), and the batches received before it; returns the days."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
    found = (_day_of(row["name"]) for row in await connection.fetch(_PARTITIONS))
    old = sorted(day for day in found if day is not None and day < before.date())
    for day in old:
        await connection.execute(f"drop table {_name_of(day)}")
    await connection.execute(_FORGET_BATCHES, before)
    return old


def _name_of(day: date) -> str:
    return f"records_{day:%Y%m%d}"


def _day_of(name: str) -> date | None:
    match = _PARTITION.fullmatch(name)
    return date(int(match[1]), int(match[2]), int(match[3])) if match else None
