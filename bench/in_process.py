"""What one governed call costs in user space, in one process: `python -m bench.in_process`, or `make bench-quick`.

The fast lane's own connections are fed requests and the pool's own connections the answers, through transports that
keep what is written: everything but kernel and event loop is there, from the caller's bytes to the record. 64
connections, 100 callers, arguments of their own in each call, and every answer is checked. Microseconds are the least
of many batches, since what the machine does besides only ever adds; so they repeat within a few percent where a
figure under load does not. `--form` takes `json` (the default), `stream` (answers as event streams, in three pieces
as servers write them), `legacy` (callers in a session, with JSON). `--compiled` takes what `make compiled` made.
`--profile` prints a profile by function instead, whose figures tell shares and not costs.
"""

import argparse
import asyncio
import cProfile
import gc
import pstats
import socket
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final, cast

import orjson
import uvloop

from bench.compiled import begin_again
from bench.orders import ENVELOPE, LEGACY, MARKER, MODERN
from core import compiled_form
from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.mcp.versions import Era
from core.resolve import CallerVerdict, Principal, ResolvedInstallation, TokenProof
from core.signing import Signer
from core.snapshot import FORMAT, Gateway, Route, Tool, Visibility
from core.tokens import digest, new_token
from proxy.caches.two_ages import Aged
from proxy.caller import Caller
from proxy.edge.fast_connection import FastConnection
from proxy.edge.lanes import public_listener
from proxy.garbage import collect_seldom
from proxy.gateways.compiled import CompiledGateway
from proxy.settings import ProxySettings
from proxy.upstream.eras import Found, _key
from proxy.upstream.pool.connection import PoolConnection
from proxy.upstream.pool.pool import UpstreamPool
from proxy.worker import Worker

CALLERS: Final = 64
TOKENS: Final = 100
SERVERS: Final = 8
A_BATCH: Final = 320
FORMS: Final = ("json", "stream", "legacy")
_FAR_S: Final = 1e5
_PLACE: Final = "MARKER"
_JSON: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_STREAM: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_RESULT: Final = b'{"jsonrpc":"2.0","id":%b,"result":{"content":[{"type":"text","text":"%b"}],"isError":false}}'


class Written:
    """A transport that keeps what was written last."""

    def __init__(self, peer: tuple[str, int] | None = None) -> None:
        self.data: bytes | None = None
        self._peer = peer
        self._ends = socket.socketpair()

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.data = data

    def get_extra_info(self, name: str) -> object:
        """The peer, or a socket on which nothing ever comes."""
        return self._peer if name == "peername" else self._ends[0] if name == "socket" else None

    def is_closing(self) -> bool:
        """Never."""
        return False

    def get_write_buffer_size(self) -> int:
        """All is out at once."""
        return 0

    def pause_reading(self) -> None:
        """Nothing is read here."""

    resume_reading = pause_reading

    def abort(self) -> None:
        """Nothing may end in a bench."""
        raise RuntimeError("a connection was ended")

    close = abort


