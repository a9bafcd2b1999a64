"""The words of the protocol: methods, notifications, and the keys of the modern envelope.

Read by the parser, by the proxy's method table, and where the proxy asks a server. That a method stands here says
that MCP defines it, not that a gateway serves it.
"""

from __future__ import annotations

from typing import Literal

META_PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_CLIENT_INFO = "io.modelcontextprotocol/clientInfo"
META_LOG_LEVEL = "io.modelcontextprotocol/logLevel"
META_SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"

TOOLS_CALL = "tools/call"
RESOURCES_READ = "resources/read"
SUBSCRIBE = "resources/subscribe"
UNSUBSCRIBE = "resources/unsubscribe"
LISTEN = "subscriptions/listen"
RESOURCES_LIST = "resources/list"
TEMPLATES_LIST = "resources/templates/list"
PROMPTS_LIST = "prompts/list"
PROMPTS_GET = "prompts/get"
COMPLETE = "completion/complete"
TASKS_GET = "tasks/get"
TASKS_UPDATE = "tasks/update"
TASKS_CANCEL = "tasks/cancel"
OF_TASKS = frozenset({TASKS_GET, TASKS_UPDATE, TASKS_CANCEL})
"""Methods of the Tasks extension of 2026-07-28. Those of 2025-11-25 have two of the names and mean something else."""
MAY_ASK = frozenset({TOOLS_CALL, PROMPTS_GET, RESOURCES_READ})
"""Methods whose modern results may be questions (MCP 2026-07-28, multi-round-trip requests)."""
_LISTS_AND_CALLS = {
    "tools/list",
    TOOLS_CALL,
    PROMPTS_LIST,
    PROMPTS_GET,
    RESOURCES_LIST,
    TEMPLATES_LIST,
    RESOURCES_READ,
    COMPLETE,
}
# What a client may ask of a server, as the revisions define it; the tasks of both eras are among them.
LEGACY_METHODS: frozenset[str] = frozenset(
    _LISTS_AND_CALLS
    | {
        "initialize",
        "ping",
        "logging/setLevel",
        SUBSCRIBE,
        UNSUBSCRIBE,
        TASKS_GET,
        "tasks/result",
        "tasks/list",
        TASKS_CANCEL,
    }
)
MODERN_METHODS: frozenset[str] = frozenset(_LISTS_AND_CALLS | OF_TASKS | {"server/discover", LISTEN})
CLIENT_NOTIFICATIONS: frozenset[str] = frozenset(
    {
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
    }
)

PROGRESS = "notifications/progress"
LOG_MESSAGE = "notifications/message"
RESOURCE_UPDATED = "notifications/resources/updated"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
LIST_CHANGED: dict[str, Literal["tools", "resources", "prompts"]] = {
    "notifications/tools/list_changed": "tools",
    "notifications/resources/list_changed": "resources",
    "notifications/prompts/list_changed": "prompts",
}

LOG_LEVELS: tuple[str, ...] = (
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
)

# The parameter that `Mcp-Name` mirrors, for the methods that have one.
NAME_PARAMETER: dict[str, str] = {
    TOOLS_CALL: "name",
    PROMPTS_GET: "name",
    RESOURCES_READ: "uri",
    TASKS_GET: "taskId",
    TASKS_UPDATE: "taskId",
    TASKS_CANCEL: "taskId",
}
