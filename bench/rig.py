"""A warm worker between callers and servers that are not there: what programs of the bench feed calls to.

The fast lane's own connections are fed requests and the pool's own connections the answers, through transports that
keep what is written: everything but kernel and event loop is there, from the caller's bytes to the record. 64
connections, 100 callers, arguments of their own in each call, and every answer is checked. Used by `in_process.py`
and `signed_tokens.py`.
"""

import asyncio
import time
from typing import Any, Final, cast

import orjson

from bench.credentials import AUDIENCE, CLIENT, LENGTHS, LIVES_S, Signing
from bench.installations import Gets, for_caller, installation_of
from bench.orders import ENVELOPE, LEGACY, MARKER, MODERN
from bench.written import Written
from core.caller_statements import StatementSigner
from core.identifiers import new_id
from core.key_sets import sign_key_set
from core.keys import new_key, parse_key_ring
from core.mcp.versions import Era
from core.redis_names import with_credential
from core.resolve import AuthKind, CallerVerdict, JwtProof, Principal, Proof, ResolvedInstallation, TokenProof
from core.signing import Signer
from core.snapshot import FORMAT, Gateway, Route, TokenIssuer, Tool, Visibility
from core.tokens import digest, new_token
from proxy.caches.recent import Recent
from proxy.caches.two_ages import Aged
from proxy.caller import Caller
from proxy.edge.fast_connection import FastConnection
from proxy.edge.lanes import public_listener
from proxy.gateways.compiled import CompiledGateway
from proxy.resolve.key_sets import KeySetDocument
from proxy.settings import ProxySettings
from proxy.upstream.eras import Found, _key
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.pool.connection import PoolConnection
from proxy.upstream.pool.pool import UpstreamPool
from proxy.upstream.sessions import HeldSession
from proxy.worker import Worker

CALLERS: Final = 64
TOKENS: Final = 100
SERVERS: Final = 8
A_BATCH: Final = 320
PUBLIC_URL: Final = "http://gw.example:8080"
PEER: Final = "192.0.2.1"
_PROVIDER: Final = "https://idp.example"
_FAR_S: Final = 1e5
_PLACE: Final = "MARKER"
_JSON: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_STREAM: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_RESULT: Final = b'{"jsonrpc":"2.0","id":%b,"result":{"content":[{"type":"text","text":"%b"}],"isError":false}}'


