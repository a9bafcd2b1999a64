"""Assignments over the admin API: which tools a gateway shows, under which names, and with whose installation.

One request assigns any number of an entry's tools. Those that the gateway shows already with the same pin stay as
they are, so that the request can be repeated.
"""

from collections.abc import Sequence

from control.admin.api import Asked, Operations
from control.admin.gateway_models import Assigned, AssignmentCreate, AssignmentPatch, AssignmentView
from control.admin.gateways import managed_gateway, visible_gateway
from control.http.models import Id
from control.http.paging import Page, PageQuery, page_of
from control.http.problems import conflict, invalid, not_found
from control.registry.access import Caller
from control.registry.entry import Entry
from control.registry.exposed_names import check_exposed_name, default_name, free_name
from control.registry.gateway_access import check_pin
from control.registry.installing import may_see
from control.registry.visibility import sees
from control.store import assignments, audit, entries, installations, outbox, tools
from control.store.pool import Connection, Row, transaction
from core.identifiers import is_id

operations = Operations("assignments")

ALL = "*"
MOST_ON_A_GATEWAY = 1_000
"""More would make a list that no model reads, and a snapshot that is slow to send."""
_SHOWN = tuple(AssignmentView.model_fields)


@operations.get("/gateways/{gateway_id}/assignments")
async def list_assignments(asked: Asked, gateway_id: Id, query: PageQuery) -> Page[AssignmentView]:
    """The tools of a gateway."""
    async with transaction(asked.pool, readonly=True) as connection:
        await visible_gateway(connection, asked.caller, gateway_id)
        rows = await assignments.page(connection, gateway_id, limit=query.fetch, after=query.after)
    return page_of(rows, query, shown, lambda row: row["id"])


@operations.post("/gateways/{gateway_id}/assignments")
async def create_assignments(asked: Asked, gateway_id: Id, body: AssignmentCreate) -> Assigned:
    """Assign tools of one entry, by name or all of them with `["*"]`."""
    async with transaction(asked.pool) as connection:
        entry = await _entry(connection, asked.caller, body.entry)
        gateway = await managed_gateway(connection, asked.caller, gateway_id)
        await _check_pin(connection, asked.caller, gateway, body.installation, entry.id)
        wanted = await _wanted_tools(connection, entry, body)
        ids, created = await _assign(connection, gateway_id, entry.slug, wanted, body)
        views = [shown(row) for row in await assignments.listed(connection, ids)]
        await outbox.touch_gateways(connection, [gateway_id])
        for view in views:
            if view.id in created:
                after = view.model_dump(mode="json")
                await audit.record(connection, asked.caller, "create", "assignment", view.id, None, after)
    return Assigned(items=views, created=len(created))


@operations.get("/gateways/{gateway_id}/assignments/{assignment_id}")
async def read_assignment(asked: Asked, gateway_id: Id, assignment_id: Id) -> AssignmentView:
    """One assignment."""
    async with transaction(asked.pool, readonly=True) as connection:
        await visible_gateway(connection, asked.caller, gateway_id)
        return shown(await _assignment(connection, gateway_id, assignment_id))


@operations.patch("/gateways/{gateway_id}/assignments/{assignment_id}")
async def change_assignment(asked: Asked, gateway_id: Id, assignment_id: Id, body: AssignmentPatch) -> AssignmentView:
    """Give the tool another exposed name, or another installation."""
    async with transaction(asked.pool) as connection:
        gateway = await managed_gateway(connection, asked.caller, gateway_id)
        row = await _assignment(connection, gateway_id, assignment_id, lock=True)
        asked.refuse_stale(row["version"])
        pin = row["installation_id"]
        if "installation" in body.model_fields_set:
            pin = body.installation
            await _check_pin(connection, asked.caller, gateway, pin, row["entry_id"])
        name = (
            check_exposed_name(body.exposed_name) if "exposed_name" in body.model_fields_set else row["exposed_name"]
        )
        await assignments.update(connection, assignment_id, name, pin)
        await outbox.touch_gateways(connection, [gateway_id])
        before, after = shown(row), shown(await _assignment(connection, gateway_id, assignment_id))
        await audit.record(
            connection, asked.caller, "update", "assignment", assignment_id,
            before.model_dump(mode="json"), after.model_dump(mode="json"),
        )  # fmt: skip
    return after