class Rig:
    """A warm worker between callers and servers that are not there."""

    def __init__(self, form: str, environment: dict[str, Any]) -> None:
        self._form = form
        self._worker = _worker(environment)
        self._gateway, self._route = _gateway(self._worker)
        installation = _installation(self._route.entry_id)
        self._know(installation)
        self._templates = [self._caller(number, installation) for number in range(TOKENS)]
        self._callers = self._connected_callers()
        self._servers = self._connected_servers(installation.url)
        self._count = 0

    def batch(self) -> float:
        """Microseconds a call of one batch."""
        spent, clock = 0.0, time.perf_counter
        for _ in range(A_BATCH):
            self._count += 1
            marker = MARKER % (self._count % CALLERS, self._count)
            connection, out = self._callers[self._count % CALLERS]
            request = self._templates[self._count % TOKENS] % (marker, marker)
            began = clock()
            connection.data_received(request)
            spent += clock() - began
            server, sent = self._asked()
            pieces = self._answer(cast("bytes", sent.data), marker)
            sent.data = None
            for piece in pieces:
                began = clock()
                server.data_received(piece)
                spent += clock() - began
            _check(out, marker)
        self._forget()
        return 1e6 * spent / A_BATCH

    def _asked(self) -> tuple[PoolConnection, Written]:
        for server, sent in self._servers:
            if sent.data is not None:
                return server, sent
        raise RuntimeError("a call was not sent on")

    def _answer(self, sent: bytes, marker: bytes) -> list[bytes]:
        begin = sent.index(b'"id":') + len(b'"id":')
        body = _RESULT % (sent[begin : sent.index(b",", begin)], marker)
        if self._form != "stream":
            return [_JSON % (len(body), body)]
        event = b"event: message\r\ndata: %b\r\n\r\n" % body
        return [_STREAM, b"%x\r\n%b\r\n" % (len(event), event), b"0\r\n\r\n"]

    def _forget(self) -> None:
        self._worker.deps.records._waiting.clear()  # nobody sends them here
        for server, _ in self._servers:
            server.idle_until = time.monotonic() + _FAR_S

    def _know(self, installation: ResolvedInstallation) -> None:
        eras = self._worker.deps.upstreams.health.eras
        eras._found.put(_key(installation), Found(Era.MODERN, time.monotonic() + _FAR_S))

    def _caller(self, number: int, installation: ResolvedInstallation) -> bytes:
        """The request of a caller whose token and installation are known, with two places for the marker."""
        worker, gateway, token = self._worker, self._gateway, new_token()
        principal = Principal("user", new_id(), f"c{number}")
        far = time.monotonic() + _FAR_S
        verdict = CallerVerdict(digest(token), principal, "token-id", time.time() + _FAR_S)
        worker.authority.verdicts.memory.put(digest(token), Aged(verdict, far, time.time() + _FAR_S))
        for assignment in (tool.assignment_id for tool in gateway.tools.values()):
            for caller in (None, principal.key):
                key = worker.installations.key(gateway.id, assignment, caller)
                worker.installations.resolved.memory.put(key, Aged(installation, far))
        if self._form != "legacy":
            lines = f"MCP-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: one__echo\r\n"
            return _request(token, lines, {"_meta": ENVELOPE})
        known = Caller(verdict, TokenProof(verdict.digest))
        identifier, session = worker.deps.sessions.new(gateway.id, known, LEGACY, 0)
        worker.deps.sessions._remember((identifier, gateway.id, known.key, known.way), session)
        return _request(token, f"MCP-Protocol-Version: {LEGACY}\r\nMcp-Session-Id: {identifier}\r\n", {})

    def _connected_callers(self) -> list[tuple[FastConnection, Written]]:
        lane, made = public_listener(self._worker.deps), []
        for number in range(CALLERS):
            connection, out = cast("FastConnection", lane()), Written(("192.0.2.1", 1000 + number))
            connection.connection_made(cast("asyncio.Transport", out))
            made.append((connection, out))
        return made

    def _connected_servers(self, url: str) -> list[tuple[PoolConnection, Written]]:
        pool = cast("UpstreamPool", self._worker.egress)
        origin, made = pool._places.origin(pool._target(cast("Any", url)).origin), []
        for _ in range(SERVERS):
            connection, out = PoolConnection(pool, origin, pool._heads), Written()
            connection.connection_made(cast("asyncio.Transport", out))
            pool._places._count(origin, 1)
            pool._open.add(connection)
            pool.give_back(connection, 4.0)
            made.append((connection, out))
        made.reverse()  # the last that was given back is taken first
        return made


def _check(out: Written, marker: bytes) -> None:
    data = out.data
    if data is None or data.count(marker) != 2 or not data.startswith(b"HTTP/1.1 200 OK"):
        raise RuntimeError(f"a wrong answer: {data!r}")
    out.data = None