class Rig:
    """A warm worker between callers and servers that are not there; `way`: what callers show, `server`: its era;
    `gets`: what servers get.
    """

    def __init__(
        self,
        form: str,
        environment: dict[str, Any],
        way: str = "static",
        server: Era = Era.MODERN,
        *,
        gets: Gets = "key",
    ) -> None:
        self._form, self._way, self._server, self._gets = form, way, server, gets
        ring = parse_key_ring("ARCHWAY_SIGNING_KEY", new_key())
        signer, self._signing = Signer(ring), Signing(ring, PUBLIC_URL, _PROVIDER)
        self._statements = StatementSigner(ring, PUBLIC_URL)
        self._worker = _worker(signer.public_keys, environment)
        self._gateway, self._route = _gateway(self._worker, per_credential=gets in {"exchanged", "passed_on"})
        self._know_keys(signer)
        installation = installation_of(self._route.entry_id)
        self._know(installation)
        self._proofs: list[Proof] = []
        self._templates = [self._caller(number, installation) for number in range(TOKENS)]
        self._callers = self._connected_callers()
        self._servers = self._connected_servers(installation.url)
        self._count = 0
        self._forget()

    async def ready(self) -> "Rig":
        """Check the signed tokens, of which there may be some; the rig itself."""
        for proof in self._proofs:
            if isinstance(proof, JwtProof):
                _ = await self._worker.signed_tokens.verified(proof, "one", PEER)
        return self

    def batch(self, calls: int = A_BATCH) -> float:
        """Microseconds a call of one batch."""
        spent, clock = 0.0, time.perf_counter
        for _ in range(calls):
            marker, connection, out, request = self._next()
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
        return 1e6 * spent / calls

    async def first_batch(self, calls: int) -> float:
        """Microseconds a call whose head was not seen before, and whose token was not checked; the verdict on its
        bearer is known, since control is not here. The event loop's part is in them."""
        spent, clock = 0.0, time.perf_counter
        for _ in range(calls):
            self._forget_caller()
            marker, connection, out, request = self._next()
            began = clock()
            connection.data_received(request)
            while (asked := self._asked_one()) is None:  # noqa: ASYNC110 - an event would cost more
                await asyncio.sleep(0)
            server, sent = asked
            spent += clock() - began
            pieces = self._answer(cast("bytes", sent.data), marker)
            sent.data = None
            for piece in pieces:
                began = clock()
                server.data_received(piece)
                spent += clock() - began
            began = clock()
            while out.data is None:  # noqa: ASYNC110 - an event would cost more
                await asyncio.sleep(0)
            spent += clock() - began
            _check(out, marker)
        self._forget()
        return 1e6 * spent / calls

    def _next(self) -> tuple[bytes, FastConnection, Written, bytes]:
        """The next call: its marker, its connection, and the whole request."""
        self._count += 1
        marker = MARKER % (self._count % CALLERS, self._count)
        connection, out = self._callers[self._count % CALLERS]
        return marker, connection, out, self._templates[self._count % TOKENS] % (marker, marker)

    def _asked(self) -> tuple[PoolConnection, Written]:
        asked = self._asked_one()
        if asked is None:
            raise RuntimeError("a call was not sent on")
        return asked

    def _asked_one(self) -> tuple[PoolConnection, Written] | None:
        for server, sent in self._servers:
            if sent.data is not None:
                return server, sent
        return None

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

    def _forget_caller(self) -> None:
        """What is known of whoever calls next, but for the verdict."""
        self._callers[0][0]._parts.memory._known = Recent(1)
        proof = self._proofs[(self._count + 1) % TOKENS]
        self._worker.signed_tokens._verified.pop(proof.digest)

    def _know_keys(self, signer: Signer) -> None:
        for key_set in self._signing.key_sets():
            document = KeySetDocument(sign_key_set(key_set, signer))
            self._worker.key_sets.held.memory.put(key_set.issuer, Aged(document, time.monotonic() + _FAR_S))

    def _know(self, installation: ResolvedInstallation) -> None:
        eras = self._worker.deps.upstreams.health.eras
        eras._found.put(_key(installation), Found(self._server, time.monotonic() + _FAR_S))

    def _caller(self, number: int, installation: ResolvedInstallation) -> bytes:
        """The request of a caller whose token and installation are known, with two places for the marker."""
        worker, gateway = self._worker, self._gateway
        principal = Principal("user", new_id(), f"c{number}")
        token, proof, auth = self._shown(principal)
        self._proofs.append(proof)
        installation = for_caller(self._gets, self._statements, installation, principal, proof)
        far, client = time.monotonic() + _FAR_S, "" if auth == "token" else CLIENT
        verdict = CallerVerdict(proof.digest, principal, "token-id", time.time() + LIVES_S, auth=auth, client=client)
        worker.authority.verdicts.memory.put(proof.digest, Aged(verdict, far, time.time() + LIVES_S))
        for assignment in (tool.assignment_id for tool in gateway.tools.values()):
            for caller in (None, principal.key, with_credential(principal.key, proof.digest)):
                key = worker.installations.key(gateway.id, assignment, caller)
                worker.installations.resolved.memory.put(key, Aged(installation, far))
        if self._server is Era.LEGACY:
            sessions = worker.deps.upstreams.sessions
            key, opened = sessions.key(installation, principal.key, None), UpstreamSession(f"s-{number:032}", LEGACY)
            sessions._held.put(key, HeldSession(key, opened, time.monotonic(), installation))
        if self._form != "legacy":
            lines = f"MCP-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: one__echo\r\n"
            return _request(token, lines, {"_meta": ENVELOPE})
        known = Caller(verdict, proof)
        identifier, own = worker.deps.sessions.new(gateway.id, known, LEGACY, 0)
        worker.deps.sessions._remember((identifier, gateway.id, known.key, known.way), own)
        return _request(token, f"MCP-Protocol-Version: {LEGACY}\r\nMcp-Session-Id: {identifier}\r\n", {})

    def _shown(self, principal: Principal) -> tuple[str, Proof, AuthKind]:
        """A credential of the rig's way."""
        if self._way == "static":
            ours = new_token()
            return ours, TokenProof(digest(ours)), "token"
        if self._way == "oauth":
            token = self._signing.access_token(principal.id, f"{PUBLIC_URL}/v1/mcp/one")
            return token, JwtProof.of(token), "oauth"
        token = self._signing.provider_token(principal.id, f"{principal.name}@bench.invalid", LENGTHS[self._way])
        return token, JwtProof.of(token), "jwt"

    def _connected_callers(self) -> list[tuple[FastConnection, Written]]:
        lane, made = public_listener(self._worker.deps), []
        for number in range(CALLERS):
            connection, out = cast("FastConnection", lane()), Written((PEER, 1000 + number))
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


def _worker(verify_keys: str, environment: dict[str, Any]) -> Worker:
    return Worker(
        ProxySettings(
            redis_url="redis://127.0.0.1:1/0",
            control_internal_url=("http://127.0.0.1:1",),
            proxy_key=new_key(),
            verify_keys=verify_keys,
            public_url=PUBLIC_URL,
            calls_per_upstream=1000,
            **environment,
        )
    )


def _gateway(worker: Worker, *, per_credential: bool) -> tuple[CompiledGateway, Route]:
    route = Route("remote", new_id(), "srv", per_credential=per_credential)
    tool = Tool("one__echo", "echo", new_id(), {"name": "one__echo", "inputSchema": {}}, route)
    seen_by = Visibility("organisation")
    snapshot = Gateway(
        FORMAT, new_id(), "one", "one", 1, seen_by, [tool], header_allowlist=["x-tenant"],
        client_auth_beside=["jwt", "oauth"], identity_provider=TokenIssuer(new_id(), _PROVIDER, AUDIENCE),
    )  # fmt: skip
    held = CompiledGateway(snapshot)
    worker.gateways._by_name.update({held.id: held, "one": held})
    return held, route


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
