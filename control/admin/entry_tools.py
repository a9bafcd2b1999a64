"""`/entries/{entry_id}/tools`: the tools that an entry keeps; read them, and put one into quarantine."""

from control.admin.api import Asked, Operations
from control.admin.entry_models import DefinitionDifference, ToolPatch, ToolView
from control.admin.resource import one_or_404, shown
from control.changes import entry_tools as changes
from control.changes.visible import managed_entry, visible_entry
from control.http.models import Id
from control.http.paging import NamedPageQuery, Page, page_of, place_key
from control.registry.entry_tool import EntryTool, told_of_tool
from control.store import entries, tools
from control.store.pool import transaction

operations = Operations("entry tools")


@operations.get("/entries/{entry_id}/tools")
async def list_entry_tools(asked: Asked, entry_id: Id, query: NamedPageQuery) -> Page[ToolView]:
    """List an entry's tools by name, as last discovered. `missing_since`: its server no longer lists it."""
    async with transaction(asked.pool, readonly=True) as connection:
        visible_entry(await entries.one(connection, entry_id), asked.caller, "tool:read")
        found = await tools.page(connection, entry_id, limit=query.fetch, after=query.place)
    return page_of(found, query, _view, lambda one: place_key(one.name, one.id))


@operations.get("/entries/{entry_id}/tools/{tool_id}")
async def read_entry_tool(asked: Asked, entry_id: Id, tool_id: Id) -> ToolView:
    """Show a tool of an entry."""
    async with transaction(asked.pool, readonly=True) as connection:
        visible_entry(await entries.one(connection, entry_id), asked.caller, "tool:read")
        return _view(one_or_404(await tools.one(connection, entry_id, tool_id), "tool"))


@operations.patch("/entries/{entry_id}/tools/{tool_id}")
async def change_entry_tool(asked: Asked, entry_id: Id, tool_id: Id, body: ToolPatch) -> ToolView:
    """Put a tool into quarantine, or take it out: calls of it are refused on every gateway within a second.

    `acknowledged`: somebody has looked at what changed of it, and gateways warn of that no more.
    """
    wanted, version = body.changes(), asked.version
    async with asked.changing() as write:
        managed_entry(await entries.one(write.connection, entry_id), asked.caller, "tool:update")
        tool = one_or_404(await tools.one(write.connection, entry_id, tool_id), "tool")
        if "state" in wanted:
            tool = await changes.set_state(write, entry_id, tool_id, wanted["state"], version)
            version = tool.version
        if "acknowledged" in wanted:
            tool = await changes.acknowledge(write, entry_id, tool_id, version)
    return _view(tool)


def _view(tool: EntryTool) -> ToolView:
    told = told_of_tool(tool)
    places = [DefinitionDifference.model_construct(**one) for one in told["differences"]]
    return shown(ToolView, told, differences=places)
