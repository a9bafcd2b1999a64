"""A cheap MCP server: raw protocol on uvloop, both eras, one `echo` tool that says back its `text`. argv: PORT.

Cheap on purpose: what a benchmark of the proxy measures must be the proxy. It answers 2026-07-28 requests and,
without sessions, those of the legacy revisions.
"""

import asyncio
import sys
from typing import cast

import orjson
import uvloop

_TOOLS = [{"name": "echo", "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}}]
_DISCOVERED = {
    "resultType": "complete",
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {}},
    "ttlMs": 0,
    "cacheScope": "public",
}
_LISTED = {"resultType": "complete", "tools": _TOOLS, "ttlMs": 0, "cacheScope": "public"}


class Stub(asyncio.Protocol):
    """One connection; answers keep the order of requests."""

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        held = self._held + data
        while (end := held.find(b"\r\n\r\n")) >= 0:
            head = held[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(held) < end + 4 + length:
                break
            self._answer(held[end + 4 : end + 4 + length])
            held = held[end + 4 + length :]
        self._held = held

    def _answer(self, body: bytes) -> None:
        message = orjson.loads(body or b"{}")
        if "id" not in message:
            self._transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            return
        reply = orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": _result(message)})
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(reply), reply)
        )


def _result(message: dict[str, object]) -> dict[str, object]:
    method, params = message.get("method"), message.get("params")
    if method == "tools/call" and isinstance(params, dict):
        text = params["arguments"].get("text", "")
        return {"resultType": "complete", "content": [{"type": "text", "text": text}], "isError": False}
    return _LISTED if method == "tools/list" else _DISCOVERED


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Stub, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
