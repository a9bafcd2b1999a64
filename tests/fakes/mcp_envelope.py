"""How a strict MCP server judges the envelope of a request: the headers and `_meta` around the message.

Used by `tests.fakes.mcp_upstream`. Written apart from the product's own parser on purpose, so that the two
check each other. Follows the 2026-07-28 specification, "Streamable HTTP".
"""

from __future__ import annotations

import base64
from typing import Any

from tests.fakes.mcp_answers import Received

LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = "2026-07-28"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
NAMED = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    **dict.fromkeys(("tasks/get", "tasks/update", "tasks/cancel"), "taskId"),
}

# (HTTP status, JSON-RPC code, message, data)
Fault = tuple[int, int, str, Any]


def is_modern(received: Received) -> bool:
    """A version header outside the legacy set, or a version in `_meta`, makes a request modern."""
    version = received.headers.get("MCP-Protocol-Version")
    return (version is not None and version not in LEGACY) or VERSION_KEY in received.meta


def modern_fault(received: Received) -> Fault | None:
    """The first thing wrong with a modern request, in the specification's order; None if nothing is."""
    meta = received.meta
    if not isinstance(meta.get(VERSION_KEY), str) or not isinstance(meta.get(CAPABILITIES_KEY), dict):
        return 400, -32602, "the protocol version or the client's capabilities are missing from _meta", None
    for header, expected in _mirrored(received).items():
        values = received.headers.getall(header, [])  # type: ignore[attr-defined]  # a CIMultiDictProxy
        if len(values) != 1 or _plain(values[0]) != expected:
            return 400, -32020, f"{header} is {values}, the body says {expected!r}", None
    if meta[VERSION_KEY] != MODERN:
        return 400, -32022, "unsupported version", {"supported": [MODERN], "requested": meta[VERSION_KEY]}
    return None


def complaints(received: Received, *, modern: bool, session_version: str | None) -> list[str]:
    """What a client may not do though many servers let it pass: each sentence is a defect of the client."""
    found = []
    if received.http_method == "POST":
        accept = received.headers.get("Accept", "")
        if "application/json" not in accept or "text/event-stream" not in accept:
            found.append(f"POST {received.method}: Accept is {accept!r}, both types are required")
        if received.headers.get("Content-Type", "").split(";")[0].strip() != "application/json":
            found.append(f"POST {received.method}: Content-Type is not application/json")
    if modern and received.session is not None:
        found.append(f"POST {received.method}: a modern request carries Mcp-Session-Id")
    version = received.headers.get("MCP-Protocol-Version")
    newer = session_version is not None and session_version >= "2025-06-18"
    if not modern and newer and received.method != "initialize" and version != session_version:
        found.append(f"{received.method}: MCP-Protocol-Version is {version}, negotiated was {session_version}")
    return found


def _mirrored(received: Received) -> dict[str, str]:
    expected = {
        "MCP-Protocol-Version": str(received.meta[VERSION_KEY]),
        "Mcp-Method": str(received.method),
    }
    field = NAMED.get(received.method or "")
    if field is not None:
        expected["Mcp-Name"] = str(received.params.get(field))
    return expected


def _plain(value: str) -> str:
    """The text behind a header value that may be wrapped as `=?base64?...?=`."""
    value = value.strip(" \t")
    if value.startswith("=?base64?") and value.endswith("?="):
        return base64.b64decode(value[9:-2], validate=True).decode()
    return value
