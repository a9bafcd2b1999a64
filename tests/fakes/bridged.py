"""A bridge as a process of its own, with a server behind it that a test chooses, and a caller of it.

async with Bridge(child("legacy"), folder) as bridge:
    await bridge.ready()
    answer = await bridge.call("echo", text="hi")
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

from core.mcp.event_stream import EventReader
from core.tasks import Tasks

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-bridge-in-tests"
MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
WITHIN_S = 60.0

Json = dict[str, Any]


def child(*beginning: str) -> list[str]:
    """The command of the server that does what a call's name says."""
    return [sys.executable, str(ROOT / "tests" / "fakes" / "stdio_child.py"), *beginning]


@dataclass
class Said:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    messages: list[Json] = field(default_factory=list)
    """Of an event stream each event, of JSON its one message."""

    @property
    def last(self) -> Json:
        return self.messages[-1]

    @property
    def text(self) -> str:
        """Of a tool's result."""
        text = self.last["result"]["content"][0]["text"]
        assert isinstance(text, str)
        return text

    @property
    def methods(self) -> list[str]:
        return [one["method"] for one in self.messages if "method" in one]


class Bridge:
    """The process, and what a caller does with it; each call has an id of its own."""

    def __init__(
        self, command: list[str], folder: Path, *options: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = [sys.executable, "-m", "bridge", "--port", "0", *options, "--", *command]
        self._log = folder / "bridge.log"
        self.environment = {**os.environ, "ARCHWAY_BRIDGE_TOKEN": TOKEN, **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self._ids = iter(range(1, 1_000_000))
        self._tasks = Tasks("calls", quiet=(aiohttp.ClientError,))
        self.port = 0
        self.session: str | None = None

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, cwd=ROOT, env=self.environment, stderr=log
            )
        self._http = aiohttp.ClientSession()
        self.port = int((await self.logged("the bridge listens"))["port"])
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._http is not None
        await self._tasks.close()
        await self._http.close()
        await self.end()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def terminate(self, how: int = signal.SIGTERM) -> None:
        """Ask it to end."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)

    async def end(self, how: int = signal.SIGTERM) -> int:
        """Ask it to end, and wait; its status."""
        assert self._process is not None
        self.terminate(how)
        async with asyncio.timeout(WITHIN_S):
            return await self._process.wait()

    # What it says of itself.

    def log(self) -> list[Json]:
        """The events of its log so far."""
        lines = self._log.read_bytes().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n") and line.startswith(b"{")]

    async def logged(self, event: str, count: int = 1) -> Json:
        """The event, once it is there so often."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                found = [one for one in self.log() if one["event"] == event]
                if len(found) >= count:
                    return found[-1]
                assert self._process is not None
                assert self._process.returncode is None, self._log.read_text()
                await asyncio.sleep(0.02)

    async def health(self) -> tuple[int, Json]:
        assert self._http is not None
        async with self._http.get(f"http://127.0.0.1:{self.port}/healthz") as answer:
            return answer.status, await answer.json()

    async def state(self, phase: str, cause: str | None = None) -> Json:
        """The state, once it is in this phase and has this cause."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                _, state = await self.health()
                if state["phase"] == phase and cause in {None, state["cause"]}:
                    return state
                await asyncio.sleep(0.02)

    async def ready(self) -> Self:
        _ = await self.state("ready")
        return self

    # Calls.

    def begin(self, tool: str, /, *, request_id: object = None, **arguments: object) -> asyncio.Task[Said]:
        """A call that runs beside the test."""
        params = {"name": tool, "arguments": arguments}
        return self._tasks.spawn(tool, self.ask("tools/call", params, request_id=request_id))

    async def seen(self, tool: str) -> Json:
        """The call of this tool as the server got it, once it has."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                for one in await self.received():
                    if one.get("params", {}).get("name") == tool:
                        return one

    async def received(self) -> list[Json]:
        """All messages that the server got so far."""
        received = json.loads((await self.call("seen")).text)
        assert isinstance(received, list)
        return received

    async def open(self, capabilities: Json | None = None) -> Json:
        """Open a legacy session, in which later calls are made."""
        params = {"protocolVersion": "2025-11-25", "capabilities": capabilities or {}, "clientInfo": {"name": "t"}}
        said = await self.ask("initialize", params)
        assert said.status == 200, said
        self.session = said.headers["Mcp-Session-Id"]
        result = said.last["result"]
        assert isinstance(result, dict)
        return result

    async def call(self, tool: str, /, *, token: object = None, modern: bool = False, **arguments: object) -> Said:
        """Call a tool; `token` is that of progress."""
        params: Json = {"name": tool, "arguments": arguments}
        if token is not None:
            params["_meta"] = {"progressToken": token}
        return await self.ask("tools/call", params, modern=modern)

    async def ask(self, method: str, params: Json, *, modern: bool = False, request_id: object = None) -> Said:
        headers = {}
        if modern:
            params = {**params, "_meta": {**params.get("_meta", {}), **ENVELOPE}}
            headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
            if "name" in params:
                headers["Mcp-Name"] = params["name"]
        given = f"id-{next(self._ids)}" if request_id is None else request_id
        return await self.post({"jsonrpc": "2.0", "id": given, "method": method, "params": params}, headers)

    async def tell(self, method: str, params: Json) -> Said:
        return await self.post({"jsonrpc": "2.0", "method": method, "params": params})

    async def post(self, body: Json | bytes, headers: Mapping[str, str] | None = None) -> Said:
        async with self.request("POST", body, headers) as answer:
            return Said(answer.status, answer.headers, [one async for one in messages(answer)])

    def request(
        self,
        method: str,
        body: Json | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        path: str = "/mcp",
    ) -> aiohttp.client._RequestContextManager:
        """A request as it is; the answer may be read in pieces."""
        assert self._http is not None
        usual = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        if self.session is not None:
            usual["Mcp-Session-Id"] = self.session
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        data = None if raw is None else io.BytesIO(raw)
        url = f"http://127.0.0.1:{self.port}{path}"
        return self._http.request(method, url, data=data, headers={**usual, **(headers or {})})


async def messages(answer: aiohttp.ClientResponse) -> Any:
    """The messages of an answer as they come."""
    if answer.content_type != "text/event-stream":
        body = await answer.read()
        if answer.content_type == "application/json":
            yield json.loads(body)
        return
    reader = EventReader(max_event_bytes=64 << 20)
    async for piece in answer.content.iter_any():
        for event in reader.feed(piece):
            yield json.loads(event.data)
