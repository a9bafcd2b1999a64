"""A proxy worker in this process, with a real Redis, a control in memory and scripted MCP servers behind it.

Whatever asks for a `rig` or `make_rig` runs in three ways: in each lane, and in the fast lane with plans,
where calls are prepared so that the tested ones go by one (`prepared_calls.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from redis.asyncio import Redis

from core.mcp.versions import MODERN
from core.snapshot import Gateway, Tool
from proxy.settings import ProxySettings
from proxy.worker import Worker, listening
from tests.fakes.control import FakeControl
from tests.fakes.mcp_upstream import McpUpstream
from tests.fixtures_redis import (  # noqa: F401
    RedisServer,
    _session_redis,
    breakable_redis,
    redis_server,
)
from tests.proxy.prepared_calls import PreparedCalls

CONTROL_DEADLINE_S = 250.0
"""How long a rig waits for control, in place of three seconds: a busy machine must not decide what a test sees."""
LANES = ("aiohttp", "fast")
WAYS = (*LANES, "planned")
"""How a worker serves: in one of the lanes, the fast one without plans, or in the fast lane with plans."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How this test's workers serve."""
    return str(request.param)


@dataclass
class Rig:
    """A running proxy and what stands around it."""

    control: FakeControl
    redis: RedisServer
    worker: Worker
    port: int
    token: str
    http: aiohttp.ClientSession
    internal_port: int = 0
    way: str = WAYS[0]
    prepared: PreparedCalls | None = None
    """What prepares calls, so that those of a test go by a plan; set to None, the next go as they come."""
    gateways: dict[str, Gateway] = field(default_factory=dict)

    @property
    def lane(self) -> str:
        """The lane that the public listener is made of."""
        return lane_of(self.way)

    def url(self, gateway: str = "g") -> str:
        return f"http://127.0.0.1:{self.port}/v1/mcp/{gateway}"

    async def serve(self, tools: list[Tool], slug: str = "g", **fields: Any) -> Gateway:
        """Publish a gateway with these tools."""
        gateway = self.control.gateway(slug, tools, **fields)
        await self.control.publish(gateway)
        return gateway

    async def post(
        self, message: Any, *, headers: dict[str, str] | None = None, gateway: str = "g", token: str | None = None
    ) -> "Reply":
        """One POST as a client sends it; `headers` add to and override the usual ones."""
        usual = {
            "Authorization": f"Bearer {token or self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        named = usual | (headers or {})
        if self.prepared is not None:
            await self.prepared.prepare(message, self.url(gateway), named)
        async with self.http.post(self.url(gateway), json=message, headers=named) as response:
            return Reply(response.status, dict(response.headers), await response.read())

    async def modern(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        id: Any = 1,
        meta: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **where: Any,
    ) -> "Reply":
        """A 2026-07-28 request."""
        message, named = modern_request(method, params, id=id, meta=meta)
        return await self.post(message, headers=named | (headers or {}), **where)

    @asynccontextmanager
    async def events(self, tool: str, *, meta: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        """A modern tools/call whose answer is a stream: its messages, each as soon as it is here."""
        message, named = modern_request("tools/call", {"name": tool, "arguments": {}}, meta=meta)
        usual = {"Authorization": f"Bearer {self.token}", "Accept": "application/json, text/event-stream"}
        async with self.http.post(self.url(), json=message, headers=usual | named) as response:
            yield (orjson.loads(line[5:]) async for line in response.content if line.startswith(b"data:"))

    async def call(self, tool: str, arguments: dict[str, Any] | None = None, **more: Any) -> "Reply":
        """A modern tools/call."""
        return await self.modern("tools/call", {"name": tool, "arguments": arguments or {}}, **more)

    async def legacy(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        id: Any = 1,
        session: str | None = None,
        headers: dict[str, str] | None = None,
        **where: Any,
    ) -> "Reply":
        """A request of a legacy revision."""
        extra = {"MCP-Protocol-Version": "2025-11-25"} | ({"Mcp-Session-Id": session} if session else {})
        message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}
        return await self.post(message, headers=extra | (headers or {}), **where)

    async def open_session(self, version: str = "2025-11-25", **where: Any) -> str:
        """`initialize`; the session's id."""
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        reply = await self.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}, **where)
        assert reply.status == 200, reply
        return reply.headers["Mcp-Session-Id"]


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)

    @property
    def result(self) -> Any:
        assert "result" in self.json, self.json
        return self.json["result"]

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def refusal(self) -> Any:
        """The reason of a refused call."""
        return self.result["_meta"]["archway/refusal"]

    @property
    def events(self) -> list[Any]:
        """The messages of an event stream."""
        import json

        return [json.loads(line[5:]) for line in self.body.decode().splitlines() if line.startswith("data:")]


