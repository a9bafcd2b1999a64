"""The listener for people, served on loopback over a real PostgreSQL, for journeys in a browser and without one.

async with console_served(pool, redis_url) as console:
    person = await console.person("Ann", "admin")
    await console.sign_in(context, person)                  # a browser's context
    await console.called(gateway_id, person, tool="x")      # the record of a call, as a proxy's would arrive
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from archway.up.ports import free_port
from control.accounts.our_client import our_client
from control.accounts.renewals import Renewals
from control.accounts.sign_ins import SignIns
from control.accounts.upstream_providers import UpstreamProviders
from control.changes import users
from control.changes.safeguards import Safeguards
from control.changes.write import changing
from control.credentials.usable import Usable
from control.discovery.discover import Discoverer
from control.discovery.probe_client import ProbeClient
from control.discovery.under_way import DiscoveriesUnderWay
from control.explain.dry_usable import Opening
from control.explain.explaining import Explaining
from control.http.cookies import SESSION
from control.http.listener import listen
from control.identity.key_sets import KeySets
from control.identity.single_sign_on import SingleSignOn
from control.providers.asking import Asker
from control.proxies import Proxies
from control.public.deps import PublicDeps
from control.public_listener import public_app
from control.redis import Redis
from control.registry.access import Caller, Role
from control.registry.refresh_token import RefreshTokens
from control.registry.row_seals import RowSeals
from control.registry.user import NewUser, User
from control.servers.runtime import Runtime
from control.sign_in import session as sessions
from control.store import records
from control.store.pool import Pool, transaction
from control.store.records import BatchRow
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.identifiers import new_id
from core.internal_call import InternalCalls
from core.jwt import AccessTokenSigner
from core.keys import new_key, parse_key_ring
from core.signing import Signer
from tests.fakes.explaining_proxy import explaining_proxy
from tests.fakes.probing_proxy import ProbingProxy

MAKER = Caller(user_id="", name="maker", role="admin")


@dataclass(slots=True)
class Console:
    """A console that is served."""

    url: str
    deps: PublicDeps
    proxy: ProbingProxy
    """Answers for the servers of installations: `console.proxy.offers("search")`."""
    batches: int = 0
    sent: list[str] = field(default_factory=list)

    @property
    def pool(self) -> Pool:
        return self.deps.pool

    async def person(self, name: str, role: Role = "member") -> User:
        email = f"{new_id()[-12:]}@example.com"
        async with changing(self.pool, MAKER) as write:
            return await users.create(write, NewUser(name=name, email=email, role=role))

    async def cookie(self, person: User) -> dict[str, str]:
        """Name and value of the cookie of a session that begins now."""
        async with transaction(self.pool) as connection:
            secret, _ = await sessions.begin(
                connection, person.id, method="password", address="127.0.0.1", agent="Firefox/140.0 (Windows)"
            )
        return {self.deps.cookies.name(SESSION): secret}

    async def sign_in(self, context: Any, person: User) -> None:
        """Have a browser's context hold a session of this person."""
        cookies = (await self.cookie(person)).items()
        await context.add_cookies([{"name": name, "value": value, "url": self.url} for name, value in cookies])

    async def called(self, gateway_id: str, person: User, tool: str, status: str = "ok", reason: str = "") -> None:
        """The record of a call by this person, as it arrives from a proxy."""
        self.batches += 1
        now, record_id = datetime.now(UTC), new_id()
        principal = f"user:{person.id}"
        decision = "allowed" if status == "ok" else "refused"
        told = {
            "status": status, "tool": tool, "client": "claude-code 2.1", "reason": reason, "principal": principal,
            "gateway_id": gateway_id, "decision": decision, "method": "tools/call", "duration_ms": 12.0,
        }  # fmt: skip
        row = BatchRow("a-worker", self.batches, 1, 0, now, now)
        values = (
            record_id, now, principal, "", gateway_id, tool, "", "", decision, status, record_id, 12.0, told,
        )  # fmt: skip
        async with transaction(self.pool) as connection:
            await records.make_partitions(connection, [now.date()])
            await records.insert_batch(connection, row, [values])


