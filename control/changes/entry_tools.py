"""Changes of the tools that an entry keeps: what people decide. What servers list is in `discoveries.py`."""

from typing import Any, Literal

from control.changes.refusals import NotThere, refuse_stale
from control.changes.visible import managed_entry
from control.changes.write import Write, there
from control.registry.entry_tool import EntryTool, told_of_tool
from control.store import entries, tools
from control.store.writes import tools as rows


async def set_state(
    write: Write, entry_id: str, tool_id: str, state: Literal["active", "quarantined"], version: int | None = None
) -> EntryTool:
    """Put a tool into quarantine, or take it out: calls of it are refused on every gateway."""
    before = await _locked(write, entry_id, tool_id, version)
    await rows.set_state(write, tool_id, state)
    after = there(await tools.one(write.connection, entry_id, tool_id))
    await write.announce(gateways=await tools.gateways_of(write.connection, tool_id))
    named = await _named(write, before)
    await write.record("update", "tool", tool_id, {**named, "state": before.state}, {**named, "state": after.state})
    return after


async def acknowledge(write: Write, entry_id: str, tool_id: str, version: int | None = None) -> EntryTool:
    """Somebody has looked at a changed tool: gateways warn of it no more."""
    before = await _locked(write, entry_id, tool_id, version)
    if before.changed_at is None:
        return before
    await rows.acknowledge(write, tool_id)
    await write.announce()
    seen = {name: told_of_tool(before)[name] for name in ("changed_at", "differences")}
    named = await _named(write, before)
    after: dict[str, Any] = {"changed_at": None, "differences": []}
    await write.record("update", "tool", tool_id, {**named, **seen}, {**named, **after})
    return there(await tools.one(write.connection, entry_id, tool_id))


async def _locked(write: Write, entry_id: str, tool_id: str, version: int | None) -> EntryTool:
    managed_entry(await entries.one(write.connection, entry_id), write.actor, "tool:update")
    tool = await tools.one(write.connection, entry_id, tool_id, lock=True)
    if tool is None:
        raise NotThere("tool")
    refuse_stale(version, tool.version)
    return tool


async def _named(write: Write, tool: EntryTool) -> dict[str, str]:
    """Which tool it was, for readers of the audit trail: an identifier alone tells them nothing."""
    return {"entry": there(await entries.one(write.connection, tool.entry_id)).slug, "name": tool.name}
