"""A control plane in memory: answers a proxy's questions and publishes to Redis, by the real formats and keys.

For tests of the proxy alone. It holds gateways, tokens and connections as plain dicts that a test may change at any
time; `publish` stores a gateway and announces it as the real publisher does, `announce` only tells of a change.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, Self

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from core import redis_names
from core.changes import Change, Kind, sign_change
from core.clocks import REFUSED_FOR_CLOCK
from core.gateway_answers import GatewayAnswer, GatewayQuestion, IndexAnswer
from core.identifiers import new_id
from core.internal_call import SEALED, CallRefused, InternalCalls
from core.key_sets import KeySet, KeySetAnswer, KeySetQuestion, sign_key_set
from core.keys import KeyRing, new_key, parse_key_ring
from core.resolve import (
    AnsweredInstallation,
    CallerQuestion,
    CallerQuestions,
    CallerVerdict,
    CallerVerdicts,
    InstallationAnswer,
    InstallationAnswers,
    InstallationQuestion,
    InstallationQuestions,
    InstallationRefusal,
    JwtProof,
    Principal,
    ResolvedInstallation,
)
from core.sign_in_steps import StepsTaken, ToldStep, ToldSteps
from core.signing import Signer
from core.snapshot import FORMAT, Gateway, Index, IndexRow, Route, Tool, Visibility, sign_gateway, sign_index
from core.tokens import digest, new_token
from core.watches import HeardLists, HeardTaken, ListKind, WatchAnswer, WatchQuestion
from tests.fakes.issuers import FakeIssuer

_STEPS, _WATCHES, _NEWS = "/internal/sign-in-steps", "/internal/watches", "/internal/news-of-lists"
_AT_ANY_TIME = {_STEPS, _WATCHES, _NEWS}
"""Told or asked by itself, whatever a test does."""


class FakeControl:
    """Control's internal listener and publisher, on loopback."""

    def __init__(self, redis: Redis | None = None) -> None:
        self.proxy_key = new_key()
        self.ring: KeyRing = parse_key_ring("proxy", self.proxy_key)
        self.signer = Signer(parse_key_ring("signing", new_key()))
        self.redis = redis
        self.gateways: dict[str, Gateway] = {}
        self.retired: dict[str, str] = {}
        """Slugs of before, with the identifier of the gateway that had them."""
        self.verdicts: dict[str, CallerVerdict] = {}
        self.installations: dict[str, ResolvedInstallation | InstallationRefusal] = {}
        """By assignment; by `assignment/token digest` where it is a caller's own."""
        self.renews: Callable[[InstallationQuestion], Awaitable[ResolvedInstallation | InstallationRefusal]] | None
        self.renews = None
        """Answers questions about credentials that an upstream refused; None: as if nothing was said of that."""
        self.renewals: list[InstallationQuestion] = []
        """Those questions, in order."""
        self.epoch = ""
        self.number = 0
        self.index_revision = 0
        self.key_sets: dict[str, KeySet] = {}
        """By issuer."""
        self.asked: list[str] = []
        """Paths of the questions, in order."""
        self.steps: list[ToldStep] = []
        """Steps of signing in of which it was told."""
        self.watched: dict[str, ResolvedInstallation] = {}
        """What workers are to listen to, each of them all of it."""
        self.silent: list[str] = []
        """Of that, what could not be listened to."""
        self.heard: list[tuple[str, ListKind]] = []
        """News of lists of which it was told, by installation."""
        self.slow = 0.0
        self.down = False
        self.knows_lists = True
        """Whether it is of a version that answers lists of questions."""
        self.opens_seals = True
        """Whether it is of a version that reads questions which are sealed."""
        self.clock_ahead = 0.0
        """By so much its clock is ahead; with another than 0 it refuses all questions for that."""
        self._calls = InternalCalls(self.ring, caller="proxy", answerer="control")
        self._runner: web.ServerRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; again on the same port after a `stop`."""
        self._runner = web.ServerRunner(web.Server(self._answer))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def token(self, kind: Any = "user", *, teams: frozenset[str] = frozenset(), expires: float | None = None) -> str:
        """A token that is known from now on."""
        token = new_token()
        principal = Principal(kind, new_id(), f"a {kind}", teams)
        self.verdicts[digest(token)] = CallerVerdict(digest(token), principal, new_id(), expires)
        return token

    def token_for_api(self) -> str:
        """A token that is known from now on and is not for gateways."""
        token = new_token()
        bearer = Principal("user", new_id(), "an admin")
        self.verdicts[digest(token)] = CallerVerdict(digest(token), credential_id=new_id(), kept_out=bearer)
        return token

    def knows(self, issuer: FakeIssuer) -> None:
        """The issuer's keys, as they are now."""
        self.key_sets[issuer.name] = issuer.key_set()

    def bears(self, jwt: str, principal: Principal | None = None, **fields: Any) -> Principal:
        """Somebody who bears this signed token from now on, an access token of ours unless `auth` says otherwise."""
        principal = principal or Principal("user", new_id(), "a user")
        digest = JwtProof.of(jwt).digest
        usual = {"credential_id": new_id(), "auth": "oauth", "client": "a-client", "scopes": frozenset({"mcp"})}
        self.verdicts[digest] = CallerVerdict(digest, principal, **(usual | fields))
        return principal

    def gateway(self, slug: str, tools: list[Tool], **fields: Any) -> Gateway:
        """A gateway that is known from now on, at the next revision."""
        held = next((gateway for gateway in self.gateways.values() if gateway.slug == slug), None)
        gateway = Gateway(
            format=FORMAT,
            id=held.id if held else new_id(),
            slug=slug,
            name=slug,
            revision=held.revision + 1 if held else 1,
            visibility=fields.pop("visibility", Visibility("organisation")),
            tools=sorted(tools, key=lambda tool: tool.exposed),
            **fields,
        )
        self.gateways[gateway.id] = gateway
        self.index_revision += 1
        return gateway

    def tool(
        self, exposed: str, upstream: str, installation: ResolvedInstallation | InstallationRefusal, **fields: Any
    ) -> Tool:
        """A tool of a pinned installation that is known from now on."""
        assignment = new_id()
        self.installations[assignment] = installation
        route = fields.pop("route", None) or Route(
            "remote",
            getattr(installation, "entry_id", new_id()),
            getattr(installation, "entry", "server"),
            installation_id=getattr(installation, "installation_id", None),
            per_principal=fields.pop("per_principal", False),
            per_credential=fields.pop("per_credential", False),
            stdio=fields.pop("stdio", False),
            passthrough=fields.pop("passthrough", True),
        )
        schema = fields.pop("schema", {"type": "object"})
        return Tool(exposed, upstream, assignment, {"name": exposed, "inputSchema": schema}, route, **fields)

    def installation(self, url: str, **fields: Any) -> ResolvedInstallation:
        """An installation of a server at `url`."""
        values: dict[str, Any] = {
            "installation_id": new_id(),
            "entry_id": new_id(),
            "entry": "server",
            "owner": "organisation",
            "kind": "remote",
            "version": 1,
        }
        return ResolvedInstallation(url=url, **(values | fields))

    async def publish(self, gateway: Gateway) -> None:
        """Store the snapshot and the index, and announce the gateway."""
        assert self.redis is not None
        await self.ensure_epoch()
        document = sign_gateway(gateway, self.signer)
        key = redis_names.snapshot_key(gateway.id)
        await self.redis.hset(key, mapping={"revision": gateway.revision, "document": document})
        await self.redis.hset(redis_names.INDEX, mapping={"revision": self.index_revision, "document": self._index()})
        await self.announce("gateway", gateway.id, gateway.revision)

    async def announce(self, kind: Kind, name: str, revision: int = 0) -> None:
        """Append an event to the change stream."""
        assert self.redis is not None
        await self.ensure_epoch()
        self.number += 1
        change = Change(self.epoch, self.number, kind, name, revision)
        await self.redis.hset(redis_names.CHANGES_HEAD, mapping={"epoch": self.epoch, "number": self.number})
        await self.redis.xadd(redis_names.CHANGES, {"n": self.number, "e": sign_change(change, self.signer)})
        if kind == "token":
            await self.redis.delete(redis_names.verdict_key(name))

    async def revoke(self, token: str) -> None:
        """Forget the token and tell."""
        self.verdicts.pop(digest(token), None)
        await self.announce("token", digest(token))

    async def ensure_epoch(self) -> None:
        """The change stream has a head; a worker that finds another one later doubts what it knows."""
        assert self.redis is not None
        head = await self.redis.hget(redis_names.CHANGES_HEAD, "epoch")
        if head is None or head.decode() != self.epoch:
            self.epoch, self.number = new_id(), 0
            await self.redis.hset(redis_names.CHANGES_HEAD, mapping={"epoch": self.epoch, "number": 0})

    def _index(self) -> bytes:
        rows = [IndexRow(gateway.id, gateway.slug, gateway.revision) for gateway in self.gateways.values()]
        return sign_index(Index(FORMAT, self.epoch, self.index_revision, rows), self.signer)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if request.path not in _AT_ANY_TIME:
            self.asked.append(request.path)
        if self.slow:
            await asyncio.sleep(self.slow)
        if self.down:
            return web.Response(status=503)
        if self.clock_ahead:
            date = formatdate(time.time() + self.clock_ahead, usegmt=True)
            return web.Response(status=403, headers={**REFUSED_FOR_CLOCK, "Date": date})
        try:
            call_id = self._calls.check(request.headers.get("Authorization", ""), request.method, request.path, body)
            if self.opens_seals and request.content_type == SEALED:
                body = self._calls.open_question(request.path, body)
        except CallRefused:
            return web.Response(status=403)
        answers: dict[str, Callable[[bytes], Awaitable[msgspec.Struct]]] = {
            "/internal/token": self._token,
            "/internal/connection": self._installation,
            "/internal/tokens": self._tokens,
            "/internal/connections": self._installations,
            "/internal/gateway": self._gateway,
            "/internal/index": self._index_answer,
            "/internal/key-set": self._key_set,
            _STEPS: self._take_steps,
            _WATCHES: self._give_watches,
            _NEWS: self._take_news,
        }
        if request.path in ("/internal/tokens", "/internal/connections") and not self.knows_lists:
            return web.Response(status=403)
        try:
            answer = msgspec.msgpack.encode(await answers[request.path](body))
        except msgspec.MsgspecError:
            return web.Response(status=400)
        return web.Response(body=self._calls.seal_answer(call_id, answer))

    async def _token(self, body: bytes) -> CallerVerdict:
        return self._verdict(msgspec.msgpack.decode(body, type=CallerQuestion).digest)

    async def _tokens(self, body: bytes) -> CallerVerdicts:
        asked = msgspec.msgpack.decode(body, type=CallerQuestions)
        return CallerVerdicts([self._verdict(digest) for digest in asked.digests])

    def _verdict(self, digest: str) -> CallerVerdict:
        return self.verdicts.get(digest) or CallerVerdict(digest, refusal="unknown")

    async def _installation(self, body: bytes) -> InstallationAnswer:
        asked = msgspec.msgpack.decode(body, type=InstallationQuestion)
        if not (asked.refused_version or asked.needed_scopes or asked.too_few_scopes):
            return self._resolved(asked)
        self.renewals.append(asked)
        found = None if self.renews is None else await self.renews(asked)
        if isinstance(found, InstallationRefusal):
            return InstallationAnswer(refusal=found)
        return self._resolved(asked) if found is None else InstallationAnswer(found)

    async def _installations(self, body: bytes) -> InstallationAnswers:
        asked = msgspec.msgpack.decode(body, type=InstallationQuestions)
        return InstallationAnswers([AnsweredInstallation(one.named, self._resolved(one)) for one in asked.questions])

    def _resolved(self, asked: InstallationQuestion) -> InstallationAnswer:
        if asked.digest not in self.verdicts:
            return InstallationAnswer(refusal=InstallationRefusal("not_allowed", "This token is not valid."))
        found = (
            self.installations.get(f"{asked.assignment_id}/{asked.digest}") or self.installations[asked.assignment_id]
        )
        if isinstance(found, InstallationRefusal):
            return InstallationAnswer(refusal=found)
        return InstallationAnswer(installation=found)

    async def _gateway(self, body: bytes) -> GatewayAnswer:
        name = msgspec.msgpack.decode(body, type=GatewayQuestion).name
        for gateway in self.gateways.values():
            if name in (gateway.id, gateway.slug) or self.retired.get(name) == gateway.id:
                return GatewayAnswer(gateway.id, sign_gateway(gateway, self.signer))
        return GatewayAnswer()

    async def _key_set(self, body: bytes) -> KeySetAnswer:
        found = self.key_sets.get(msgspec.msgpack.decode(body, type=KeySetQuestion).issuer)
        return KeySetAnswer() if found is None else KeySetAnswer(sign_key_set(found, self.signer))

    async def _take_steps(self, body: bytes) -> StepsTaken:
        steps = msgspec.msgpack.decode(body, type=ToldSteps).steps
        self.steps += steps
        return StepsTaken(len(steps))

    async def _give_watches(self, body: bytes) -> WatchAnswer:
        asked = msgspec.msgpack.decode(body, type=WatchQuestion)
        self.silent += asked.silent
        wanted = {name: one for name, one in self.watched.items() if name not in self.silent}
        newer = [one for name, one in wanted.items() if asked.held.get(name) != one.version]
        return WatchAnswer(newer if asked.room else [], [name for name in asked.held if name not in wanted])

    async def _take_news(self, body: bytes) -> HeardTaken:
        lists = msgspec.msgpack.decode(body, type=HeardLists).lists
        self.heard += [(name, kind) for name, kinds in lists.items() for kind in sorted(kinds)]
        return HeardTaken(len(lists))

    async def _index_answer(self, body: bytes) -> IndexAnswer:
        return IndexAnswer(self._index())
