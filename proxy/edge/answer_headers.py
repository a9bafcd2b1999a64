"""Headers of our answers that do not depend on the lane: used by both, so that a caller cannot tell them apart."""

from typing import Final

from proxy.our_name import SERVER

METHODS: Final = ("POST", "GET", "DELETE")
"""What a gateway's path takes, with a token."""
SECURITY_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
EXPOSED: Final = "Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, X-Request-Id"
STREAM_HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


def own_headers(request_id: str, origin: str, origins: frozenset[str]) -> dict[str, str]:
    """Headers of every answer; `origin` is what the request names, or nothing."""
    headers = {"X-Request-Id": request_id, "Server": SERVER}
    if origin and origin in origins:
        headers |= {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": EXPOSED,
            "Vary": "Origin",
        }
    return headers


def unjudged_headers(request_id: str) -> dict[str, str]:
    """Headers of the answer to what never became a request."""
    return {"Content-Type": "application/json", **SECURITY_HEADERS, "X-Request-Id": request_id, "Server": SERVER}
