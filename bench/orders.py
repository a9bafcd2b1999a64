"""The requests of the load generators, as bytes with two places for the call's own marker.

A marker has always the same length, so that head, length and body are made once for each target and caller, and a
call costs the generator one formatting of bytes.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec
import orjson

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
MARKER = b"m-%06d-%08d"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}
_PLACE = "MARKER"


class Target(msgspec.Struct, frozen=True):
    """A gateway's path and one of its tools, as this side of the comparison names them."""

    path: str
    tool: str
    """Of `tools/list` the cursor of a page; empty for the first."""


class Orders(msgspec.Struct):
    """What a load generator is told, as JSON on its standard input."""

    url: str
    """Scheme, host and port."""
    targets: list[Target]
    """Calls go evenly over them."""
    tokens: list[str]
    """Callers; calls go evenly over them too."""
    connections: int
    seconds: float
    calls: int = 0
    """Closed loop only: end after so many, each by the next caller, or after `seconds`; 0: then alone."""
    pause: float = 0.0
    """Closed loop only: seconds between two calls of one connection, which begin one after the other; 0: none."""
    method: str = "tools/call"
    """Or `tools/list`; of idle streams `subscriptions/listen`, where they are no GET streams of sessions."""
    marked: int = 2
    """How often a right answer holds the call's marker: as its id, and as the tool's text."""
    get_every: int = 0
    """Each so many requests of a connection one is a GET that is answered at once; 0: none."""
    arguments: dict[str, int | float | bool | str] = {}
    """What the stub's tool is asked for besides its `text`: `size`, `stream`, `wait`; of a search, `query`."""
    phases: list[tuple[float, float]] = []
    """Open loop only: calls a second, and for how many seconds."""


def endpoint(url: str) -> tuple[str, int]:
    """Host and port."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def call_templates(orders: Orders) -> list[bytes]:
    """Whole requests with two `%b`; as many as it takes until targets and callers come round together."""
    host = urlsplit(orders.url).netloc
    most = max(len(orders.targets), len(orders.tokens))
    return [
        _request(host, orders, orders.targets[n % len(orders.targets)], orders.tokens[n % len(orders.tokens)])
        for n in range(most)
    ]


def listen_request(host: str, path: str, token: str) -> bytes:
    """A modern client's request to be told of every list that changes."""
    wanted = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
    params = {"notifications": wanted, "_meta": ENVELOPE}
    return _post(host, path, token, "subscriptions/listen", "", {"id": "listen", "params": params})


def get_templates(orders: Orders) -> list[bytes]:
    """GETs that are answered at once: a stream that a modern client cannot have, and a page that clients read where
    people sign in; a gateway that takes tokens alone has none."""
    host, target, token = urlsplit(orders.url).netloc, orders.targets[0], orders.tokens[0]
    lines = f"Host: {host}\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\n"
    page = f"/.well-known/oauth-protected-resource{target.path}"
    return [
        f"GET {target.path} HTTP/1.1\r\n{lines}MCP-Protocol-Version: {MODERN}\r\n\r\n".encode(),
        f"GET {page} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\r\n".encode(),
    ]


def _request(host: str, orders: Orders, target: Target, token: str) -> bytes:
    if orders.method == "tools/list":
        cursor = {"cursor": target.tool} if target.tool else {}
        params = {**cursor, "_meta": {**ENVELOPE, "bench": _PLACE}}
        return _templated(_post(host, target.path, token, orders.method, "", {"id": _PLACE, "params": params}))
    params = {"name": target.tool, "arguments": {"text": _PLACE, **orders.arguments}, "_meta": ENVELOPE}
    lines = f"Mcp-Name: {target.tool}\r\nX-Tenant: acme\r\n"
    return _templated(_post(host, target.path, token, orders.method, lines, {"id": _PLACE, "params": params}))


def _post(host: str, path: str, token: str, method: str, lines: str, message: Mapping[str, object]) -> bytes:
    body = orjson.dumps({"jsonrpc": "2.0", **message, "method": method})
    marker = MARKER % (0, 0)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        f"MCP-Protocol-Version: {MODERN}\r\nMcp-Method: {method}\r\n{lines}"
        f"Content-Length: {len(body.replace(_PLACE.encode(), marker))}\r\n\r\n"
    )
    return head.encode() + body


def _templated(request: bytes) -> bytes:
    return request.replace(b"%", b"%%").replace(_PLACE.encode(), b"%b")
