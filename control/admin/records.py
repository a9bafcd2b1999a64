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
from control.admin.record_models import Gap, GapQuery, Record, RecordFilter, RecordQuery
from control.admin.resource import shown
from control.http.models import Id
from control.http.paging import Page, bad_cursor, open_cursor, page_of
from control.http.problems import invalid, not_found
from control.records.partitions import days_begin
from control.registry.record_access import principals_read_by
from control.store import records
from control.store.pool import Connection, Pool, transaction
from control.store.records import KeptGap, KeptRecord, Wanted
from core.identifiers import is_id

operations = Operations("records")

_EXPORT_PAGE = 500
_EARLIEST_YEAR, _LATEST_YEAR = 1970, 9000  # as `Moment`


@operations.get("/records")
async def list_records(asked: Asked, query: RecordQuery) -> Page[Record]:
    """List calls, newest first: one's own, those of a team's tokens to its admins; all with `record:read`."""
    before, wanted = _record_key(query.cursor), _wanted(asked, query)
    async with transaction(asked.pool, readonly=True) as connection:
        await _refuse_unknown(connection, wanted)
        rows = await records.page(connection, wanted, limit=query.fetch, before=before)
    return page_of(rows, query, _record, lambda one: f"{one.time.isoformat()} {one.id}")


@operations.get("/records/export", media="application/jsonl")
async def export_records(asked: Asked, query: RecordFilter) -> AsyncIterator[bytes]:
    """Export every call that fits and may be seen, newest first, as one JSON object a line."""
    wanted = _wanted(asked, query)
    async with transaction(asked.pool, readonly=True) as connection:
        await _refuse_unknown(connection, wanted)
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
            before=_gap_key(query.cursor),
        )
    return page_of(rows, query, _gap, lambda one: f"{one.noticed_at.isoformat()} {one.number} {one.worker}")


def _record(kept: KeptRecord) -> Record:
    return shown(Record, _values(kept))


def _wanted(asked: Asked, query: RecordFilter) -> Wanted:
    return replace(query.wanted, principals=principals_read_by(asked.caller))


async def _refuse_unknown(connection: Connection, wanted: Wanted) -> None:
    """Problem 422 for a gateway, entry or installation that there is not and never was: an empty list would say that
    nobody called it. To whoever sees only some records it says no more than that, and is what they get.
    """
    if wanted.principals is not None:
        return
    named: tuple[tuple[records.Named, str | None, str], ...] = (
        ("gateway", wanted.gateway_id, "is not the id of a gateway, and no record names it; list /gateways"),
        ("entry", wanted.entry_id, "is not the id of an entry, and no record names it; list /entries"),
        ("installation", wanted.installation_id, "is not the id of an installation, and no record names it; list "
         "/installations"),
    )  # fmt: skip
    for what, identifier, problem in named:
        if identifier is not None and not await records.is_known(connection, what, identifier):
            raise invalid(what, problem)


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


def _record_key(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    time, _, record_id = open_cursor(cursor).partition(" ")
    if not is_id(record_id):
        raise bad_cursor()
    return _moment(time), record_id


def _gap_key(cursor: str) -> tuple[datetime, str, int] | None:
    if not cursor:
        return None
    time, _, rest = open_cursor(cursor).partition(" ")
    number, _, worker = rest.partition(" ")
    if not (number.isascii() and number.isdigit() and len(number) < 19) or "\0" in worker:
        raise bad_cursor()
    return _moment(time), worker, int(number)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise bad_cursor() from None
    if found.tzinfo is None or not _EARLIEST_YEAR <= found.year <= _LATEST_YEAR:
        raise bad_cursor()
    return found
