"""A supervised proxy of real processes before a control in memory: quick to start, and everything of it can be told.

    async with supervised(tmp_path, workers=2, grace_seconds="3") as proxy:
        outcome = await proxy.call(proxy.token)
        proxy.hup()
        await proxy.rolled(before)

Valkey, the supervisor and its workers, and the cheap stub behind `echo` are processes of their own; control and the
server behind `slow` (it takes as many seconds as it is told) live in the test. `supervised=False`: one bare worker.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import psutil
from redis.asyncio import Redis

from archway.up.ports import free_port
from tests.fakes.control import FakeControl
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.fixtures_program import Program, eventually
from tests.fixtures_redis import RedisServer
from tests.fixtures_system import modern_request

CALL_WITHIN_S = 60.0
UNDER_LIMITS = """
import os, resource, runpy, sys
for name, value in ((word.partition("=")[::2]) for word in sys.argv[1].split(",") if word):
    resource.setrlimit(getattr(resource, "RLIMIT_" + name), (int(value), int(value)))
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@dataclass(slots=True)
class SupervisedProxy:
    """What runs."""

    folder: Path
    program: Program
    control: FakeControl
    redis: RedisServer
    upstream: McpUpstream
    stub: Program
    token: str
    http: aiohttp.ClientSession
    ports: Path
    calls: int = 0
    texts: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.program.url}/v1/mcp/g"

    @property
    def workers(self) -> set[int]:
        """The pids that the supervisor tells of."""
        told = orjson.loads(self.ports.read_bytes()) if self.ports.exists() else {"workers": []}
        return {pid for pid, _ in told["workers"]}

    def hup(self) -> None:
        """Ask the supervisor to replace its workers."""
        os.kill(self.supervisor, signal.SIGHUP)

    @property
    def supervisor(self) -> int:
        told: int = orjson.loads(self.ports.read_bytes())["supervisor"][0]
        return told

    def said(self, what: str) -> list[Mapping[str, Any]]:
        """The log lines with this message."""
        lines = [line for line in self.program.log.splitlines() if line.startswith("{")]
        return [said for said in map(orjson.loads, lines) if said["event"] == what]

    async def rolled(self, before: set[int], within: float) -> None:
        """Until every one of `before` is replaced and gone."""

        async def are_new() -> bool:
            return len(self.workers) == len(before) and not self.workers & before

        await eventually(are_new, within, "all workers are replaced")

    async def tool_call(
        self, tool: str, arguments: Mapping[str, Any], *, session: aiohttp.ClientSession, url: str = ""
    ) -> str:
        """One modern call; its text. Raises whatever goes wrong."""
        body, headers = modern_request("tools/call", {"name": tool, "arguments": arguments}, self.token)
        async with (
            asyncio.timeout(CALL_WITHIN_S),
            session.post(url or self.url, data=body, headers=headers) as answer,
        ):
            raw = await answer.read()
            assert answer.status == 200, raw
        result = orjson.loads(raw)["result"]
        assert not result.get("isError"), raw
        text: str = result["content"][0]["text"]
        return text

    async def call(self, *, session: aiohttp.ClientSession | None = None, url: str = "") -> None:
        """One call of `echo`; raises unless it was answered with its own text."""
        text = secrets.token_hex(6)
        said = await self.tool_call("echo", {"text": text}, session=session or self.http, url=url)
        assert said == text, "somebody else's answer"
        self.calls += 1

    async def open_session(self, session: aiohttp.ClientSession) -> str:
        """A legacy `initialize`; the session's id."""
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        body = orjson.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        async with session.post(self.url, data=body, headers=self.legacy_headers()) as answer:
            assert answer.status == 200, await answer.read()
            return answer.headers["Mcp-Session-Id"]

    def legacy_headers(self, session: str = "") -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
        }
        return headers | ({"Mcp-Session-Id": session} if session else {})


@asynccontextmanager
async def supervised(
    folder: Path,
    *,
    workers: int = 1,
    supervisor: bool = True,
    limits: str = "",
    log: Path | None = None,
    tls: ssl.SSLContext | None = None,
    **settings: str,
) -> AsyncIterator[SupervisedProxy]:
    """Start everything.

    `limits`: `NOFILE=256` and the like for the process; `log`: where its standard error goes; `tls`: a client's
    context, for a proxy whose settings name a certificate; `settings` are variables of the proxy, without `ARCHWAY_`
    and in lower case.
    """
    valkey = folder / "valkey"
    valkey.mkdir(mode=0o700)
    redis = RedisServer(valkey)
    await asyncio.to_thread(redis.start)
    client: Redis = Redis.from_url(redis.url, protocol=2, driver_info=None)
    port = free_port()
    stub = Program("stub", ["-m", "bench.stub_upstream", str(stub_port := free_port())], {}, stub_port, folder)
    stub.start()
    session = new_session(ssl=tls) if tls else new_session()
    async with FakeControl(client) as control, McpUpstream(era="both") as upstream, session as http:
        upstream.tool("slow", slow)
        tools = [
            control.tool("echo", "echo", control.installation(f"{stub.url}/mcp")),
            control.tool("slow", "slow", control.installation(upstream.url)),
        ]
        await control.publish(control.gateway("g", tools))
        module = ["archway", "proxy", "--ports-file", str(folder / "ports.json")] if supervisor else ["proxy.worker"]
        program = Program(
            "proxy", ["-c", UNDER_LIMITS, limits, *module], _environment(control, redis, port, workers, settings),
            port, folder, scheme="https" if tls else "http",
        )  # fmt: skip
        if log is not None:
            (folder / "proxy.log").symlink_to(log)
        program.start()
        try:
            await program.ready(http)
            running = SupervisedProxy(
                folder, program, control, redis, upstream, stub, control.token(), http, folder / "ports.json"
            )
            await eventually(lambda: _all_here(running, workers, supervisor), 60, "all workers run")
            yield running
        finally:
            await http.close()
            left = _children(program)
            await program.kill()
            for pid in left:  # lifelines would end them too, within seconds
                _kill(pid)
            await stub.kill()
            await client.aclose()
            redis.kill()


def new_session(**more: Any) -> aiohttp.ClientSession:
    """A client without a limit of connections."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, **more), timeout=aiohttp.ClientTimeout(CALL_WITHIN_S)
    )


async def slow(received: Received) -> Answer:
    return Answer(text="done", delay=float(received.arguments["seconds"]))


def _environment(
    control: FakeControl, redis: RedisServer, port: int, workers: int, settings: Mapping[str, str]
) -> dict[str, str]:
    usual = {
        "redis_url": redis.url,
        "control_internal_url": control.url,
        "proxy_key": control.proxy_key,
        "verify_keys": control.signer.public_keys,
        "public_url": "http://127.0.0.1:8080",
        "proxy_listen": f"127.0.0.1:{port}",
        "proxy_internal_listen": "127.0.0.1:0",
        "metrics_listen": "127.0.0.1:0",
        "upstream_networks": "127.0.0.0/8",
        "workers": str(workers),
        "calls_in_flight": "100000",
        "calls_per_upstream": "10000",
        "most_lag": "10",  # however busy the machine that tests; overload has tests of its own
    }
    return {f"ARCHWAY_{name.upper()}": value for name, value in (usual | settings).items()}


async def _all_here(running: SupervisedProxy, workers: int, supervisor: bool) -> bool:
    return not supervisor or len(running.workers) == workers


def _children(program: Program) -> list[int]:
    try:
        return [one.pid for one in psutil.Process(program.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
