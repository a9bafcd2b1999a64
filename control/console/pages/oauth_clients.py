"""OAuth clients: the programs that sign people in, whoever registered them, and a new one with its secret, once."""

import msgspec
from aiohttp import web

from control.admin.oauth_client_models import NewOAuthClient, OAuthClientQuery
from control.changes import oauth_clients as changes
from control.console.client_form import made_of, new_client_form
from control.console.forms import REFUSALS, Form
from control.console.visit import Visit
from control.http.paging import page_of, place_key
from control.registry.oauth_client import ClientFields, told_of_client
from control.store import oauth_clients, oauth_grants, teams
from control.store.pool import Connection, transaction

_MOST_NAMED = 200


async def show(visit: Visit) -> web.Response:
    """The list, by name."""
    query = visit.query(OAuthClientQuery)
    async with transaction(visit.pool, readonly=True) as connection:
        rows = await oauth_clients.page(
            connection, limit=query.fetch, after=query.place, kind=query.kind, name=query.name
        )
        people = await oauth_grants.people_by_client(connection, [one.id for one in rows])
    page = page_of(rows, query, told_of_client, lambda one: place_key(one.name, one.id))
    return visit.page("oauth_clients/list.html", clients=page.items, people=people, next=page.next, query=query)


async def new(visit: Visit) -> web.Response:
    """The form of a new client."""
    return await _asked(visit, new_client_form())


async def create(visit: Visit) -> web.Response:
    """Register it, and show its secret: now, and never again."""
    form = await visit.form()
    try:
        wanted = form.read(NewOAuthClient, **made_of(form))
        async with visit.changing() as write:
            made, secret = await changes.create(write, msgspec.convert(wanted.model_dump(), ClientFields))
    except REFUSALS as refusal:
        return await _asked(visit, form.refused(refusal))
    return visit.page("oauth_clients/made.html", client=made, secret=secret, renewed=False)


async def teams_to_choose(connection: Connection) -> list[tuple[str, str]]:
    """As whose member a client may call that acts by itself; first: as nobody's."""
    found = await teams.page(connection, limit=_MOST_NAMED, after=None, member=None)
    return [("", "No team"), *((one.id, one.name) for one in found)]


async def _asked(visit: Visit, form: Form) -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        choices = await teams_to_choose(connection)
    return visit.again("oauth_clients/new.html", form, teams=choices)
