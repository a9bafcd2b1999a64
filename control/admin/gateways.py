"""`/gateways`: named MCP endpoints, who sees them, and whether they can be used as they stand.

Written by `control/changes/gateways.py`.
"""

from collections.abc import Sequence
from functools import partial

import msgspec

from control.admin.api import Asked, Operations
from control.admin.gateway_models import Connect, GatewayCreate, GatewayPatch, GatewayQuery, GatewayView
from control.admin.gateway_ways import ShutWays, shut
from control.admin.labels import label_filter
from control.admin.resource import shown
from control.changes import gateways as changes
from control.changes.visible import visible_gateway
from control.http.cookies import rules_for
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.registry.audience import Audience
from control.registry.gateway import Gateway, GatewayFields, told_of_gateway, ways_in
from control.registry.gateway_access import may_manage_gateway
from control.registry.lending import Lent, lending_warnings
from control.registry.partial import gateway_with
from control.registry.resources import canonical_resource
from control.registry.usability import AssignedTool, usability
from control.registry.visibility import why_not_called_by
from control.store import gateways, lending
from control.store.pool import Connection, transaction

operations = Operations("gateways")


@operations.get("/gateways")
async def list_gateways(asked: Asked, query: GatewayQuery) -> Page[GatewayView]:
    """List the gateways that the caller may see, by name."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await gateways.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=asked.caller.may("gateway:read"),
            user_id=asked.caller.user_id or None,
            teams=list(asked.caller.teams),
            label=label_filter(query.label),
        )
        views = {view.id: view for view in await _views(asked, connection, found)}
    return page_of(found, query, lambda gateway: views[gateway.id], lambda one: place_key(one.name, one.id))


@operations.post("/gateways")
async def create_gateway(asked: Asked, body: GatewayCreate) -> GatewayView:
    """Make a gateway. It is usable once a tool is assigned to it and somebody sees it."""
    async with asked.changing() as write:
        made = await changes.create(write, msgspec.convert(body.model_dump(), GatewayFields))
        return await _view(asked, write.connection, made)


@operations.get("/gateways/{gateway_id}")
async def read_gateway(asked: Asked, gateway_id: Id) -> GatewayView:
    """Show a gateway."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = visible_gateway(await gateways.one(connection, gateway_id), asked.caller)
        return await _view(asked, connection, found)


@operations.patch("/gateways/{gateway_id}")
async def change_gateway(asked: Asked, gateway_id: Id, body: GatewayPatch) -> GatewayView:
    """Change a gateway; proxies have it within a second."""
    wanted = partial(gateway_with, given=body.changes())
    async with asked.changing() as write:
        changed = await changes.change(write, gateway_id, wanted, asked.version)
        return await _view(asked, write.connection, changed)


@operations.delete("/gateways/{gateway_id}")
async def delete_gateway(asked: Asked, gateway_id: Id) -> None:
    """Delete a gateway with its assignments; its URL is unknown from then on."""
    async with asked.changing() as write:
        await changes.delete(write, gateway_id, asked.version)


async def _view(asked: Asked, connection: Connection, gateway: Gateway) -> GatewayView:
    (view,) = await _views(asked, connection, [gateway])
    return view


async def _views(asked: Asked, connection: Connection, found: Sequence[Gateway]) -> list[GatewayView]:
    ids = [gateway.id for gateway in found]
    seen_by = await gateways.audiences(connection, ids)
    tools = await gateways.assigned_tools(connection, ids)
    lent: dict[str, list[Lent]] = {gateway_id: [] for gateway_id in ids}
    for one in await lending.lent_on(connection, ids):
        lent[one.gateway_id].append(one)
    ways = await shut(connection, found, pages_kept=rules_for(asked.deps.pages_url).kept)
    return [_judged(asked, one, tools[one.id], seen_by[one.id], lent[one.id], ways[one.id]) for one in found]


def _judged(
    asked: Asked,
    gateway: Gateway,
    tools: Sequence[AssignedTool],
    seen_by: Audience,
    lent: Sequence[Lent],
    ways: ShutWays,
) -> GatewayView:
    judged = usability(tools, kind=gateway.visibility, audience=seen_by, shut=ways.reason)
    manages = may_manage_gateway(asked.caller, "gateway:update", gateway)
    why = why_not_called_by(asked.caller, gateway.visibility, gateway.teams, gateway.owner_id)
    return shown(
        GatewayView,
        told_of_gateway(gateway),
        client_auth=[*ways_in(gateway)],
        usable=judged.usable,
        reasons=list(judged.reasons),
        warnings=[*judged.warnings, *(lending_warnings(lent) if manages else ()), *ways.warnings],
        notes=[why] if why is not None else [],
        connect=_connect(asked.deps.public_url, gateway.slug),
    )


def _connect(public_url: str, slug: str) -> Connect:
    url = canonical_resource(public_url, slug)
    authorization = "Bearer arch_..."
    config = {"type": "http", "url": url, "headers": {"Authorization": authorization}}
    return Connect(
        url=url,
        transport="streamable-http",
        authorization=authorization,
        client_config={"mcpServers": {slug: config}},
    )
