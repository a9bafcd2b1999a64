"""The whole of Archway as real processes on loopback, for tests that break parts of it.

    async with running_system(tmp_path, postgres, proxies=2) as system:
        person = system.people[0]
        outcome = await system.call(person)             # a modern tools/call through proxy 0
        system.redis.freeze()                           # and kill, start, thaw; likewise each of `system.proxies`,
        await system.proxies[1].kill()                  # `system.controls`, and the Postgres that was given
        await system.revoke(person)

PostgreSQL, Valkey, control replicas, proxy workers and a cheap MCP server are processes of their own, ended by pid
at the end (and by the kernel when the test process is killed). Entry, installation, gateway and people are made
through the admin API, as an operator would; the tools are discovered through the proxy's internal listener.
`through` puts a `ToxicProxy` on the roads "redis" (proxies only), "control" and "postgres".
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson

from archway.up.ports import free_port
from core.keys import new_key, parse_key_ring
from core.mcp.versions import MODERN
from core.redis_names import snapshot_key
from core.signing import Signer
from core.tokens import new_token
from tests.emptied_databases import TEMPLATE
from tests.fakes.toxic_proxy import ToxicProxy
from tests.fixtures_admin import AdminClient
from tests.fixtures_postgres import Server
from tests.fixtures_program import Program, eventually
from tests.fixtures_redis import RedisServer

CALL_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the deployment and the token that their client holds."""

    id: str
    token: str
    token_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request ended, as the caller sees it."""

    status: str
    """`ok`, the reason of a refused call, `http 401`, `error -32602`, `lost` (the connection broke), `late`, or
    `crossed` (somebody else's answer)."""
    took: float
    request_id: str = ""
    sentence: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    result: Any = None


@dataclass(slots=True)
class System:
    """A running deployment. `admin` speaks to control 0 with the run's own token, `admins[n]` to control n."""

    folder: Path
    postgres: Server
    dsn: str
    redis: RedisServer
    controls: list[Program]
    proxies: list[Program]
    upstream: Program
    keys: Mapping[str, str]
    http: aiohttp.ClientSession
    run_token: str
    sessions: list[aiohttp.ClientSession]
    """One for each proxy; `http` is for everything else."""
    toxics: dict[str, ToxicProxy] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)
    entry: dict[str, Any] = field(default_factory=dict)
    installation: dict[str, Any] = field(default_factory=dict)
    gateway: dict[str, Any] = field(default_factory=dict)

    @property
    def signer(self) -> Signer:
        """Signs as control does, for tests that publish what control never would."""
        return Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", self.keys["ARCHWAY_SIGNING_KEY"]))

    @property
    def admins(self) -> list[AdminClient]:
        return [AdminClient(self.http, control.url, self.run_token, {}) for control in self.controls]

    @property
    def admin(self) -> AdminClient:
        return self.admins[0]

    async def restart(self, program: Program) -> None:
        """Kill one and start it again, until it is ready."""
        await program.kill()
        program.start()
        await program.ready(self.http)

    async def stop_proxy(self, number: int) -> None:
        """Ask one to end. Its callers hang up before: it would wait for them as long as its grace allows."""
        await self.sessions[number].close()
        self.sessions[number] = new_session()
        await self.proxies[number].stop()

    async def add_person(self, name: str) -> Person:
        """A member with a token."""
        user = await self.admin.made("/users", {"name": name, "email": f"{name}@example.com"})
        made = await self.admin.made("/tokens", {"name": name, "kind": "user", "user_id": user["id"]})
        return Person(user["id"], made["secret"], made["id"])

    async def add_gateway(self, slug: str, **fields: Any) -> dict[str, Any]:
        """A gateway that shows the stub's `echo`, published."""
        made = await self.admin.made("/gateways", {"slug": slug, "name": slug, **fields})
        wanted = {"entry": "stub", "tools": ["*"], "prefix": False, "installation": self.installation["id"]}
        answer = await self.admin.post(f"/gateways/{made['id']}/assignments", wanted)
        assert answer.status == 201, answer.body
        await eventually(lambda: self.is_published(made["id"], 3), 60, f"{slug} is published with its tools")
        return made

    async def is_published(self, gateway_id: str, revision: int) -> bool:
        """Whether proxies can read this revision of it in Redis, or a newer one."""
        with self.redis.client() as client:
            found = client.hget(snapshot_key(gateway_id), "revision")
        return found is not None and int(found) >= revision

    async def revoke(self, person: Person) -> None:
        answer = await self.admin.post(f"/tokens/{person.token_id}/revoke")
        assert answer.status == 200, answer.body

    async def ask(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        token: str,
        gateway: str = "desk",
        proxy: int = 0,
        session: aiohttp.ClientSession | None = None,
        close: bool = False,
    ) -> Outcome:
        """One 2026-07-28 request; never raises for what the far side does."""
        body, headers = modern_request(method, params or {}, token)
        if close:
            headers["Connection"] = "close"
        url = f"{self.proxies[proxy].url}/v1/mcp/{gateway}"
        began = time.monotonic()
        try:
            async with (
                asyncio.timeout(CALL_WITHIN_S),
                (session or self.sessions[proxy]).post(url, data=body, headers=headers) as answer,
            ):
                raw = await answer.read()
                return outcome_of(answer.status, answer.headers, raw, time.monotonic() - began)
        except TimeoutError:
            return Outcome("late", time.monotonic() - began)
        except aiohttp.ClientError as error:
            return Outcome("lost", time.monotonic() - began, sentence=type(error).__name__)

    async def call(self, caller: Person | str, **where: Any) -> Outcome:
        """A tools/call of `echo` with a text that only this call has."""
        token, text = caller if isinstance(caller, str) else caller.token, secrets.token_hex(6)
        params = {"name": "echo", "arguments": {"text": text}}
        outcome = await self.ask("tools/call", params, token=token, **where)
        if outcome.status == "ok" and outcome.result["content"][0]["text"] != text:
            return Outcome("crossed", outcome.took, outcome.request_id)
        return outcome

    async def proxies_ask_control(self) -> None:
        """Wait until each proxy asks control again of whom it does not know. One that found control away, as where it
        started first, leaves it alone for a second, and such a caller is told to retry."""

        async def asks(proxy: int) -> bool:
            return (await self.ask("ping", token=new_token(), proxy=proxy)).status == "http 401"

        for number in range(len(self.proxies)):
            await eventually(partial(asks, number), 30, "control is asked of a token that nobody has")

    async def instructions(self, caller: Person, **where: Any) -> str:
        """The gateway's instructions as a proxy tells them, from its snapshot; "" where it gives none."""
        outcome = await self.ask("server/discover", token=caller.token, **where)
        return str((outcome.result or {}).get("instructions", ""))

    async def records(self) -> list[dict[str, Any]]:
        """Every call record that has arrived."""
        answer = await self.admin.get("/records/export")
        assert answer.status == 200, answer.body
        return [orjson.loads(line) for line in answer.body.splitlines()]


