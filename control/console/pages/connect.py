"""Connect: the gateways that one can call, and for each how every client is told of it.

A token can be made right there; its secret stands in what is copied, once, and the page waits for the first call
(`control/console/first_call.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from control.admin.token_models import NewToken
from control.changes import tokens as changes
from control.console.admitted import admitted_at
from control.console.connecting.clients import WAYS, client_by, clients_for, ways_of
from control.console.connecting.sample_call import SampleCall, sample_call, sample_search
from control.console.connecting.step import HOLDER, Client, Steps, Target
from control.console.forms import REFUSALS, Form
from control.console.last_call import last_call
from control.console.shown_gateways import ShownGateway, named, visible_to
from control.console.visit import Visit
from control.http.paging import NamedPageQuery, page_of, place_key
from control.registry.gateway import ways_in
from control.store import assignments
from control.store.pool import transaction

OWN_TOKEN: Final = timedelta(days=90)
"""How long a token lasts that is made here. My access makes others."""
_MOST_TOOLS: Final = 100
"""Of those that are listed."""


@dataclass(frozen=True, slots=True)
class ShownWay:
    """One way of authenticating of one client, with what is to be done."""

    key: str
    label: str
    means: str
    steps: Steps


@dataclass(frozen=True, slots=True)
class ShownClient:
    """A client's tab, with its ways."""

    key: str
    label: str
    ways: Sequence[ShownWay]


async def gateways(visit: Visit) -> web.Response:
    """The gateways that the person sees."""
    query = visit.query(NamedPageQuery)
    async with transaction(visit.pool, readonly=True) as connection:
        found = await visible_to(
            connection, visit.caller, visit.deps.public_url, limit=query.fetch, after=query.place
        )
    page = page_of(found, query, lambda one: {"shown": one}, lambda one: place_key(one.gateway.name, one.gateway.id))
    return visit.page("connect/gateways.html", gateways=[one["shown"] for one in page.items], next=page.next)


async def show(visit: Visit) -> web.Response:
    """How clients are connected to one gateway."""
    return await _shown(visit, Form(), HOLDER, visit.request.query.get("client", ""))


async def make_token(visit: Visit) -> web.Response:
    """Make a token of one's own for a client, and show what to copy with its secret in it."""
    form = await visit.form()
    client = client_by(form.value("client"))
    async with transaction(visit.pool, readonly=True) as connection:
        shown = await named(connection, visit.caller, visit.deps.public_url, visit.named("gateway"))
    try:
        name = f"{client.label if client else 'A client'} · {shown.slug}"[:128]
        wanted = Form({"name": name}).read(NewToken, expires_at=datetime.now(UTC) + OWN_TOKEN)
        async with visit.changing() as write:
            _made, secret = await changes.create(write, changes.WantedToken(**wanted.model_dump()))
    except REFUSALS as refusal:
        return await _shown(visit, replace(form, given={}).refused(refusal), HOLDER, form.value("client"))
    return await _shown(visit, Form(), secret, form.value("client"), "token")


async def _shown(visit: Visit, form: Form, secret: str, client: str, way: str = "") -> web.Response:
    async with transaction(visit.pool, readonly=True) as connection:
        shown = await named(connection, visit.caller, visit.deps.public_url, visit.named("gateway"))
        call = await last_call(connection, visit.caller, shown.gateway.id)
        tools = await assignments.offered(connection, shown.gateway.id, _MOST_TOOLS)
        admitted = await admitted_at(connection, shown.gateway)
    sample = sample_search(tools) if shown.gateway.tool_loading == "search_and_run" else sample_call(tools)
    clients = [_tab(one, shown, secret, sample) for one in clients_for(ways_in(shown.gateway))]
    keys = [one.key for one in clients]
    return visit.again(
        "connect/gateway.html",
        form,
        shown=shown,
        admitted=admitted,
        ways=[WAYS[way] for way in WAYS if way in ways_in(shown.gateway)],
        clients=clients,
        open=client if client in keys else keys[0],
        open_way=way,
        secret="" if secret == HOLDER else secret,
        call=call if secret == HOLDER else None,
        after=call.id if call is not None and secret != HOLDER else "",
        tools=tools,
    )


def _tab(client: Client, shown: ShownGateway, secret: str, call: SampleCall | None) -> ShownClient:
    to = Target(shown.url, shown.slug, secret, call)
    ways = [ShownWay(way, *WAYS[way], client.ways[way](to)) for way in ways_of(client, ways_in(shown.gateway))]
    return ShownClient(client.key, client.label, ways)
