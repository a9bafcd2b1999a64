"""Extensions of MCP 2026-07-28 that a client may declare, and a gateway passes on: tasks, and apps (`ui://`).

A client declares them with each request, beside its capabilities. A server is told of those that stand here, since
of another one nobody knows what a server would send for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.mcp.methods import META_CLIENT_CAPABILITIES

TASKS: Final = "io.modelcontextprotocol/tasks"
APPS: Final = "io.modelcontextprotocol/ui"
PASSED_ON: Final = (TASKS, APPS)


def declared_extensions(capabilities: object) -> dict[str, object]:
    """Of the extensions in `clientCapabilities`, those that a server is told of."""
    told = capabilities.get("extensions") if isinstance(capabilities, dict) else None
    if not isinstance(told, dict):
        return {}
    return {name: told[name] for name in PASSED_ON if isinstance(told.get(name), dict)}


def knows_tasks(meta: Mapping[str, object]) -> bool:
    """Whether the client of a request with this `_meta` declares that it takes a task in place of a result."""
    return TASKS in declared_extensions(meta.get(META_CLIENT_CAPABILITIES))
