"""A cheap MCP server: raw protocol on uvloop, both eras, an `echo` tool that says back its `text`. argv: PORT [HOST].

Cheap on purpose: what a benchmark of the proxy measures must be the proxy. It answers 2026-07-28 requests and,
without sessions, those of the legacy revisions. At `/mcp` it has one tool, at `/mcp/N` it has N, which all do the
same. Arguments besides `text`: `size` (an answer of so many bytes), `stream` (as an event stream), `wait` (seconds
until the answer).
"""

import asyncio
import sys
from functools import cache
from typing import Any, cast

import orjson
import uvloop

_TEXT = {"type": "object", "properties": {"text": {"type": "string"}}}
_DISCOVERED = {
    "resultType": "complete",
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {}},
    "ttlMs": 0,
    "cacheScope": "public",
}
_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
)
_PADDING = "x" * (1 << 20)


class Stub(asyncio.Protocol):
    """One connection; answers keep the order of requests, as each waits for the one before."""

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        held = self._held + data if self._held else data
        while (end := held.find(b"\r\n\r\n")) >= 0:
            head = held[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(held) < end + 4 + length:
                break
            self._answer(head, held[end + 4 : end + 4 + length])
            held = held[end + 4 + length :]
        self._held = held

    def _answer(self, head: bytes, body: bytes) -> None:
        message = orjson.loads(body or b"{}")
        if "id" not in message:
            self._transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            return
        if message.get("method") != "tools/call":
            result = _listed(_tools_at(head)) if message.get("method") == "tools/list" else _DISCOVERED
            self._write(orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}))
            return
        arguments = message["params"]["arguments"]
        text = arguments.get("text", "") + _PADDING[: arguments.get("size", 0)]
        result = {"resultType": "complete", "content": [{"type": "text", "text": text}], "isError": False}
        reply = orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result})
        stream = _events_before(message["params"]) if arguments.get("stream", False) else None
        if wait := arguments.get("wait", 0):
            asyncio.get_running_loop().call_later(wait, self._write, reply, stream)
        else:
            self._write(reply, stream)

    def _write(self, reply: bytes, before: bytes | None = None) -> None:
        """As JSON, or behind other events."""
        if before is not None:
            events = b"%bdata: %b\n\n" % (before, reply)
            self._transport.write(_STREAM % (len(events), events))
        else:
            self._transport.write(_JSON % (len(reply), reply))


def _events_before(params: dict[str, Any]) -> bytes:
    """Progress, where the caller wants to hear of it."""
    token = params.get("_meta", {}).get("progressToken")
    if token is None:
        return b""
    told = {"progressToken": token, "progress": 0.5, "total": 1}
    message = {"jsonrpc": "2.0", "method": "notifications/progress", "params": told}
    return b"data: %b\n\n" % orjson.dumps(message)


def _tools_at(head: bytes) -> int:
    """How many tools the path asks for: `POST /mcp/50 HTTP/1.1` has 50."""
    last = head.split(b" ", 2)[1].rpartition(b"/")[2]
    return int(last) if last.isdigit() else 1


@cache
def _listed(count: int) -> dict[str, Any]:
    names = ["echo", *(f"echo_{number}" for number in range(1, count))]
    tools = [{"name": name, "description": f"Says back its text ({name}).", "inputSchema": _TEXT} for name in names]
    return {"resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "public"}


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    host = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
    server = await loop.create_server(Stub, host, int(sys.argv[1]), backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