@asynccontextmanager
async def running_system(
    folder: Path,
    postgres: Server,
    *,
    controls: int = 1,
    proxies: int = 1,
    people: int = 50,
    soft_age: float = 0.4,
    max_stale: float = 20.0,
    supervised: int = 0,
    postgres_port: int = 0,
    through: Iterable[str] = (),
    log_level: str = "INFO",
    **settings: str,
) -> AsyncIterator[System]:
    """Start everything at once and set it up. `supervised`: proxies are supervisors with that many workers.
    `postgres_port`: of a proxy of the test's own in front of the database, for control to use.

    `settings` are further variables of the proxies, without `ARCHWAY_` and in lower case.
    """
    async with AsyncExitStack() as ending:
        http = await ending.enter_async_context(new_session())
        dsn = await ending.enter_async_context(fresh_database(postgres))
        (folder / "valkey").mkdir(mode=0o700)
        redis = RedisServer(folder / "valkey")
        redis.start()
        ending.callback(redis.kill)
        toxics = {}
        control_ports = [(free_port(), free_port()) for _ in range(controls)]
        roads = {
            "redis": redis.port,
            "control": control_ports[0][1] if controls else 0,
            "postgres": postgres_port or postgres.port,
        }
        for road in through:
            toxics[road] = await ending.enter_async_context(ToxicProxy("127.0.0.1", roads[road]))
            roads[road] = toxics[road].port
        internal = [f"http://127.0.0.1:{port}" for _, port in control_ports[1:]]
        internal = [f"http://127.0.0.1:{roads['control']}", *internal]
        keys = {name: new_key() for name in ("ARCHWAY_SECRET_KEY", "ARCHWAY_PROXY_KEY", "ARCHWAY_SIGNING_KEY")}
        run_token = secrets.token_urlsafe(24)
        proxy_ports = [(free_port(), free_port()) for _ in range(proxies)]
        both = {
            "ARCHWAY_PROXY_KEY": keys["ARCHWAY_PROXY_KEY"],
            "ARCHWAY_PUBLIC_URL": "http://127.0.0.1:8080",
            "ARCHWAY_UPSTREAM_NETWORKS": "127.0.0.0/8",
            "ARCHWAY_LOG_LEVEL": log_level,
        }
        for_control = both | keys | {
            "ARCHWAY_REDIS_URL": redis.url,
            "ARCHWAY_DATABASE_URL": dsn.replace(f":{postgres.port}/", f":{roads['postgres']}/"),
            "ARCHWAY_RUN_TOKEN_SHA256": sha256(run_token.encode()).hexdigest(),
            "ARCHWAY_PROXY_INTERNAL_URL": ",".join(f"http://127.0.0.1:{port}" for _, port in proxy_ports),
        }  # fmt: skip
        signer = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", keys["ARCHWAY_SIGNING_KEY"]))
        for_proxy = both | {
            "ARCHWAY_REDIS_URL": redis.url.replace(f":{redis.port}/", f":{roads['redis']}/"),
            "ARCHWAY_VERIFY_KEYS": signer.public_keys,
            "ARCHWAY_SOFT_AGE": str(soft_age),
            "ARCHWAY_MAX_STALE": str(max_stale),
            "ARCHWAY_MOST_LAG": "10",  # however busy the machine that tests; overload has tests of its own
            **{f"ARCHWAY_{name.upper()}": value for name, value in settings.items()},
        }
        system = System(
            folder, postgres, dsn, redis,
            [_control(folder, number, ports, for_control) for number, ports in enumerate(control_ports)],
            [
                _proxy(folder, number, ports, for_proxy | _asks_first(internal, number), supervised)
                for number, ports in enumerate(proxy_ports)
            ],
            _stub(folder), keys, http, run_token, [new_session() for _ in proxy_ports], toxics,
        )  # fmt: skip
        ending.push_async_callback(_hang_up, system)
        programs = [system.upstream, *system.controls, *system.proxies]
        ending.push_async_callback(_end_all, programs)
        for program in programs:
            program.start()
        await asyncio.gather(*(program.ready(http) for program in programs[1:]))
        if proxies:
            await _set_up(system, people)
            await system.proxies_ask_control()
        yield system


