"""Gateways over the admin API: named MCP endpoints, who sees them, and whether they can be used as they stand."""

from collections.abc import Mapping, Sequence
from typing import Any

from control.admin.api import Asked, Operations
from control.admin.entries import label_filter
from control.admin.gateway_models import Connect, GatewayCreate, GatewayPatch, GatewayQuery, GatewayView
from control.http.models import Id
from control.http.paging import Page, page_of
from control.http.problems import forbidden, invalid, not_found
from control.registry.access import Caller
from control.registry.gateway_access import check_audience, may_manage_gateway, owner_for
from control.registry.headers import check_allowlist
from control.registry.slugs import check_slug
from control.registry.usability import AssignedTool, Usability, usability
from control.registry.visibility import check_visibility, sees, why_not_called_by
from control.store import assignments, audit, gateways, outbox
from control.store.pool import Connection, Row, transaction
from core.identifiers import new_id

operations = Operations("gateways")

CLIENT_AUTH = ("token",)
"""How callers of a gateway may authenticate; the snapshot says the same."""
_MADE_HERE = {"client_auth", "usable", "reasons", "warnings", "notes", "connect"}
_STORED = tuple(name for name in GatewayView.model_fields if name not in _MADE_HERE)


@operations.get("/gateways")
async def list_gateways(asked: Asked, query: GatewayQuery) -> Page[GatewayView]:
    """The gateways that the caller may see, oldest first."""
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await gateways.page(
            connection,
            limit=query.fetch,
            after=query.after,
            everything=asked.caller.is_admin,
            user_id=asked.caller.user_id or None,
            teams=list(asked.caller.teams),
            label=label_filter(query.label),
        )
        views = {view.id: view for view in await _shown(asked, connection, rows)}
    return page_of(rows, query, lambda row: views[row["id"]], lambda row: row["id"])


@operations.post("/gateways")
async def create_gateway(asked: Asked, body: GatewayCreate) -> GatewayView:
    """Make a gateway. It is usable once a tool is assigned to it and somebody sees it."""
    gateway_id = new_id()
    wanted = _checked(asked.caller, body.model_dump())
    async with transaction(asked.pool) as connection:
        await gateways.insert(connection, gateway_id, wanted)
        await gateways.set_teams(connection, gateway_id, wanted["teams"])
        await outbox.touch_gateways(connection, [gateway_id])
        made = await _one_shown(asked, connection, gateway_id)
        await audit.record(connection, asked.caller, "create", "gateway", gateway_id, None, in_audit(made))
    return made


@operations.get("/gateways/{gateway_id}")
async def read_gateway(asked: Asked, gateway_id: Id) -> GatewayView:
    """One gateway."""
    async with transaction(asked.pool, readonly=True) as connection:
        await visible_gateway(connection, asked.caller, gateway_id)
        return await _one_shown(asked, connection, gateway_id)


@operations.patch("/gateways/{gateway_id}")
async def change_gateway(asked: Asked, gateway_id: Id, body: GatewayPatch) -> GatewayView:
    """Change a gateway; proxies have it within a second."""
    async with transaction(asked.pool) as connection:
        row = await managed_gateway(connection, asked.caller, gateway_id)
        asked.refuse_stale(row["version"])
        before = await _one_shown(asked, connection, gateway_id)
        wanted = _checked(asked.caller, _merged(row, body))
        pins = await assignments.personal_pins(connection, gateway_id)
        check_audience(wanted, {pin["exposed_name"]: pin["user_id"] for pin in pins})
        await gateways.update(connection, gateway_id, wanted)
        await gateways.set_teams(connection, gateway_id, wanted["teams"])
        await outbox.touch_gateways(connection, [gateway_id])
        after = await _one_shown(asked, connection, gateway_id)
        await audit.record(
            connection, asked.caller, "update", "gateway", gateway_id, in_audit(before), in_audit(after)
        )
    return after


@operations.delete("/gateways/{gateway_id}")
async def delete_gateway(asked: Asked, gateway_id: Id) -> None:
    """Delete a gateway with its assignments; its URL is unknown from then on."""
    async with transaction(asked.pool) as connection:
        row = await managed_gateway(connection, asked.caller, gateway_id)
        asked.refuse_stale(row["version"])
        before = await _one_shown(asked, connection, gateway_id)
        await gateways.delete(connection, gateway_id)
        await outbox.gateways_gone(connection, [gateway_id])
        await audit.record(connection, asked.caller, "delete", "gateway", gateway_id, in_audit(before), None)


