"""Activity: calls as they ended, the newest first, with filters in the address; and one of them in full.

Everybody sees their own calls, admins of a team those of its tokens, and who holds `record:read` all of them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, get_args

from aiohttp import web

from control.admin.record_lists import record_key, record_place, refuse_unknown
from control.console.activity_query import ActivityQuery
from control.console.forms import Form
from control.console.shown_records import shown_records
from control.console.visit import Visit
from control.http.paging import page_of
from control.http.problems import Problem, not_found
from control.records.partitions import days_begin
from control.records.statuses import Status
from control.registry.access import Caller
from control.registry.record_access import principals_read_by
from control.store import entries, gateways, oauth_clients, records, teams, users
from control.store.pool import Connection, transaction
from control.store.records import KeptGap, KeptRecord, Wanted

_MOST_NAMED: Final = 100
"""Of each kind that a filter offers: all of them would be half of the page."""
_MOST_GAPS: Final = 5
_FIELDS: Final = (
    "gateway", "entry", "tool", "principal", "status", "decision", "within", "from", "to", "client", "request_id",
    "installation",
)  # fmt: skip
Choices = Sequence[tuple[str, str]]


async def show(visit: Visit) -> web.Response:
    """The list. A filter that cannot be read is told of, and finds nothing: somebody may still be typing."""
    form = Form({name: visit.request.query.get(name, "") for name in _FIELDS})
    query = ActivityQuery()
    rows: list[KeptRecord] = []
    gaps: list[KeptGap] = []
    async with transaction(visit.pool, readonly=True) as connection:
        try:
            query = visit.query(ActivityQuery)
            wanted = query.wanted_at(datetime.now(UTC), principals_read_by(visit.caller))
            await refuse_unknown(connection, wanted)
            rows = await records.page(connection, wanted, limit=query.fetch, before=record_place(query.cursor))
            gaps = await _gaps(visit, connection, wanted)
        except Problem as refusal:
            form = form.refused(refusal)
        page = page_of(rows, query, lambda one: {"row": one}, record_key)
        shown = await shown_records(connection, visit.caller, [one["row"] for one in page.items])
        choices = await _choices(connection, visit.caller, form)
    return visit.page(
        "activity/list.html",
        records=shown,
        next=page.next,
        query=query,
        form=form,
        gaps=gaps,
        all_of_them=visit.caller.may("record:read"),
        days=visit.deps.records_days,
        statuses=[(one, one.replace("_", " ")) for one in get_args(Status)],
        **choices,
    )


async def record(visit: Visit) -> web.Response:
    """One call; the id of its request, which every answer has, is its id too."""
    async with transaction(visit.pool, readonly=True) as connection:
        kept = await records.one(connection, visit.named("record_id"))
        seen = principals_read_by(visit.caller)
        if kept is None or (seen is not None and kept.record.get("principal") not in seen):
            raise not_found("record")
        (shown,) = await shown_records(connection, visit.caller, [kept])
    return visit.page("activity/record.html", one=shown)


async def _gaps(visit: Visit, connection: Connection, wanted: Wanted) -> list[KeptGap]:
    """What is missing of the time that is looked at; to whoever may know of it."""
    if not visit.caller.may("gap:read"):
        return []
    kept_since = days_begin(datetime.now(UTC).date(), visit.deps.records_days)
    since = kept_since if wanted.since is None else max(kept_since, wanted.since)
    return await records.gaps(connection, limit=_MOST_GAPS, worker=None, since=since, until=wanted.until)


async def _choices(connection: Connection, caller: Caller, form: Form) -> dict[str, Choices]:
    """What the filters offer: what the person sees of each, and what is looked for now."""
    mine = list(caller.teams)
    seen = await gateways.page(
        connection, limit=_MOST_NAMED, after=None, everything=caller.may("gateway:read"),
        user_id=caller.user_id or None, teams=mine,
    )  # fmt: skip
    known = await entries.page(
        connection, limit=_MOST_NAMED, after=None, everything=caller.may("entry:read"), teams=mine
    )  # fmt: skip
    return {
        "gateways": _with(form.value("gateway"), [(one.id, one.name) for one in seen]),
        "entries": _with(form.value("entry"), [(one.id, one.name) for one in known]),
        "callers": _with(form.value("principal"), await _callers(connection, caller)),
    }


def _with(chosen: str, choices: Choices) -> Choices:
    """The choices with the one that the address names, which may be one of many more, or be gone."""
    return choices if not chosen or any(value == chosen for value, _ in choices) else [*choices, (chosen, chosen)]


async def _callers(connection: Connection, caller: Caller) -> Choices:
    """Whose calls can be looked for; none where there are only one's own."""
    if not caller.may("record:read") or not caller.may("user:list"):
        return []
    people = await users.page(connection, limit=_MOST_NAMED, after=None)
    groups = await teams.page(connection, limit=_MOST_NAMED, after=None, member=None)
    programs = await oauth_clients.acting_by_themselves(connection, _MOST_NAMED)
    return [
        *((f"user:{one.id}", one.name) for one in people),
        *((f"team:{one.id}", f"Tokens of {one.name}") for one in groups),
        *((f"service:{one.id}", f"The service account {one.name}") for one in programs),
        ("organisation", "Tokens of the organisation"),
    ]
