"""An assignment: a tool on a gateway, under which name, and with whose installation.

Made by `control/store/assignments.py` of a row, and by nobody else. Leaves out the rules: `exposed_names.py` has
those of names, `gateway_access.py` those of pins.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from control.registry.entry_tool import ToolKind, ToolState
from control.registry.owner import Scope
from control.registry.told import as_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One assigned tool, with what a person needs to recognise it."""

    id: str
    gateway_id: str
    exposed_name: str
    tool_id: str
    tool_name: str
    tool_kind: ToolKind
    tool_state: ToolState
    missing_since: datetime | None
    """Since when the server no longer lists the tool."""
    entry_id: str
    entry_slug: str
    installation_id: str | None
    """Pinned to this installation; None: resolved from the caller at each call."""
    installation_name: str | None
    installation_scope: Scope | None
    created_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as somebody sees it who may call a gateway, and which can be called: neither in quarantine nor gone."""

    name: str
    """On the gateway."""
    description: str
    """The server's own words."""
    only_reads: bool
    """Whether the server says that it changes nothing. Its word, not ours."""
    input_schema: dict[str, Any]


def told_of_assignment(assignment: Assignment) -> dict[str, Any]:
    """All that is kept of an assignment, in the words of the admin API."""
    return {one.name: as_plain(getattr(assignment, one.name)) for one in fields(assignment)}
