"""A tool that an entry keeps, as its server last listed it.

Made by `control/store/tools.py` of a row, and by nobody else. What is kept of a definition is judged before, in
`tool_definitions.py`.
"""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal

from control.registry.definition_differences import differences
from control.registry.told import as_plain
from core.mcp.shapes import is_only_a_task

ToolKind = Literal["tool", "resource", "resources", "prompts"]
"""A tool; a resource that is shown as a tool; all resources or all prompts of a server, as each caller's own account
sees them (an offer)."""

ToolState = Literal["active", "quarantined", "held_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTool:
    """One tool of an entry, a resource that is shown as a tool, or all resources or prompts of its server."""

    id: str
    entry_id: str
    kind: ToolKind
    name: str
    """What assignments are named after."""
    upstream_name: str
    """The server's own name, or the URI of a resource."""
    definition: dict[str, Any]
    definition_sha256: str
    state: ToolState
    discovered_at: datetime
    missing_since: datetime | None
    """Since when its server no longer lists it."""
    changed_at: datetime | None
    """Since when its definition is another one than somebody has looked at."""
    known_definition: dict[str, Any] | None
    """The one that they have looked at, where it is another."""
    version: int


def told_of_tool(tool: EntryTool) -> dict[str, Any]:
    """All that is kept of a tool, in the words of the admin API; of a change, what differs."""
    told = {one.name: as_plain(getattr(tool, one.name)) for one in fields(tool) if one.name != "known_definition"}
    known = tool.known_definition
    changed = [] if known is None else [asdict(one) for one in differences(known, tool.definition)]
    return {**told, "differences": changed, "only_as_task": is_only_a_task(tool.definition)}
