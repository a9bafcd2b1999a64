"""What a fake MCP server says by itself: the GET streams of legacy sessions, and streams of `subscriptions/listen`.

Used by `tests.fakes.mcp_upstream` only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from aiohttp import web

from tests.fakes.mcp_answers import JSON, Received, as_event

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


class ByItself:
    """The streams that are open; `changed` is called whenever one begins or ends."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._streams: dict[web.StreamResponse, Any] = {}  # and the id of the request, of listening ones
        self._sessions: dict[str | None, web.StreamResponse] = {}
        self._closing = asyncio.Event()

    def of(self, session: str | None) -> web.StreamResponse:
        """The GET stream of a session. KeyError where it has none: then what is said on it is lost."""
        return self._sessions[session]

    async def open(self, request: web.Request) -> web.StreamResponse:
        """The GET stream of a session."""
        return await self._hold(request, b": open\n\n", None)

    async def listen(self, request: web.Request, received: Received, untold: Collection[str]) -> web.StreamResponse:
        """The stream of a modern client, which is told of all that it wants but these resources."""
        wanted = dict(received.params["notifications"])
        if "resourceSubscriptions" in wanted:
            wanted["resourceSubscriptions"] = [uri for uri in wanted["resourceSubscriptions"] if uri not in untold]
        params = {"notifications": wanted, "_meta": {SUBSCRIPTION: received.id}}
        told = {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": params}
        return await self._hold(request, as_event(told), received.id)

    async def push(self, message: JSON) -> int:
        """Send a notification on each; how many there are."""
        for stream, listen_id in self._streams.items():
            meta = {} if listen_id is None else {"_meta": {SUBSCRIPTION: listen_id}}
            await stream.write(as_event({**message, "params": {**message.get("params", {}), **meta}}))
        return len(self._streams)

    def close(self) -> None:
        """End each."""
        self._closing.set()
        self._closing = asyncio.Event()

    def __len__(self) -> int:
        return len(self._streams)

    async def _hold(self, request: web.Request, first: bytes, listen_id: Any) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await stream.write(first)
        self._streams[stream] = listen_id
        self._sessions[request.headers.get("Mcp-Session-Id")] = stream
        self._changed()
        try:
            await self._closing.wait()
        finally:
            del self._streams[stream]
            self._changed()
        return stream
