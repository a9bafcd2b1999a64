"""The admin API for tests: served on a loopback port over a real PostgreSQL, and a client that speaks to it.

    async def test_something(admin, probing_proxy):
        team = await admin.made("/teams", {"name": "Red"})              # POST, 201 expected; the JSON
        answer = await admin.patch(f"/teams/{team['id']}", {...})       # If-Match is read first unless given
        assert answer.status == 200; answer.json["name"]; answer.problem("name")
        ann = await admin.as_new_user("Ann")                            # a client with a member's own API token

Imported by the conftest.py of the folders that need it, beside `tests/fixtures_postgres.py`.
"""

from __future__ import annotations

import json as json_format
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import aiohttp
import pytest

from control.accounts.our_client import our_client
from control.accounts.renewals import Renewals
from control.accounts.upstream_providers import UpstreamProviders
from control.admin.app import build_app, listen
from control.admin.deps import Deps
from control.changes.first_admin import ensure_first_admin
from control.changes.safeguards import Safeguards
from control.credentials.usable import Usable
from control.discovery.discover import Discoverer
from control.discovery.probe_client import ProbeClient
from control.explain.dry_usable import Opening
from control.explain.explaining import Explaining
from control.explain.would_exchange import WouldExchange
from control.identity.key_sets import KeySets
from control.providers.asking import Asker
from control.proxies import Proxies
from control.registry.row_seals import RowSeals
from control.store.pool import Pool
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.keys import KeyRing, new_key, parse_key_ring
from core.signing import Signer
from tests.fakes.explaining_proxy import explaining_proxy
from tests.fakes.probing_proxy import ProbingProxy

RUN_TOKEN = "the-token-of-this-run"
LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))


@dataclass(slots=True)
class Answer:
    """What came back, read to its end."""

    status: int
    headers: Any
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json_format.loads(self.body)

    def problem(self, name: str) -> str:
        """The message about one field; fails when the problem does not name it."""
        found = {error["field"]: error["message"] for error in self.json["errors"]}
        assert name in found, f"{self.status} {self.json['detail']} names {sorted(found)}"
        return str(found[name])


class AdminClient:
    """Speaks to the admin API as one bearer."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, user: dict[str, Any]) -> None:
        self._session, self.url, self.token, self.user = session, url, token, user

    async def send(
        self, method: str, path: str, body: Any = None, *, match: str | None = None, **headers: str
    ) -> Answer:
        """One request; header names with underscores for dashes."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if match is not None:
            sent["If-Match"] = match
        address = self.url + ("" if path.startswith(("/health", "/ready")) else "/api/v1") + path
        async with self._session.request(method, address, json=body, headers=sent) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.send("GET", path, **headers)

    async def post(self, path: str, body: Any = None) -> Answer:
        return await self.send("POST", path, body)

    async def put(self, path: str, body: Any, match: str = "*") -> Answer:
        return await self.send("PUT", path, body, match=match)

    async def patch(self, path: str, body: Any, match: str | None = None) -> Answer:
        return await self.send("PATCH", path, body, match=match or await self.etag(path))

    async def delete(self, path: str, match: str = "*") -> Answer:
        return await self.send("DELETE", path, match=match)

    async def etag(self, path: str) -> str:
        return str((await self.get(path)).headers["ETag"])

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        """POST, and it must work."""
        answer = await self.post(path, body)
        assert answer.status == 201, answer.body
        return dict(answer.json)

    async def items(self, path: str) -> list[dict[str, Any]]:
        """One page of a list."""
        answer = await self.get(path)
        assert answer.status == 200, answer.body
        return list(answer.json["items"])

    async def as_new_user(self, name: str, role: str = "member") -> AdminClient:
        """A client for a new user with an API token of their own."""
        email = f"{name.lower().replace(' ', '.')}@example.com"
        user = await self.made("/users", {"name": name, "email": email, "role": role})
        wanted = {"name": f"{name}'s", "use": "api", "kind": "user", "user_id": user["id"]}
        token = await self.made("/tokens", wanted)
        return AdminClient(self._session, self.url, token["secret"], user)

    def bearing(self, token: str) -> AdminClient:
        """The same with another token, or with none ('')."""
        return AdminClient(self._session, self.url, token, {})


@pytest.fixture
def secret_ring() -> KeyRing:
    return parse_key_ring("ARCHWAY_SECRET_KEY", new_key())


@pytest.fixture
def proxy_ring() -> KeyRing:
    return parse_key_ring("ARCHWAY_PROXY_KEY", new_key())


@pytest.fixture
async def probing_proxy(proxy_ring: KeyRing) -> AsyncIterator[ProbingProxy]:
    async with ProbingProxy(proxy_ring) as proxy:
        yield proxy


@pytest.fixture
async def deps(
    pool: Pool, secret_ring: KeyRing, proxy_ring: KeyRing, probing_proxy: ProbingProxy
) -> AsyncIterator[Deps]:
    """What the operations stand on, with a first admin in the database."""
    await ensure_first_admin(pool)
    egress = Egress(LOOPBACK)
    calls = InternalCalls(proxy_ring, caller="control", answerer="proxy")
    safeguards = Safeguards(RowSeals(secret_ring), LOOPBACK, ("https://mcp.example.com", "https://tools.example.com"))
    signer = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()))
    key_sets = KeySets(pool, Asker(egress, LOOPBACK), signer)
    renewals = Renewals(pool, Asker(egress, LOOPBACK), safeguards.seals)
    usable = Usable(safeguards.seals, renewals, place="process")
    async with explaining_proxy(pool, signer) as proxies:
        yield Deps(
            pool=pool,
            safeguards=safeguards,
            discoverer=Discoverer(pool, ProbeClient(Proxies(egress, [probing_proxy.url], calls)), safeguards, usable),
            explaining=Explaining(
                pool,
                proxies,
                Opening(safeguards.seals, "process", exchange=WouldExchange(pool, "https://tools.example.com")),
                "https://tools.example.com",
            ),
            key_sets=key_sets,
            upstream=UpstreamProviders(
                pool, Asker(egress, LOOPBACK), safeguards.seals, our_client("https://tools.example.com")
            ),
            redirect_uri=lambda slug: f"https://tools.example.com/sign-in/oidc/{slug}/callback",
            public_url="https://tools.example.com",
            run_token_sha256=sha256(RUN_TOKEN.encode()).hexdigest(),
        )
    await renewals.close()
    await key_sets.close()
    await egress.close()


@pytest.fixture
async def admin(deps: Deps) -> AsyncIterator[AdminClient]:
    """The admin API, and a client that bears the run's own token."""
    runner, port = await listen(build_app(deps), "127.0.0.1", 0)
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        client = AdminClient(session, f"http://127.0.0.1:{port}", RUN_TOKEN, {})
        client.user = (await client.get("/me")).json["user"]
        yield client
    await runner.cleanup()
