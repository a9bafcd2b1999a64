"""A real MCP server on loopback that does what a test tells it, and remembers all that it was sent.

    async with McpUpstream(era="legacy") as up:
        up.tool("greet", Answer(text="hello", progress=3))
        ...                                   # talk to up.url
        assert up.seen_of("tools/call")[0].headers["Authorization"] == "Bearer x"
        assert up.complaints == []            # nothing that a strict server would refuse

Eras: `legacy` (with sessions), `legacy-stateless`, `modern`, and `both` (legacy with sessions and modern on
one URL). It leaves out what no test has asked for yet: resumption, tasks. Any method can
be scripted with `on`, so prompts and resources need no code here.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from aiohttp import web

from tests.fakes.mcp_answers import JSON, Answer, Received, Script, Scripts, echo
from tests.fakes.mcp_by_itself import ByItself
from tests.fakes.mcp_envelope import LEGACY, MODERN, complaints, is_modern, modern_fault
from tests.fakes.mcp_sending import Sending, refusal

__all__ = ["Answer", "Era", "McpUpstream", "Received"]

Era = Literal["legacy", "legacy-stateless", "modern", "both"]
SERVER_INFO = {"name": "fake-upstream", "version": "1.0.0"}
OBJECT_SCHEMA: JSON = {"type": "object"}


class McpUpstream:
    """The server. Read `url`, `seen`, `complaints`, `sessions` at any time; `start` and `stop` may repeat."""

    def __init__(
        self,
        era: Era = "legacy",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        path: str = "/mcp",
        page_size: int | None = None,
        capabilities: JSON | None = None,
        instructions: str | None = None,
    ) -> None:
        self.era = era
        self.host, self.port, self.path = host, port, path
        self.page_size = page_size
        self.capabilities = capabilities if capabilities is not None else {"tools": {"listChanged": True}}
        self.instructions = instructions
        self.seen: list[Received] = []
        self.complaints: list[str] = []
        self.sessions: dict[str, str] = {}  # id to negotiated version
        self.requires: Mapping[str, str] = {}  # headers without which every request gets 401
        self._changed = asyncio.Event()  # replaced whenever a request arrives or is abandoned
        self._definitions: dict[str, JSON] = {}
        self._scripts: dict[str, Scripts] = {}
        self._methods: dict[str, Scripts] = {}
        self.untold: set[str] = set()  # resources of which it does not tell
        self.refuses_streams = 0  # the status of an answer to GET
        self._stopping = asyncio.Event()
        self._by_itself_said = ByItself(self._note_change)
        self._sending = Sending(self._by_itself_said)
        self._runner: web.AppRunner | None = None
        self.tool("echo", echo)

    # What a test says.

    def tool(self, name: str, answer: Script, **definition: Any) -> None:
        """Serve a tool. `definition` goes into its entry of `tools/list`, over a plain object schema."""
        self._definitions[name] = {
            "name": name,
            "description": f"The tool {name}.",
            "inputSchema": OBJECT_SCHEMA,
            **definition,
        }
        self._scripts[name] = Scripts(answer)

    def drop_tool(self, name: str) -> None:
        del self._definitions[name], self._scripts[name]

    def on(self, method: str, answer: Script) -> None:
        """Answer a whole method so, whatever the server would have said by itself."""
        self._methods[method] = Scripts(answer)

    def forget_sessions(self) -> None:
        """What a restart of a server does to its sessions: each is answered 404 from now on."""
        self.sessions.clear()

    async def push(self, message: JSON) -> int:
        """Send a notification on every stream on which it says things by itself; the number of these streams."""
        return await self._by_itself_said.push(message)

    async def updated(self, uri: str) -> int:
        method = "notifications/resources/updated"
        return await self.push({"jsonrpc": "2.0", "method": method, "params": {"uri": uri}})

    @property
    def heard_by(self) -> int:
        return len(self._by_itself_said)

    def close_streams(self) -> None:
        self._by_itself_said.close()

    # What a test asks.

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def url(self) -> str:
        return self.origin + self.path

    def seen_of(self, method: str, *, tool: str | None = None) -> list[Received]:
        """The requests of one JSON-RPC method (or HTTP method, in capitals), oldest first."""
        return [
            one for one in self.seen if method in {one.method, one.http_method} and (tool is None or one.tool == tool)
        ]

    async def wait_for(self, method: str, count: int = 1, *, tool: str | None = None, within: float = 30.0) -> None:
        """Return once `count` such requests have arrived; TimeoutError after `within` seconds."""
        await self.wait_until(lambda: len(self.seen_of(method, tool=tool)) >= count, within=within)

    async def wait_until(self, true: Callable[[], bool], *, within: float = 30.0) -> None:
        """Look again at every arrival and every abandoned request, until `true()`; TimeoutError after that."""
        async with asyncio.timeout(within):
            while not true():
                await self._changed.wait()

    # Its life.

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. A second start after a stop takes the same port, as a restarted server does."""
        self._stopping.clear()
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", self.path, self._serve)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the listener and every connection; calls still running are cut off."""
        runner, self._runner = self._runner, None
        self._stopping.set()
        self._by_itself_said.close()
        if runner is not None:
            await runner.cleanup()

    # One request.

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        received = Received(request.method, request.path_qs, request.headers, raw, _parsed(raw))
        if not received.prepares:
            self.seen.append(received)
            self._note_change()
        try:
            response = await self._answer(request, received)
        except (asyncio.CancelledError, ConnectionResetError):
            received.abandoned = not self._stopping.is_set()
            self._note_change()
            raise
        received.answered = True
        return response

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _answer(self, request: web.Request, received: Received) -> web.StreamResponse:
        modern = self.era == "modern" or (self.era == "both" and is_modern(received))
        version = self.sessions.get(received.session or "")
        self.complaints += complaints(received, modern=modern, session_version=version)
        if any(received.headers.get(name) != value for name, value in self.requires.items()):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if received.http_method != "POST":
            return web.Response(status=405) if modern else await self._legacy_other(request, received)
        if not isinstance(received.body, dict):
            return refusal(400, None, -32700, "not one JSON object")
        if received.method is None:
            return self._sending.client_answered(received)
        fault = modern_fault(received) if modern else self._legacy_fault(received)
        if fault is not None:
            if modern and fault[1] != -32022:
                self.complaints.append(f"{received.method}: {fault[2]}")
            return refusal(fault[0], received.id, *fault[1:])
        if "id" not in received.body:
            return web.Response(status=202)
        if modern and received.method == "subscriptions/listen" and received.method not in self._methods:
            return await self._by_itself_said.listen(request, received, self.untold)
        answer = await self._choose(received, modern=modern)
        if answer.forget_session:
            self.sessions.pop(received.session or "", None)
            return refusal(404, received.id, -32001, "Session not found")
        return await self._sending.send(request, received, answer, modern=modern)

    def _legacy_fault(self, received: Received) -> tuple[int, int, str, Any] | None:
        version = received.headers.get("MCP-Protocol-Version")
        if version is not None and version not in LEGACY:
            # The shape is what servers on the TypeScript SDK answer to a modern probe.
            return 400, -32000, "Bad Request: Server not initialized", None
        if received.method == "initialize" or self.era == "legacy-stateless":
            return None
        if received.session is None:
            return 400, -32000, "Bad Request: Server not initialized", None
        if received.session not in self.sessions:
            return 404, -32001, "Session not found", None
        return None

    async def _legacy_other(self, request: web.Request, received: Received) -> web.StreamResponse:
        if self.era == "legacy-stateless" or received.http_method not in {"GET", "DELETE"}:
            return web.Response(status=405)
        if received.session not in self.sessions:
            return refusal(404, None, -32001, "Session not found")
        if received.http_method == "DELETE":
            del self.sessions[received.session]
            return web.Response(status=200)
        if self.refuses_streams:
            return web.Response(status=self.refuses_streams)
        return await self._by_itself_said.open(request)

    # What is said.

    async def _choose(self, received: Received, *, modern: bool) -> Answer:
        method = received.method or ""
        if received.prepares:
            return Answer(text="prepared")
        if method in self._methods:
            answer = await self._methods[method].next(received)
        elif method == "tools/call" and received.tool in self._scripts:
            answer = await self._scripts[received.tool].next(received)
        elif method == "tools/call":
            answer = Answer(error=(-32602, f"Unknown tool: {received.tool}"))
        else:
            answer = self._by_itself(method, received, modern=modern)
        if answer.then is not None and "inputResponses" in received.params:
            answer = answer.then(received.params["inputResponses"])
        return answer

    def _by_itself(self, method: str, received: Received, *, modern: bool) -> Answer:
        if method == "tools/list":
            return Answer(result=self._page(received.params.get("cursor"), modern=modern))
        if modern:
            if method == "server/discover":
                return Answer(result=self._discovered())
        elif method == "initialize":
            return self._initialized(received)
        elif method in {"ping", "logging/setLevel"}:
            return Answer(result={})
        elif method.endswith("subscribe") and self.capabilities.get("resources"):
            untold = received.params["uri"] in self.untold
            return Answer(error=(-32002, "There is no such resource.")) if untold else Answer(result={})
        return Answer(error=(-32601, f"Method not found: {method}"), status=404 if modern else 200)

    def _initialized(self, received: Received) -> Answer:
        asked = received.params.get("protocolVersion")
        version = asked if asked in LEGACY else LEGACY[-1]
        result = {"protocolVersion": version, "capabilities": self.capabilities, "serverInfo": SERVER_INFO}
        if self.instructions is not None:
            result["instructions"] = self.instructions
        if self.era == "legacy-stateless":
            return Answer(result=result)
        session = uuid.uuid4().hex
        self.sessions[session] = version
        return Answer(result=result, headers={"Mcp-Session-Id": session})

    def _discovered(self) -> JSON:
        result = {
            "supportedVersions": [MODERN],
            "capabilities": self.capabilities,
            "ttlMs": 60_000,
            "cacheScope": "private",
            "_meta": {"io.modelcontextprotocol/serverInfo": SERVER_INFO},
        }
        if self.instructions is not None:
            result["instructions"] = self.instructions
        return result

    def _page(self, cursor: str | None, *, modern: bool) -> JSON:
        tools = list(self._definitions.values())
        size = self.page_size or len(tools) or 1
        start = int(cursor or 0)
        page: JSON = {"tools": tools[start : start + size]}
        if start + size < len(tools):
            page["nextCursor"] = str(start + size)
        return {**page, "ttlMs": 60_000, "cacheScope": "private"} if modern else page


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)  # takes numbers of any size
    except ValueError:
        return None
