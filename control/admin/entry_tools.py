"""The tools that an entry keeps, over the admin API: read them, and put one into quarantine."""

from control.admin.api import Asked, Operations
from control.admin.entries import visible_entry
from control.admin.entry_models import ToolPatch, ToolView
from control.http.models import Id
from control.http.paging import Page, PageQuery, page_of
from control.http.problems import not_found
from control.store import audit, outbox, tools
from control.store.pool import Row, transaction

operations = Operations("entry tools")

_SHOWN = tuple(ToolView.model_fields)


@operations.get("/entries/{entry_id}/tools")
async def list_entry_tools(asked: Asked, entry_id: Id, query: PageQuery) -> Page[ToolView]:
    """An entry's tools as last discovered; `missing_since` marks those that its server no longer lists."""
    async with transaction(asked.pool, readonly=True) as connection:
        await visible_entry(connection, asked.caller, entry_id)
        rows = await tools.page(connection, entry_id, limit=query.fetch, after=query.after)
    return page_of(rows, query, shown, lambda row: row["id"])


@operations.get("/entries/{entry_id}/tools/{tool_id}")
async def read_entry_tool(asked: Asked, entry_id: Id, tool_id: Id) -> ToolView:
    """One tool."""
    async with transaction(asked.pool, readonly=True) as connection:
        await visible_entry(connection, asked.caller, entry_id)
        row = await tools.one(connection, entry_id, tool_id)
    if row is None:
        raise not_found("tool")
    return shown(row)


@operations.patch("/entries/{entry_id}/tools/{tool_id}")
async def change_entry_tool(asked: Asked, entry_id: Id, tool_id: Id, body: ToolPatch) -> ToolView:
    """Put a tool into quarantine, or take it out: calls of it are refused on every gateway within a second."""
    async with transaction(asked.pool) as connection:
        row = await tools.lock(connection, entry_id, tool_id)
        if row is None:
            raise not_found("tool")
        asked.refuse_stale(row["version"])
        await tools.set_state(connection, tool_id, body.state)
        await outbox.touch_gateways(connection, await tools.gateways_of(connection, tool_id))
        changed = await tools.one(connection, entry_id, tool_id)
        assert changed is not None
        await audit.record(
            connection, asked.caller, "update", "tool", tool_id, {"state": row["state"]}, {"state": body.state}
        )
    return shown(changed)


def shown(row: Row) -> ToolView:
    """A tool as callers see it."""
    return ToolView.model_validate({name: row[name] for name in _SHOWN})