def _worker(environment: dict[str, Any]) -> Worker:
    return Worker(
        ProxySettings(
            redis_url="redis://127.0.0.1:1/0",
            control_internal_url=("http://127.0.0.1:1",),
            proxy_key=new_key(),
            verify_keys=Signer(parse_key_ring("signing", new_key())).public_keys,
            public_url="http://gw.example:8080",
            calls_per_upstream=1000,
            **environment,
        )
    )


def _gateway(worker: Worker) -> tuple[CompiledGateway, Route]:
    route = Route("remote", new_id(), "srv")
    tool = Tool("one__echo", "echo", new_id(), {"name": "one__echo", "inputSchema": {}}, route)
    seen_by = Visibility("organisation")
    held = CompiledGateway(Gateway(FORMAT, new_id(), "one", "one", 1, seen_by, [tool], header_allowlist=["x-tenant"]))
    worker.gateways._by_name.update({held.id: held, "one": held})
    return held, route


def _installation(entry_id: str) -> ResolvedInstallation:
    return ResolvedInstallation(
        installation_id=new_id(),
        entry_id=entry_id,
        entry="srv",
        owner="organisation",
        kind="remote",
        url="http://192.0.2.9/mcp",
        version=1,
        credential_headers=[("Authorization", "Bearer a-credential-of-the-usual-length")],
    )


def _request(token: str, lines: str, meta: dict[str, object]) -> bytes:
    params = {"name": "one__echo", "arguments": {"text": _PLACE}, **({"_meta": meta["_meta"]} if meta else {})}
    message = {"jsonrpc": "2.0", "id": _PLACE, "method": "tools/call", "params": params}
    body = orjson.dumps(message).replace(b"%", b"%%").replace(_PLACE.encode(), b"%b")
    marker = MARKER % (0, 0)
    head = (
        f"POST /v1/mcp/one HTTP/1.1\r\nHost: gw.example:8080\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n{lines}"
        f"X-Tenant: acme\r\nContent-Length: {len(body % (marker, marker))}\r\n\r\n"
    )
    return head.replace("%", "%%").encode() + body


async def measured(form: str, batches: int, environment: dict[str, Any]) -> list[float]:
    """Microseconds a call, by batch."""
    rig = Rig(form, environment)
    for _ in range(20):
        rig.batch()
    gc.collect()
    gc.freeze()
    costs = []
    for _ in range(batches):
        costs.append(rig.batch())
        await asyncio.sleep(0)
    return costs


async def _profiled(form: str, environment: dict[str, Any]) -> None:
    rig = Rig(form, environment)
    for _ in range(20):
        rig.batch()
    with cProfile.Profile() as profile:
        for _ in range(20):
            rig.batch()
    pstats.Stats(profile).sort_stats("tottime").print_stats(70)


def main() -> None:
    """The program: prints `in_process_FORM_us: least`, and medians beside it."""
    parser = argparse.ArgumentParser(prog="python -m bench.in_process", description=__doc__.partition("\n")[0])
    parser.add_argument("--form", choices=FORMS, action="append", help="of calls; may stand several times")
    parser.add_argument("--batches", type=int, default=100, help="of 320 calls each")
    parser.add_argument("--without-plans", action="store_true", help="every call through all stages")
    parser.add_argument("--compiled", action="store_true", help="with the modules that `make compiled` made")
    parser.add_argument("--profile", action="store_true")
    if (told := parser.parse_args()).compiled and not compiled_form.is_used():
        begin_again("bench.in_process")
    environment: dict[str, Any] = {"plans": False} if told.without_plans else {}
    collect_seldom()
    loops: Callable[..., Any] = uvloop.run
    for form in told.form or ("json",):
        if told.profile:
            loops(_profiled(form, environment))
            continue
        costs = loops(measured(form, told.batches, environment))
        print(f"in_process_{form}_us: {min(costs):.2f}")
        print(f"in_process_{form}_median_us: {statistics.median(costs):.2f}", file=sys.stderr)


if __name__ == "__main__":
    main()
