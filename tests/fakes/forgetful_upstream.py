"""An MCP server that loses its sessions, and says so in one of the ways in which real ones do.

async with ForgetfulUpstream(LOST_BY["server-everything"]) as server:
    ...
    server.forget_sessions()                # as a restart does
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from tests.fakes.mcp_answers import Received
from tests.fakes.mcp_sending import refusal
from tests.fakes.mcp_upstream import Era, McpUpstream

Refusing = Callable[[Received], web.Response]


def _rpc(status: int, code: int, message: str, *, ours: bool = False) -> Refusing:
    return lambda received: refusal(status, received.id if ours else None, code, message)


def _text(status: int, text: str, media_type: str = "text/plain") -> Refusing:
    return lambda _: web.Response(status=status, text=text, content_type=media_type)


def _event(data: bytes) -> Refusing:
    def answer(received: Received) -> web.Response:
        filled = data % received.id if b"%d" in data else data
        return web.Response(body=b"event: message\ndata: " + filled + b"\n\n", content_type="text/event-stream")

    return answer


LOST_BY: dict[str, Refusing] = {
    "the specification": _rpc(404, -32001, "Session not found"),
    "404 without a word": _text(404, ""),
    "server-everything": _rpc(400, -32000, "Bad Request: No valid session ID provided", ours=True),
    "the TypeScript SDK": _rpc(400, -32000, "Bad Request: Server not initialized"),
    "old samples of TypeScript": _text(400, "Invalid or missing session ID"),
    "the Python SDK": _rpc(400, -32600, "Bad Request: No valid session ID provided"),
    "the Rust SDK": _text(401, "Unauthorized: Session not found"),
    "the Rust SDK for what is no initialize": _text(422, "Unexpected message, expect initialize request"),
    "410": _text(410, "Gone"),
    "a framework's JSON": _text(400, '{"detail":"Session expired"}', "application/json"),
    "500": _text(500, "Session not found"),
    "500 as JSON-RPC": _rpc(500, -32603, "Session not found", ours=True),
    "503": _rpc(503, -32000, "Session not found"),
    "200": _rpc(200, -32001, "Session not found", ours=True),
    "200 with another code": _rpc(200, -32000, "Bad Request: No valid session ID provided", ours=True),
    "200 as an event": _event(b'{"jsonrpc":"2.0","id":%d,"error":{"code":-32001,"message":"Session not found"}}'),
    "200 as an event of no form": _event(b'{"error":"Session not found"}'),
    "200 of no form": _text(200, '{"error":{"message":"Session not found or has expired."}}', "application/json"),
    "mcp-go": _text(400, "Invalid session ID"),
    "the Go SDK": _text(404, "session not found"),
    "the PHP SDK": _rpc(404, -32600, "Session not found or has expired."),
    "a server with the TypeScript SDK": _rpc(
        400, -32000, "Bad Request: No valid session ID or not an initialize request"
    ),
    "the same with our id": _rpc(
        400, -32000, "Bad Request: No valid session ID provided or not an initialize request", ours=True
    ),
    "401 as JSON-RPC": _rpc(401, -32001, "Session not found"),
    "403": _rpc(403, -32000, "Forbidden: Invalid session ID"),
    "503 in more words": _text(503, "Session expired. Please re-initialize"),
}
"""By whom, or how: refusals that speak of the session, so that the call was not run."""
ENDED_BY: dict[str, Refusing] = {
    "400 without a word": _text(400, ""),
    "400 in other words": _rpc(400, -32000, "Bad Request"),
    "400 of the call's own id": _rpc(400, -32602, "Invalid request parameters", ours=True),
    "405": _text(405, "Method Not Allowed"),
    "409": _text(409, "Conflict"),
    "500 without a word": _text(500, ""),
    "502 of a proxy between": _text(502, "<html>Bad Gateway</html>", "text/html"),
    "503 without a word": _text(503, ""),
}
"""Refusals that say nothing of the session: whether the call was run is not known."""


class ForgetfulUpstream(McpUpstream):
    """A legacy server that answers every POST in a session that it does not know as `refusing` says."""

    def __init__(self, refusing: Refusing, era: Era = "legacy") -> None:
        super().__init__(era)
        self.refusing = refusing

    async def _answer(self, request: web.Request, received: Received) -> web.StreamResponse:
        lost = received.session is not None and received.session not in self.sessions
        if lost and received.http_method == "POST":
            return self.refusing(received)
        return await super()._answer(request, received)
