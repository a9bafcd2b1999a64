"""The words of the protocol: methods, notifications, and the keys of the modern envelope.

Read by the parser, by the proxy's method table, and where the proxy asks a server. That a method stands here says
that MCP defines it, not that a gateway serves it.
"""

from __future__ import annotations

META_PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_CLIENT_INFO = "io.modelcontextprotocol/clientInfo"
META_LOG_LEVEL = "io.modelcontextprotocol/logLevel"

TOOLS_CALL = "tools/call"
RESOURCES_READ = "resources/read"
_LISTS_AND_CALLS = {
    "tools/list",
    TOOLS_CALL,
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    RESOURCES_READ,
    "completion/complete",
}
# What a client may ask of a server, as the revisions define it; the tasks of both eras are among them.
LEGACY_METHODS: frozenset[str] = frozenset(
    _LISTS_AND_CALLS
    | {
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/get",
        "tasks/result",
        "tasks/list",
        "tasks/cancel",
    }
)
MODERN_METHODS: frozenset[str] = frozenset(
    _LISTS_AND_CALLS | {"server/discover", "subscriptions/listen", "tasks/get", "tasks/update", "tasks/cancel"}
)
CLIENT_NOTIFICATIONS: frozenset[str] = frozenset(
    {
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
    }
)

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
    "prompts/get": "name",
    RESOURCES_READ: "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
