"""Installations: those that the person sees, with the state of each."""

from aiohttp import web

from control.admin.installation_models import InstallationQuery
from control.console.shown_installations import ShownInstallation
from control.console.shown_servers import shown_server
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.registry.credential import kind_of
from control.registry.installation_states import STATE_WORDS
from control.store import entries, installations
from control.store.pool import transaction
from control.store.standings import standings

_MOST_ENTRIES = 200


async def show(visit: Visit) -> web.Response:
    """The list, by name."""
    query, caller = visit.query(InstallationQuery), visit.caller
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await installations.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=caller.may("installation:read"),
            user_id=caller.user_id,
            teams=caller.teams_with("installation:read"),
            **query.model_dump(exclude={"limit", "cursor"}),
        )
        of = await entries.many(connection, {one.entry_id for one in rows})
        stand = await standings(connection, rows)
        choices = await entries.page(
            connection, limit=_MOST_ENTRIES, after=None, everything=caller.may("entry:read"), teams=list(caller.teams)
        )
    page = page_of(rows, query, lambda one: {"row": one}, lambda one: place_key(one.name, one.id))
    shown = [
        ShownInstallation(
            row,
            kind_of(of[row.entry_id].credential),
            stand[row.id],
            server=shown_server(of[row.entry_id], row, visit.deps.place),
        )
        for row in (one["row"] for one in page.items)
    ]
    return visit.page(
        "installations/list.html",
        installed=shown,
        next=page.next,
        query=query,
        entries=[(one.id, one.name) for one in choices],
        states=[(state, words.label) for state, words in STATE_WORDS.items()],
    )