@operations.delete("/gateways/{gateway_id}/assignments/{assignment_id}")
async def delete_assignment(asked: Asked, gateway_id: Id, assignment_id: Id) -> None:
    """Take the tool off the gateway."""
    async with transaction(asked.pool) as connection:
        await managed_gateway(connection, asked.caller, gateway_id)
        row = await _assignment(connection, gateway_id, assignment_id, lock=True)
        asked.refuse_stale(row["version"])
        await assignments.delete(connection, assignment_id)
        await outbox.touch_gateways(connection, [gateway_id])
        before = shown(row).model_dump(mode="json")
        await audit.record(connection, asked.caller, "delete", "assignment", assignment_id, before, None)


def shown(row: Row) -> AssignmentView:
    """An assignment as callers see it."""
    return AssignmentView.model_validate({name: row[name] for name in _SHOWN})


async def _entry(connection: Connection, caller: Caller, name: str) -> Entry:
    row = await (entries.one(connection, name) if is_id(name) else entries.by_slug(connection, name))
    if row is None or not sees(caller, row.visibility, row.teams):
        raise invalid("entry", "is no entry's that you may see; list /entries")
    return row


async def _assignment(connection: Connection, gateway_id: str, assignment_id: str, *, lock: bool = False) -> Row:
    row = await assignments.one(connection, gateway_id, assignment_id, lock=lock)
    if row is None:
        raise not_found("assignment")
    return row


async def _check_pin(
    connection: Connection, caller: Caller, gateway: Row, installation_id: str | None, entry_id: str
) -> None:
    if installation_id is None:
        return
    row = await installations.one(connection, installation_id)
    if row is None or not may_see(caller, row.owner):
        raise invalid("installation", "is no installation's that you may see; list /installations")
    check_pin(caller, gateway, row, entry_id)


async def _wanted_tools(connection: Connection, entry: Entry, body: AssignmentCreate) -> list[Row]:
    if body.exposed_name is not None and (len(body.tools) != 1 or ALL in body.tools):
        raise invalid("exposed_name", "goes with exactly one tool")
    rows = await tools.named(connection, entry.id, body.tools)
    known = {row["name"] for row in rows}
    for number, name in enumerate(body.tools):
        if name != ALL and name not in known:
            raise invalid(f"tools[{number}]", f"is no tool of {entry.slug}; list /entries/{entry.id}/tools")
    if not rows:
        raise conflict(f"{entry.slug} has no tools yet: install it, so that they can be discovered.")
    return rows


async def _assign(
    connection: Connection, gateway_id: str, slug: str, wanted: Sequence[Row], body: AssignmentCreate
) -> tuple[list[str], set[str]]:
    """Identifiers of all that was asked for, and of those that are new. The gateway's row is locked."""
    present = await assignments.of_gateway(connection, gateway_id)
    taken = {row["exposed_name"] for row in present}
    same = {(row["tool_id"], row["installation_id"]): row["id"] for row in present}
    kept, created = [], set()
    for tool in wanted:
        earlier = same.get((tool["id"], body.installation))
        if earlier is not None and body.exposed_name is None:
            kept.append(earlier)
            continue
        name = _name(slug, tool["name"], body, taken)
        taken.add(name)
        created.add(await assignments.insert(connection, gateway_id, tool["id"], name, body.installation))
    if len(taken) > MOST_ON_A_GATEWAY:
        raise conflict(f"A gateway shows at most {MOST_ON_A_GATEWAY} tools; put some on another gateway.")
    return [*kept, *created], created


def _name(slug: str, tool: str, body: AssignmentCreate, taken: set[str]) -> str:
    if body.exposed_name is not None:
        return check_exposed_name(body.exposed_name)
    return free_name(default_name(slug, tool, prefix=body.prefix), taken, slug, tool, body.installation or "")
