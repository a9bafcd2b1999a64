"""Whether a gateway can be used as it stands, and if not, what to do about it.

Called when a gateway is read. A gateway that is not usable is still published: the reasons are advice to its admin,
never a check that a call relies on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from control.registry.audience import Audience
from control.registry.entry_tool import ToolKind
from control.registry.installation import InstallationState
from control.registry.installation_states import STATE_WORDS
from control.registry.visibility import VisibilityKind

MAX_NAMED = 5
_NOBODY: Final[dict[VisibilityKind, str]] = {
    "personal": "Its owner is disabled, so nobody can call it.",
    "teams": "Nobody can see it; choose teams with members or the whole organisation.",
    "organisation": "Nobody can see it: every user is disabled.",
}
"""Reasons for which nobody sees a gateway."""


@dataclass(frozen=True, slots=True)
class AssignedTool:
    """What usability must know of one assignment."""

    exposed_name: str
    tool_state: str
    missing: bool
    """The server did not list the tool when it was last asked."""
    installation: str | None = None
    """Name of the pinned installation; None: resolved at call time."""
    installation_state: InstallationState | None = None
    installations_ready: int = 0
    """Of the entry, in any scope: whether a call could find one at all."""
    changed: bool = False
    """Its definition is another one than somebody has looked at."""
    entry_slug: str = ""
    only_as_task: bool = False
    kind: ToolKind = "tool"
    shut_out_by: str = ""
    """The environment whose egress policy refuses all calls of its server, by name; '' where none does."""


@dataclass(frozen=True, slots=True)
class Usability:
    """`usable` is false exactly where a reason stops every caller; of the warnings some stop calls, others tell."""

    reasons: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether somebody can call something."""
        return not self.reasons


def usability(
    tools: Sequence[AssignedTool],
    *,
    kind: VisibilityKind,
    audience: Audience,
    shut: str = "",
) -> Usability:
    """Judge a gateway. `shut`: why nobody of those who see it can come in, by whichever way (`gateway_ways.py`)."""
    reasons: list[str] = []
    if not tools:
        reasons.append("No tool is assigned; assign at least one.")
    if audience.is_nobody:
        reasons.append(_NOBODY[kind])
    if shut:
        reasons.append(shut)
    broken = [(tool, why) for tool in tools if (why := why_not_called(tool)) is not None]
    if tools and len(broken) == len(tools):
        reasons.append("No assigned tool can be called now; see the warnings.")
    changed = [(tool, _what_changed(tool)) for tool in tools if tool.changed]
    return Usability(tuple(reasons), _grouped(broken) + _grouped(changed) + audience.warnings)


def _what_changed(tool: AssignedTool) -> str:
    entry = tool.entry_slug
    return (
        "its server changed what it says of it, and nobody has looked at that yet: "
        f"`archway entries changes {entry}`, then `archway entries acknowledge {entry} TOOL`"
    )


def why_not_called(tool: AssignedTool) -> str | None:
    """What keeps everybody from calling this tool just now; None where nothing does."""
    if tool.tool_state == "quarantined":
        return "in quarantine"
    if tool.tool_state == "held_back":
        return "changed at its server and waiting for approval"
    if tool.only_as_task:
        return "works only as a task of MCP 2025-11-25, which Archway does not run"
    if tool.missing:
        return "no longer listed by its server"
    if tool.shut_out_by:
        return f"shut out by the egress policy of the environment {tool.shut_out_by}, so its calls are refused"
    if tool.installation is not None and tool.installation_state != "ready":
        state = STATE_WORDS[tool.installation_state].clause if tool.installation_state else "not there any more"
        return f"pinned to the installation {tool.installation!r}, which is {state}"
    if tool.installation is None and tool.installations_ready == 0:
        return "resolved at call time, and nobody has a ready installation of its server yet"
    return None


def _grouped(broken: Sequence[tuple[AssignedTool, str]]) -> tuple[str, ...]:
    groups: dict[str, list[str]] = {}
    for tool, why in broken:
        groups.setdefault(why, []).append(tool.exposed_name)
    return tuple(f"{_named(names)}: {why}." for why, names in groups.items())


def _named(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
