"""A worker whose caller and server are not there: the fast lane's own connection and the pool's, on transports that
keep what is written. A conversation of one call, cut and bent as a test likes, without a socket or a clock.

    async with planned_lane() as lane:
        lane.planned()                         # two calls through the stages, so that the next goes by its plan
        server = lane.asks()                   # a call is sent on ...
        server.answers(text="hello")           # ... and answered
        assert lane.answer().result["content"][0]["text"] == "hello"
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import orjson
from msgspec.structs import replace

from core.jwt import verify
from core.mcp.versions import Era
from core.records import CallRecord
from core.resolve import CallerVerdict, ResolvedInstallation
from core.tokens import digest, new_token
from proxy.caches.two_ages import Aged
from proxy.edge.fast_connection import FastConnection
from proxy.edge.fast_lane import FastLane
from proxy.edge.lanes import public_listener
from proxy.gateways.compiled import CompiledGateway
from proxy.resolve.key_sets import KeySetDocument
from proxy.telemetry.metrics import PLANNED, PLANS_LEFT, by_value
from proxy.tracing.tracer import Tracer
from proxy.upstream.eras import Found, _key
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.pool.connection import PoolConnection
from proxy.upstream.pool.pool import UpstreamPool
from proxy.upstream.sessions import HeldSession
from proxy.verified_token import Verified
from proxy.worker import Worker
from tests.fakes.call_records import waiting_records
from tests.fakes.callers import caller_of
from tests.fakes.held_parts import holds_nothing
from tests.fakes.issuers import FakeIssuer
from tests.fakes.proxy_parts import PUBLIC_URL, gateway, hold, proxy_settings, tool, user
from tests.proxy.conftest import modern_request

LEGACY = "2025-11-25"
URL = "http://192.0.2.9/mcp"
FAR_S = 1e5


class Written:
    """A transport that keeps what is written."""

    def __init__(self, protocol: asyncio.Protocol, peer: tuple[str, int] | None = None) -> None:
        self.data = b""
        self.closed = False
        self.full = 0
        """Bytes that lie unread with the other side, as the transport tells."""
        self._protocol, self._peer, self._ends = protocol, peer, socket.socketpair()

    def write(self, data: bytes) -> None:
        self.data += data

    def taken(self) -> bytes:
        """What was written since the last time."""
        data, self.data = self.data, b""
        return data

    def get_extra_info(self, name: str) -> object:
        return self._peer if name == "peername" else self._ends[0] if name == "socket" else None

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return self.full

    def set_write_buffer_limits(self, high: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def abort(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.lose)

    close = abort

    def lose(self) -> None:
        """Tell the protocol that the connection is closed."""
        self.closed = True
        protocol, self._protocol = self._protocol, asyncio.Protocol()
        protocol.connection_lost(None)
        for end in self._ends:
            end.close()


@dataclass
class Answered:
    """One whole answer to the caller."""

    status: int
    head: bytes
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        assert "result" in self.json, self.json
        return self.json["result"]


class Server:
    """The far side of one connection of the pool, with the request that came last."""

    def __init__(self, connection: PoolConnection, out: Written) -> None:
        self.connection, self.out = connection, out
        self.head, self.message = b"", cast("dict[str, Any]", {})

    def reads(self) -> bool:
        """Whether a request came since the last time."""
        data = self.out.taken()
        if not data:
            return False
        self.head, _, body = data.partition(b"\r\n\r\n")
        self.message = json.loads(body)
        return True

    def says(self, *pieces: bytes) -> None:
        """Bytes, in pieces."""
        for piece in pieces:
            self.connection.data_received(piece)

    def answer_to_it(self, text: str = "fine", **result: Any) -> bytes:
        """The usual message that answers the request; `result` adds to the result."""
        content = {"content": [{"type": "text", "text": text}], "isError": False} | result
        return orjson.dumps({"jsonrpc": "2.0", "id": self.message["id"], "result": content})

    def answers(self, text: str = "fine", **result: Any) -> None:
        """The usual answer, whole."""
        self.says(in_json(self.answer_to_it(text, **result)))


def in_json(body: bytes, status: str = "200 OK") -> bytes:
    """An answer whose body is JSON."""
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status.encode(),
        len(body),
        body,
    )


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


def event(message: bytes) -> bytes:
    """A chunk with one event."""
    data = b"event: message\r\ndata: %b\r\n\r\n" % message
    return b"%x\r\n%b\r\n" % (len(data), data)


class PlannedLane:
    """One caller, one server with a few connections, one tool `t`, and a worker between them."""

    def __init__(self, worker: Worker, *, caller: Era, server: Era) -> None:
        self.worker, self.deps = worker, worker.deps
        self._caller_era = caller
        self.principal = user()
        self.tool = tool("t")
        self.gateway = hold(self.deps, gateway(self.tool, header_allowlist=["x-tenant"]))
        self.installation = _installation(self.tool.route.entry_id)
        self.token = new_token()
        self._session = ""
        self.know(server)
        self.lane = cast("FastLane", public_listener(self.deps))
        self.caller, self.out = self._connected()
        self.servers = self._servers()

    # what the worker knows

    def know(self, server: Era) -> None:
        """The token's bearer, the installation, the era of the server and the sessions of both sides."""
        far, deps = time.monotonic() + FAR_S, self.deps
        verdict = CallerVerdict(digest(self.token), self.principal, "token-id", None)
        self.worker.authority.verdicts.memory.put(digest(self.token), Aged(verdict, far))
        self.worker.installations.resolved.memory.put(self.installation_key, Aged(self.installation, far))
        upstreams = deps.upstreams
        upstreams.health.eras._found.put(_key(self.installation), Found(server, far))
        if server is Era.LEGACY:
            key = upstreams.sessions.key(self.installation, self.principal.key, None)
            upstreams.sessions._held.put(
                key, HeldSession(key, UpstreamSession("up-1", LEGACY), time.monotonic(), self.installation)
            )
        if self._caller_era is Era.LEGACY:
            known = caller_of(self.principal)
            self._session, session = deps.sessions.new(self.gateway.id, known, LEGACY, 0)
            deps.sessions._remember((self._session, self.gateway.id, known.key, known.way), session)

    def signs_in(self, life: int = 600) -> None:
        """The caller comes with an access token of ours from now on, which the worker has verified."""
        issuer, now, far = FakeIssuer(PUBLIC_URL, kind="own"), int(time.time()), time.monotonic() + FAR_S
        self.token = issuer.token(aud=f"{PUBLIC_URL}/v1/mcp/g", exp=now + life)
        key_set, worker = issuer.key_set(), self.worker
        worker.key_sets.held.memory.put(PUBLIC_URL, Aged(KeySetDocument(b"signed"), far))
        worker.key_sets._opened.put(PUBLIC_URL, (b"signed", key_set))
        claims = verify(self.token, key_set, f"{PUBLIC_URL}/v1/mcp/g", now)
        self.verified = Verified(claims, key_set.keys[0], "oauth")
        worker.signed_tokens._verified.put(digest(self.token), self.verified)
        verdict = CallerVerdict(digest(self.token), self.principal, "the grant", None, auth="oauth")
        worker.authority.verdicts.memory.put(digest(self.token), Aged(verdict, far))
        self.gateway = hold(self.deps, CompiledGateway(replace(self.gateway.snapshot, client_auth=["oauth"])))

    @property
    def installation_key(self) -> str:
        """Under which the caller's installation is remembered."""
        own = self.principal.key if self.tool.route.per_principal else None
        return self.worker.installations.key(self.gateway.id, self.tool.assignment_id, own)

    # the caller

    def request(
        self, arguments: dict[str, Any] | None = None, *, id: Any = 1, headers: str = "", meta: Any = None
    ) -> bytes:
        """A call of `t` as this caller sends it."""
        params: dict[str, Any] = {"name": "t", "arguments": arguments if arguments is not None else {"n": 1}}
        if self._caller_era is Era.MODERN:
            message, named = modern_request("tools/call", params, id=id, meta=meta)
            lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        else:
            if meta is not None:
                params["_meta"] = meta
            message = {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}
            lines = f"MCP-Protocol-Version: {LEGACY}\r\nMcp-Session-Id: {self._session}\r\n"
        return self.raw(orjson.dumps(message), lines + headers)

    def raw(self, body: bytes, lines: str) -> bytes:
        """A POST of these bytes."""
        return (
            f"POST /v1/mcp/g HTTP/1.1\r\nHost: gw.example:8080\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nX-Tenant: acme\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def says(self, *pieces: bytes) -> None:
        """Bytes of the caller, in pieces."""
        for piece in pieces:
            self.caller.data_received(piece)

    def asks(self, arguments: dict[str, Any] | None = None, **more: Any) -> Server:
        """A call, and the server that got it."""
        self.says(self.request(arguments, **more))
        return self.asked()

    def asked(self) -> Server:
        """The server that got a request just now."""
        for server in self.servers:
            if server.reads():
                return server
        raise AssertionError(f"nothing was sent on; the caller got {self.out.data!r}")

    def answer(self) -> Answered:
        """What the caller got just now."""
        head, _, body = self.out.taken().partition(b"\r\n\r\n")
        return Answered(int(head.split(b" ")[1]), head, body)

    async def answer_in_time(self) -> Answered:
        """What the caller gets, from a call that goes on in a task or waits for its deadline."""
        async with asyncio.timeout(20):
            while not self.out.data:  # noqa: ASYNC110 - a transport that is not there tells nobody
                await asyncio.sleep(0.002)
        return self.answer()

    def another_caller(self) -> FastConnection:
        """A further connection of the same caller."""
        return self._connected()[0]

    def leaves(self) -> None:
        """The caller hangs up."""
        self.out.lose()

    def planned(self) -> None:
        """Two calls through the stages: the first makes the head known, the second makes the plan."""
        for number in (1, 2):
            self.asks({"made": number}).answers()
            assert self.answer().status == 200
        self.worker.deps.records._waiting.clear()

    # what became of it

    @property
    def by_plan(self) -> int:
        """How many calls were sent by a plan."""
        return self.worker.slots.planned

    def left(self, why: str) -> float:
        """How many calls left their plan for this."""
        return self.count(by_value(PLANS_LEFT)[why])

    def unplanned(self, why: str) -> float:
        """How many calls had no plan for this."""
        return self.count(by_value(PLANNED)[why])

    def count(self, series: str) -> float:
        """What is counted in a series."""
        self.worker.gauges.tell_counts()
        return self.worker.slots.value(series)

    @property
    def records(self) -> list[CallRecord]:
        """Those that were kept since the plan was made."""
        return waiting_records(self.worker.deps.records)

    async def at_rest(self) -> None:
        """Wait until nobody looks for what is late any more: nothing runs, and none of it will begin by itself."""
        while self.deps.upstreams._deadlines.sweeps:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.01)

    def nothing_is_held(self) -> bool:
        """Whether no place, no room and no registration is left of any call."""
        return holds_nothing(self.worker, self.lane)

    def _connected(self) -> tuple[FastConnection, Written]:
        connection = self.lane()
        out = Written(connection, ("192.0.2.1", 1000))
        connection.connection_made(cast("asyncio.Transport", out))
        return connection, out

    def _servers(self, url: str = URL) -> list[Server]:
        pool = cast("UpstreamPool", self.worker.egress)
        origin, made = pool._places.origin(pool._target(cast("Any", url)).origin), []
        for _ in range(3):
            connection = PoolConnection(pool, origin, pool._heads)
            out = Written(connection)
            connection.connection_made(cast("asyncio.Transport", out))
            pool._places._count(origin, 1)
            pool._open.add(connection)
            pool.give_back(connection, 4.0)
            connection.idle_until = time.monotonic() + FAR_S
            made.append(Server(connection, out))
        return made


@asynccontextmanager
async def planned_lane(
    *, caller: Era = Era.MODERN, server: Era = Era.MODERN, tracer: Tracer | None = None, **settings: Any
) -> AsyncIterator[PlannedLane]:
    """The lane, with these settings of the worker."""
    worker = Worker(proxy_settings(**settings))
    worker.deps.tracer = tracer
    lane = PlannedLane(worker, caller=caller, server=server)
    try:
        yield lane
    finally:
        for connection in list(lane.lane.parts.connections):
            connection.cut()
        await asyncio.sleep(0)
        await worker.close()


def _installation(entry_id: str) -> ResolvedInstallation:
    return ResolvedInstallation(
        installation_id="inst-1",
        entry_id=entry_id,
        entry="srv",
        owner="organisation",
        kind="remote",
        url=URL,
        version=1,
        isolation="principal",
        credential_headers=[("Authorization", "Bearer upstream-secret")],
    )