@asynccontextmanager
async def fresh_database(server: Server) -> AsyncIterator[str]:
    """An empty database with our schema, dropped at the end."""
    name = f"system_{secrets.token_hex(6)}"
    await _in_postgres(server, f"create database {name} template {TEMPLATE} strategy file_copy")
    yield server.dsn(name)
    await _in_postgres(server, f"drop database {name} with (force)")


def modern_request(method: str, params: Mapping[str, Any], token: str) -> tuple[bytes, dict[str, str]]:
    """A 2026-07-28 request: body and headers."""
    envelope = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": method,
    }
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    return orjson.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": envelope}}
    ), headers


def outcome_of(status: int, headers: Mapping[str, str], raw: bytes, took: float = 0.0) -> Outcome:
    """How the request ended that was answered so."""
    request_id = headers.get("X-Request-Id", "")
    message = orjson.loads(raw) if raw else {}
    error = message.get("error") or {}
    if status != 200:
        return Outcome(f"http {status}", took, request_id, error.get("message", ""), dict(headers))
    if error:
        return Outcome(f"error {error['code']}", took, request_id, error.get("message", ""), dict(headers))
    result = message["result"]
    refusal = result.get("_meta", {}).get("archway/refusal")
    if refusal is not None:
        return Outcome(refusal["code"], took, request_id, result["content"][0]["text"], dict(headers), result)
    return Outcome("ok", took, request_id, "", dict(headers), result)


