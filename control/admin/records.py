"""`/records`: calls as they ended, and what is missing of them.

Whose records somebody sees is told by `control/registry/record_access.py`.

The list is for looking, the export for programs: JSON lines, streamed in short transactions, so that a slow reader
holds nothing. Gaps say which batches of which proxy worker never came.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from control.admin.api import Asked, Operations
from control.admin.record_lists import gap_key, gap_place, record_key, record_place, refuse_unknown
from control.admin.record_models import Gap, GapQuery, Record, RecordFilter, RecordQuery
from control.admin.resource import shown
from control.http.models import Id
from control.http.paging import Page, page_of
from control.http.problems import not_found
from control.records.partitions import days_begin
from control.registry.record_access import principals_read_by
from control.store import records
from control.store.pool import Pool, transaction
from control.store.records import KeptGap, KeptRecord, Wanted

operations = Operations("records")

_EXPORT_PAGE = 500


@operations.get("/records")
async def list_records(asked: Asked, query: RecordQuery) -> Page[Record]:
    """List calls, newest first: one's own, those of a team's tokens to its admins; all with `record:read`."""
    before, wanted = record_place(query.cursor), _wanted(asked, query)
    async with transaction(asked.pool, readonly=True) as connection:
        await refuse_unknown(connection, wanted)
        rows = await records.page(connection, wanted, limit=query.fetch, before=before)
    return page_of(rows, query, _record, record_key)


@operations.get("/records/export", media="application/jsonl")
async def export_records(asked: Asked, query: RecordFilter) -> AsyncIterator[bytes]:
    """Export every call that fits and may be seen, newest first, as one JSON object a line."""
    wanted = _wanted(asked, query)
    async with transaction(asked.pool, readonly=True) as connection:
        await refuse_unknown(connection, wanted)
    return _pages(asked.pool, wanted)


@operations.get("/records/{record_id}")
async def get_record(asked: Asked, record_id: Id) -> Record:
    """Show a call; the id of its request, which every answer has, is its id too."""
    async with transaction(asked.pool, readonly=True) as connection:
        kept = await records.one(connection, record_id)
    principals = principals_read_by(asked.caller)
    if kept is None or (principals is not None and kept.record.get("principal") not in principals):
        raise not_found("record")
    return _record(kept)


@operations.get("/records/gaps")
async def list_gaps(asked: Asked, query: GapQuery) -> Page[Gap]:
    """List what is missing of the days that are kept, latest noticed first."""
    kept_since = days_begin(datetime.now(UTC).date(), asked.deps.records_days)
    since = kept_since if query.since is None else max(kept_since, query.since)
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await records.gaps(
            connection,
            limit=query.fetch,
            worker=query.worker,
            since=since,
            until=query.until,
            before=gap_place(query.cursor),
        )
    return page_of(rows, query, _gap, gap_key)


def _record(kept: KeptRecord) -> Record:
    return shown(Record, _values(kept))


def _wanted(asked: Asked, query: RecordFilter) -> Wanted:
    return replace(query.wanted, principals=principals_read_by(asked.caller))


def _values(kept: KeptRecord) -> dict[str, Any]:
    told = {name: kept.record.get(name, _absent(name)) for name in Record.model_fields}
    return {**told, "id": kept.id, "time": kept.time}


def _absent(name: str) -> Any:
    """What a field that the record leaves out means."""
    return 0 if Record.model_fields[name].annotation is int else "" if name != "duration_ms" else None


def _gap(kept: KeptGap) -> Gap:
    missing = kept.first_number <= kept.last_number
    return shown(
        Gap,
        kept,
        first_number=kept.first_number if missing else None,
        last_number=kept.last_number if missing else None,
    )


async def _pages(pool: Pool, wanted: Wanted) -> AsyncIterator[bytes]:
    before: tuple[datetime, str] | None = None
    while True:
        async with transaction(pool, readonly=True) as connection:
            rows = await records.page(connection, wanted, limit=_EXPORT_PAGE, before=before)
        if rows:
            yield b"".join(orjson.dumps(_values(one), option=orjson.OPT_UTC_Z) + b"\n" for one in rows)
            before = (rows[-1].time, rows[-1].id)
        if len(rows) < _EXPORT_PAGE:
            return
