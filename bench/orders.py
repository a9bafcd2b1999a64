"""The requests of the load generators, as bytes with two places for the call's own marker.

A marker has always the same length, so that head, length and body are made once for each target and caller, and a
call costs the generator one formatting of bytes.
"""

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
    get_every: int = 0
    """Each so many requests of a connection one is a GET that is answered at once; 0: none."""
    arguments: dict[str, int | float | bool] = {}
    """What the stub's tool is asked for besides its `text`: `size`, `stream`, `wait`."""
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
        _call(host, orders.targets[n % len(orders.targets)], orders.tokens[n % len(orders.tokens)], orders.arguments)
        for n in range(most)
    ]


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


def _call(host: str, target: Target, token: str, arguments: dict[str, int | float | bool]) -> bytes:
    params = {"name": target.tool, "arguments": {"text": _PLACE, **arguments}, "_meta": ENVELOPE}
    message = {"jsonrpc": "2.0", "id": _PLACE, "method": "tools/call", "params": params}
    body = orjson.dumps(message).replace(b"%", b"%%").replace(_PLACE.encode(), b"%b")
    length = len(body % (MARKER % (0, 0), MARKER % (0, 0)))
    head = (
        f"POST {target.path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        f"MCP-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: {target.tool}\r\n"
        f"X-Tenant: acme\r\nContent-Length: {length}\r\n\r\n"
    )
    return head.replace("%", "%%").encode() + body