@asynccontextmanager
async def console_served(pool: Pool, redis_url: str, runtime: Runtime | None = None) -> AsyncIterator[Console]:
    """Served until the end of the block; `runtime`: where servers run that are ours."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    addresses = AddressPolicy(parse_networks("127.0.0.0/8"))  # where the identity providers of tests are
    egress, redis = Egress(addresses), Redis(redis_url, deadline_s=0.5)
    seals = RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key()))
    signer = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()))
    asker = Asker(egress, addresses)
    key_sets = KeySets(pool, asker, signer)
    safeguards = Safeguards(seals, addresses)
    ring = parse_key_ring("ARCHWAY_PROXY_KEY", new_key())
    async with ProbingProxy(ring) as proxy, explaining_proxy(pool, signer) as explaining:
        probes = ProbeClient(Proxies(egress, [proxy.url], InternalCalls(ring, caller="control", answerer="proxy")))
        renewals = Renewals(pool, asker, seals)
        discoveries = DiscoveriesUnderWay(Discoverer(pool, probes, safeguards, Usable(seals, renewals)), redis)
        deps = PublicDeps(
            pool=pool,
            redis=redis,
            seals=seals,
            safeguards=safeguards,
            explaining=Explaining(pool, explaining, Opening(seals, None), url),
            signer=signer,
            egress=egress,
            single_sign_on=SingleSignOn(pool, asker, key_sets, seals, url),
            key_sets=key_sets,
            discoveries=discoveries,
            account_sign_ins=SignIns(pool, seals, UpstreamProviders(pool, asker, seals, our_client(url))),
            public_url="https://mcp.example.com",
            issuer_url=url,
            access_tokens=AccessTokenSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()), url),
            refresh_tokens=RefreshTokens(parse_key_ring("ARCHWAY_SECRET_KEY", new_key())),
            allowed_hosts=frozenset({"127.0.0.1", "localhost"}),
            runtime=runtime,
        )
        runner, _ = await listen(public_app(deps), "127.0.0.1", port)
        try:
            yield Console(url, deps, proxy)
        finally:
            await runner.cleanup()
            await discoveries.close()
            await renewals.close()
            await key_sets.close()
            await redis.close()
            await egress.close()


class Reader:
    """Somebody at the pages without a script: sends forms as a browser does."""

    def __init__(self, session: aiohttp.ClientSession, console: Console, csrf: str) -> None:
        self.http, self._console, self.csrf = session, console, csrf

    @property
    def url(self) -> str:
        """Where the console is."""
        return self._console.url

    async def get(self, path: str) -> tuple[int, str]:
        """The status and the page, after any redirection."""
        async with self.http.get(self._console.url + path, headers={"Accept": "text/html"}) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, *, token: str | None = None, site: str = "same-origin", **fields: str) -> Any:
        """What came back, redirections not followed: status, text and where it leads."""
        form = {"csrf": self.csrf if token is None else token} | fields
        headers = {"Accept": "text/html", "Sec-Fetch-Site": site}
        async with self.http.post(
            self._console.url + path, data=form, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text(), answer.headers.get("Location", "")


@asynccontextmanager
async def reading(console: Console, person: User | None) -> AsyncIterator[Reader]:
    """A reader who is signed in as this person, or (None) a stranger."""
    csrf = ""
    cookies = {} if person is None else await console.cookie(person)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, cookies=cookies) as session:
        if person is not None:
            async with transaction(console.pool, readonly=True) as connection:
                csrf = await connection.fetchval(
                    "select csrf from browser_sessions where user_id = $1 order by id desc limit 1", person.id
                )
        yield Reader(session, console, csrf)
