"""A client of either era before a rig: the same words for what both can do, each in its own way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from core.tasks import Tasks
from tests.proxy.conftest import Reply, Rig, modern_request
from tests.proxy.protocol_table import Era

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
LATEST_LEGACY = "2025-11-25"
_CALL = "the call"
Message = dict[str, Any]


class Client:
    """One client. `can`: the capabilities that it declares; a legacy one has a session, which `opened` begins."""

    def __init__(self, rig: Rig, era: Era, can: Message, session: dict[str, str]) -> None:
        self.rig, self.era, self.can = rig, era, can
        self.session = session
        """The headers of a legacy client's session."""

    @classmethod
    async def opened(cls, rig: Rig, era: Era, *, can: Message | None = None, version: str = LATEST_LEGACY) -> Client:
        """One that may ask at once."""
        can = can or {}
        if era == "modern":
            return cls(rig, era, can, {})
        params = {"protocolVersion": version, "capabilities": can, "clientInfo": {"name": "test", "version": "1"}}
        reply = await rig.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        session = {"MCP-Protocol-Version": version, "Mcp-Session-Id": reply.headers["Mcp-Session-Id"]}
        return cls(rig, era, can, session)

    async def ask(
        self,
        method: str,
        params: Message | None = None,
        *,
        meta: Message | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """A request, and all that comes of it."""
        message, usual = self.request(method, params or {}, meta=meta)
        return await self.rig.post(message, headers=usual | (headers or {}))

    async def call(self, tool: str, arguments: Message | None = None, **more: Any) -> Reply:
        """A call of a tool."""
        return await self.ask("tools/call", {"name": tool, "arguments": arguments or {}}, **more)

    @asynccontextmanager
    async def events(self, method: str, params: Message) -> AsyncIterator[AsyncIterator[Message]]:
        """A request whose answer is a stream: its messages, each as soon as it is here."""
        message, headers = self.request(method, params)
        async with self.rig.http.post(self.rig.url(), json=message, headers=self._usual() | headers) as response:
            yield _messages(response)

    @asynccontextmanager
    async def listening(self, wanted: Message) -> AsyncIterator[AsyncIterator[Message]]:
        """The stream of news: of a session all, for a modern client what is `wanted`, after what is granted of it."""
        if self.era == "modern":
            async with self.events("subscriptions/listen", {"notifications": wanted}) as news:
                yield news
            return
        headers = self._usual() | self.session | {"Accept": "text/event-stream"}
        async with self.rig.http.get(self.rig.url(), headers=headers) as response:
            yield _messages(response)

    async def answer(self, question: Message, result: Message) -> None:
        """Answer what a legacy client is asked on a stream."""
        reply = {"jsonrpc": "2.0", "id": question["id"], "result": result}
        assert (await self.rig.post(reply, headers=self.session)).status == 202

    def begin(self, tool: str) -> asyncio.Task[Reply]:
        """A call that goes on meanwhile, for `cancel`."""
        return Tasks("test").spawn("caller", self.call(tool))

    async def cancel(self, call: asyncio.Task[Reply]) -> None:
        """Cancel it as the era has it: by a message, or by leaving."""
        if self.era == "modern":
            call.cancel()
            await asyncio.wait([call])
            return
        params = {"requestId": _CALL}
        message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
        assert (await self.rig.post(message, headers=self.session)).status == 202
        assert (await call).refusal["code"] == "cancelled"

    def request(
        self, method: str, params: Message, *, meta: Message | None = None, id: Any = _CALL
    ) -> tuple[Message, dict[str, str]]:
        """The message, and the headers that go with it."""
        if self.era == "modern":
            return modern_request(method, params, id=id, meta={CAPABILITIES: self.can} | (meta or {}))
        params = {**params, "_meta": meta} if meta else params
        return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}, self.session

    def _usual(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.rig.token}", "Accept": "application/json, text/event-stream"}


async def _messages(response: Any) -> AsyncIterator[Message]:
    assert response.status == 200, await response.read()
    async for line in response.content:
        if line.startswith(b"data:"):
            yield orjson.loads(line[5:])