def _control(folder: Path, number: int, ports: tuple[int, int], environment: dict[str, str]) -> Program:
    admin, internal = ports
    listeners = {"ADMIN": admin, "CONTROL_INTERNAL": internal, "CONTROL_PUBLIC": 0, "CONTROL_METRICS": free_port()}
    own = {f"ARCHWAY_{name}_LISTEN": f"127.0.0.1:{port}" for name, port in listeners.items()}
    return Program(f"control-{number}", ["-m", "control.main"], environment | own, admin, folder)


def _asks_first(controls: list[str], number: int) -> dict[str, str]:
    """Each proxy asks a control of its own first, as behind a balancer: a proxy stays with one that answers."""
    first = number % len(controls)
    return {"ARCHWAY_CONTROL_INTERNAL_URL": ",".join(controls[first:] + controls[:first])}


def _proxy(
    folder: Path, number: int, ports: tuple[int, int], environment: dict[str, str], supervised: int
) -> Program:
    public, internal = ports
    counts = folder / f"proxy-{number}.counts"
    own = {
        "ARCHWAY_PROXY_LISTEN": f"127.0.0.1:{public}",
        "ARCHWAY_PROXY_INTERNAL_LISTEN": f"127.0.0.1:{internal}",
        "ARCHWAY_METRICS_LISTEN": "127.0.0.1:0",
        "ARCHWAY_DISK_CACHE": str(folder / f"proxy-{number}-disk"),
    }
    if supervised:
        own["ARCHWAY_WORKERS"] = str(supervised)
        command = ["-m", "archway", "proxy", "--ports-file", str(folder / f"proxy-{number}.ports")]
    else:
        own["ARCHWAY_METRICS_FILE"] = str(counts)
        command = ["-m", "proxy.worker"]
    return Program(f"proxy-{number}", command, environment | own, public, folder, counts)


def _stub(folder: Path) -> Program:
    port = free_port()
    return Program("stub", ["-m", "bench.stub_upstream", str(port)], {}, port, folder)


async def _set_up(system: System, people: int) -> None:
    admin = system.admin
    system.entry = await admin.made(
        "/entries", {"slug": "stub", "name": "Stub", "url": system.upstream.url + "/mcp", "credential_model": "none"}
    )
    system.installation = await admin.made(
        "/installations", {"entry_id": system.entry["id"], "name": "Stub", "scope": "organisation"}
    )
    assert system.installation["state"] == "ready", system.installation
    system.gateway = await system.add_gateway("desk")
    at_once = asyncio.Semaphore(8)

    async def one(number: int) -> Person:
        async with at_once:
            return await system.add_person(f"person-{number}")

    system.people = list(await asyncio.gather(*(one(number) for number in range(people))))


def new_session() -> aiohttp.ClientSession:
    """A client without a limit of connections."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def _hang_up(system: System) -> None:
    for session in system.sessions:
        await session.close()


async def _end_all(programs: Iterable[Program]) -> None:
    await asyncio.gather(*(program.kill() for program in programs))


async def _in_postgres(server: Server, sql: str) -> None:
    connection = await asyncpg.connect(server.dsn(), timeout=60)
    try:
        await connection.execute(sql)
    finally:
        await connection.close(timeout=30)
