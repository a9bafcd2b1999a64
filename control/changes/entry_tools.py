"""Changes of the tools that an entry keeps: what people decide. What servers list is in `discoveries.py`."""

from typing import Literal

from control.changes.refusals import NotThere, refuse_stale
from control.changes.write import Write, there
from control.registry.entry_tool import EntryTool
from control.store import tools
from control.store.writes import tools as rows


async def set_state(
    write: Write, entry_id: str, tool_id: str, state: Literal["active", "quarantined"], version: int | None = None
) -> EntryTool:
    """Put a tool into quarantine, or take it out: calls of it are refused on every gateway."""
    before = await tools.one(write.connection, entry_id, tool_id, lock=True)
    if before is None:
        raise NotThere("tool")
    refuse_stale(version, before.version)
    await rows.set_state(write, tool_id, state)
    after = there(await tools.one(write.connection, entry_id, tool_id))
    await write.announce(gateways=await tools.gateways_of(write.connection, tool_id))
    await write.record("update", "tool", tool_id, {"state": before.state}, {"state": after.state})
    return after
