"""`/records`: calls as they ended, and what is missing of them.

The list is for looking, the export for programs: JSON lines, streamed in short transactions, so that a slow reader
holds nothing. Gaps say which batches of which proxy worker never came.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from control.admin.api import Asked, Operations
from control.admin.resource import shown
from control.http.models import MARKS, UUID, Id, Item, Moment, Query, View, Worded
from control.http.paging import Page, PageQuery, bad_cursor, open_cursor, page_of
from control.http.problems import invalid
from control.records.partitions import days_begin
from control.records.statuses import Status
from control.store import records
from control.store.pool import Connection, Pool, Row, transaction
from control.store.records import Wanted
from core.identifiers import is_id

operations = Operations("records")

_EXPORT_PAGE = 500
_EARLIEST_YEAR, _LATEST_YEAR = 1970, 9000  # as `Moment`
_Text = Annotated[str, Worded(rf"[^{MARKS}]*", "must not hold control characters")] | None

Decision = Literal["allowed", "refused"]
_Principal = Annotated[
    str,
    Worded(
        rf"(?:user|team):{UUID}|organisation",
        "must be user:ID, team:ID or organisation, with the identifier that lists show",
        longest=41,
    ),
]


class Record(Item):
    """One call. No argument and no result is in it."""

    time: Moment = Field(description="When the call came in; of a proxy whose clock is wrong, when its record came.")
    duration_ms: float | None
    request_id: str
    decision: Decision = Field(description="`allowed` or `refused`.")
    status: str = Field(description="`ok`, `tool_error`, `cancelled`, or the reason of a refusal or fault.")
    method: str
    principal: str = Field(description="`user:ID`, `team:ID` or `organisation`.")
    auth: str
    token_id: str
    client: str
    address: str
    gateway_id: str
    gateway_revision: int
    tool: str
    entry_id: str
    installation_id: str
    installation_owner: str
    credential_version: int
    arguments_sha256: str
    bytes_in: int
    bytes_out: int
    session: str
    trace_id: str


class RecordFilter(Query):
    """Which records."""

    gateway: Annotated[
        Id | None, Field(description="Identifier of the gateway; of a deleted one while records name it.")
    ] = None
    principal: Annotated[_Principal | None, Field(description="`user:ID`, `team:ID` or `organisation`.")] = None
    tool: Annotated[
        _Text, Field(description="Its exposed name: the one that the gateway showed when it was called.")
    ] = None
    status: Annotated[Status | None, Field(description="How the call ended.")] = None
    decision: Decision | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to", description="Before this moment.")] = None

    @property
    def wanted(self) -> Wanted:
        """As the store takes it."""
        return Wanted(self.gateway, self.principal, self.tool, self.status, self.decision, self.since, self.until)


class RecordQuery(RecordFilter, PageQuery):
    """Which records, and which page of them."""


class Gap(View):
    """Batches of one worker that did not come, or records that it gave up, before one that came."""

    worker: str
    first_number: int | None = Field(description="First missing batch; null when none is missing.")
    last_number: int | None
    dropped: int = Field(description="Records that the worker itself gave up, having no room to keep them.")
    after_time: Moment | None = Field(description="What is missing is not older than this.")
    before_time: Moment = Field(description="Nor newer than this.")
    noticed_at: Moment


class GapQuery(PageQuery):
    """Whose gaps, and when they were noticed."""

    worker: _Text = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None


@operations.get("/records")
async def list_records(asked: Asked, query: RecordQuery) -> Page[Record]:
    """List calls, newest first."""
    before = _record_key(query.cursor)
    async with transaction(asked.pool, readonly=True) as connection:
        await _refuse_unknown(connection, query)
        rows = await records.page(connection, query.wanted, limit=query.fetch, before=before)
    return page_of(rows, query, _record, lambda row: f"{row['time'].isoformat()} {row['id']}")


@operations.get("/records/export", media="application/jsonl")
async def export_records(asked: Asked, query: RecordFilter) -> AsyncIterator[bytes]:
    """Every call that fits, newest first, one JSON object a line."""
    async with transaction(asked.pool, readonly=True) as connection:
        await _refuse_unknown(connection, query)
    return _pages(asked.pool, query.wanted)


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
    return page_of(rows, query, _gap, lambda row: f"{row['noticed_at'].isoformat()} {row['number']} {row['worker']}")


def _record(row: Row) -> Record:
    return shown(Record, _values(row))


async def _refuse_unknown(connection: Connection, query: RecordFilter) -> None:
    """Problem 422 for a gateway that there is not and never was: an empty list would say that nobody called it."""
    if query.gateway is not None and not await records.gateway_known(connection, query.gateway):
        raise invalid("gateway", "is no gateway's, and no record names it; list /gateways for those that there are")


def _values(row: Row) -> dict[str, Any]:
    kept = {name: row["record"].get(name, _absent(name)) for name in Record.model_fields}
    return {**kept, "id": row["id"], "time": row["time"]}


def _absent(name: str) -> Any:
    """What a field that the record leaves out means."""
    return 0 if Record.model_fields[name].annotation is int else "" if name != "duration_ms" else None


def _gap(row: Row) -> Gap:
    missing = row["first_number"] <= row["last_number"]
    return shown(
        Gap,
        row,
        first_number=row["first_number"] if missing else None,
        last_number=row["last_number"] if missing else None,
    )


async def _pages(pool: Pool, wanted: Wanted) -> AsyncIterator[bytes]:
    before: tuple[datetime, str] | None = None
    while True:
        async with transaction(pool, readonly=True) as connection:
            rows = await records.page(connection, wanted, limit=_EXPORT_PAGE, before=before)
        if rows:
            yield b"".join(orjson.dumps(_values(row), option=orjson.OPT_UTC_Z) + b"\n" for row in rows)
            before = (rows[-1]["time"], rows[-1]["id"])
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