def modern_request(
    method: str, params: dict[str, Any] | None = None, *, id: Any = 1, meta: dict[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """A 2026-07-28 request and the headers that mirror it."""
    envelope = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    body = {**(params or {}), "_meta": envelope | (meta or {})}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    name = next((one for one in map((params or {}).get, ("name", "uri", "taskId")) if one), None)
    if isinstance(name, str):
        headers["Mcp-Name"] = name
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": body}, headers


def settings_for(control: FakeControl, redis_url: str, **changed: Any) -> ProxySettings:
    """Settings of a worker under test."""
    values: dict[str, Any] = {
        "redis_url": redis_url,
        "control_internal_url": (control.url,),
        "proxy_key": control.proxy_key,
        "verify_keys": control.signer.public_keys,
        "public_url": "http://127.0.0.1:8080",
        "proxy_listen": "127.0.0.1:0",
        "proxy_internal_listen": "127.0.0.1:0",
        "upstream_networks": "127.0.0.0/8",
        "most_lag": 10.0,  # however busy the machine that tests; overload has tests of its own
    }
    return ProxySettings(**(values | changed))


def lane_of(way: str) -> str:
    """The lane in which a worker serves in this way."""
    return way if way in LANES else "fast"


@asynccontextmanager
async def running_rig(
    redis: RedisServer, way: str, *, control: FakeControl | None = None, **settings: Any
) -> AsyncIterator[Rig]:
    """A worker that serves in this way, and all around it; `control` to share one among several workers."""
    client: Redis = Redis.from_url(redis.url, protocol=2, driver_info=None)
    own = control is None
    control = control or FakeControl(client)
    if own:
        await control.start()
        await control.ensure_epoch()
    planned = way == "planned"
    worker = Worker(settings_for(control, redis.url, lane=lane_of(way), plans=planned, **settings))
    worker.start()
    patched = pytest.MonkeyPatch()
    patched.setattr("proxy.resolve.control_client.DEADLINE_S", CONTROL_DEADLINE_S)
    try:
        async with listening(worker) as (port, internal_port):
            async with aiohttp.ClientSession() as http:
                await asyncio.wait_for(worker.changes.compared_once.wait(), 30)
                prepared = PreparedCalls(worker, http) if planned else None
                yield Rig(control, redis, worker, port, control.token(), http, internal_port, way, prepared)
            for _ in range(10):  # the listener, which looks twenty times a second, learns before that we hung up
                await asyncio.sleep(0)
    finally:
        patched.undo()
        await worker.close()
        if own:
            await control.stop()
        await client.aclose()


@pytest.fixture
async def rig(redis_server: RedisServer, way: str) -> AsyncIterator[Rig]:  # noqa: F811
    """A proxy with usual settings."""
    async with running_rig(redis_server, way) as running:
        yield running


MakeRig = Callable[..., Any]


@pytest.fixture
async def make_rig(redis_server: RedisServer, way: str) -> MakeRig:  # noqa: F811
    """`async with make_rig(soft_age=0.5) as rig:` for other settings."""

    def make(**settings: Any) -> Any:
        return running_rig(redis_server, way, **settings)

    return make


@pytest.fixture
async def upstream() -> AsyncIterator[McpUpstream]:
    """A server of both eras with an `echo` tool."""
    async with McpUpstream(era="both") as server:
        yield server


async def eventually(check: Callable[[], Awaitable[bool]], within: float = 30.0) -> None:
    """Wait until `check` holds."""
    deadline = asyncio.get_running_loop().time() + within
    while not await check():
        assert asyncio.get_running_loop().time() < deadline, "did not come true in time"
        await asyncio.sleep(0.02)