async def visible_gateway(connection: Connection, caller: Caller, gateway_id: str, *, lock: bool = False) -> Row:
    """The gateway's row, or Problem 404 for one that is not there or that the caller may not see."""
    row = await gateways.one(connection, gateway_id, lock=lock)
    if row is None or not sees(caller, row["visibility"], row["teams"], row["owner_id"]):
        raise not_found("gateway")
    return row


async def managed_gateway(connection: Connection, caller: Caller, gateway_id: str) -> Row:
    """The gateway's row, locked, or a Problem for a caller who may not change it."""
    row = await visible_gateway(connection, caller, gateway_id, lock=True)
    if not may_manage_gateway(caller, row["visibility"], row["owner_id"]):
        raise forbidden("This needs an admin; you may change your own personal gateways.")
    return row


def in_audit(view: GatewayView) -> dict[str, Any]:
    """A gateway for the audit trail, as JSON: what was set, not what follows from it."""
    return view.model_dump(mode="json", exclude=_MADE_HERE)


def _checked(caller: Caller, wanted: Mapping[str, Any]) -> dict[str, Any]:
    owner = owner_for(caller, wanted["visibility"], wanted["owner_id"])
    if not may_manage_gateway(caller, wanted["visibility"], owner):
        raise forbidden("This needs an admin; you may make personal gateways of your own.")
    check_visibility(wanted["visibility"], wanted["teams"], owner)
    check_slug(wanted["slug"])
    return {**wanted, "owner_id": owner, "header_allowlist": check_allowlist(wanted["header_allowlist"])}


def _merged(row: Row, body: GatewayPatch) -> dict[str, Any]:
    given = body.changes()
    wanted = {**{name: row[name] for name in _STORED}, **given}
    if given.get("visibility", "personal") != "personal" and "owner_id" not in given:
        wanted["owner_id"] = None
    if given.get("visibility", "teams") != "teams" and "teams" not in given:
        wanted["teams"] = []
    if wanted["visibility"] == "personal" and given.get("owner_id", "") is None:
        raise invalid(
            "owner_id", "must be a user's id where visibility is 'personal'; leave it out to keep the owner"
        )
    return wanted


async def _one_shown(asked: Asked, connection: Connection, gateway_id: str) -> GatewayView:
    row = await gateways.one(connection, gateway_id)
    if row is None:
        raise not_found("gateway")
    (view,) = await _shown(asked, connection, [row])
    return view


async def _shown(asked: Asked, connection: Connection, rows: Sequence[Row]) -> list[GatewayView]:
    ids = [row["id"] for row in rows]
    people = await gateways.audiences(connection, ids)
    tools: dict[str, list[AssignedTool]] = {gateway_id: [] for gateway_id in ids}
    for one in await gateways.assigned_tools(connection, ids):
        known = dict(one)
        tools[known.pop("gateway_id")].append(AssignedTool(**known))
    return [
        _view(asked, row, usability(tools[row["id"]], kind=row["visibility"], members=people[row["id"]]))
        for row in rows
    ]


def _view(asked: Asked, row: Row, judged: Usability) -> GatewayView:
    stored = {name: row[name] for name in _STORED}
    why = why_not_called_by(asked.caller, row["visibility"], row["teams"], row["owner_id"])
    return GatewayView(
        **stored,
        client_auth=list(CLIENT_AUTH),
        usable=judged.usable,
        reasons=list(judged.reasons),
        warnings=list(judged.warnings),
        notes=[why] if why is not None else [],
        connect=_connect(asked.deps.public_url, row["slug"]),
    )


def _connect(public_url: str, slug: str) -> Connect:
    url = f"{public_url}/v1/mcp/{slug}"
    authorization = "Bearer arch_..."
    config = {"type": "http", "url": url, "headers": {"Authorization": authorization}}
    return Connect(
        url=url,
        transport="streamable-http",
        authorization=authorization,
        client_config={"mcpServers": {slug: config}},
    )
