"""A tool that an entry keeps, as its server last listed it.

Made by `control/store/tools.py` of a row, and by nobody else. What is kept of a definition is judged before, in
`tool_definitions.py`.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from control.registry.told import as_plain

ToolKind = Literal["tool", "resource"]
ToolState = Literal["active", "quarantined", "held_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTool:
    """One tool of an entry, or a resource that is shown as a tool."""

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
    version: int


def told_of_tool(tool: EntryTool) -> dict[str, Any]:
    """All that is kept of a tool, in the words of the admin API."""
    return {one.name: as_plain(getattr(tool, one.name)) for one in fields(tool)}
