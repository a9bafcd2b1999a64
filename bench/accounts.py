"""People of a deployment who each have an account of their own at one provider, made for the rows that call with it.

    with provided(running, "own") as at:   # the provider, its server, an entry and two gateways
        tokens = at.people(500, ends)      # callers, each with an installation and an account that they signed in to
        at.resolved, at.pinned             # whose account acts: the caller's own, or one that all share
        at.told()                          # what the provider has counted since

The first account is deposited through the admin API, as a person would. Hundreds more are written into the database,
by the code that control writes them with: the admin API would discover the server for each.
"""

import asyncio
import json
import secrets
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from bench.deployment import Deployment
from bench.orders import Target
from bench.people import People
from bench.processes import environment_of, server
from bench.provider import CLIENT, LIFE_S, SECRET, Given, Grants
from control.changes import accounts as account_changes
from control.changes import installations as installation_changes
from control.changes.installations import WantedInstallation
from control.changes.safeguards import Safeguards
from control.changes.write import Write
from control.credentials.places import account_place
from control.registry.access import Caller
from control.registry.account import AccountTokens, NewAccount
from control.registry.row_seals import RowSeals
from control.store import entries
from control.store.writes import installations as installation_rows
from core.egress.addresses import ANYWHERE
from core.keys import parse_key_ring


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider has counted since the last people came to it."""

    renewed: list[int]
    """How often, of each of their grants."""
    reused: int
    """Refresh tokens that came twice."""
    refused: int
    """Calls with a token that had ended."""
    calls: int


@dataclass(frozen=True, slots=True)
class Ends:
    """When the tokens of people end, and when Archway has seen them last; in seconds from now."""

    ends_in: float
    refresh_in: tuple[float, float]
    """Between which their accounts are due to be renewed."""
    used_ago: float = 0.0


class Provided:
    """An entry whose people have accounts, and the two gateways that show its tool."""

    def __init__(self, running: Deployment, slug: str, port: int) -> None:
        self._running, self._slug, self._url = running, slug, f"http://127.0.0.1:{port}"
        self._control = environment_of(running.behind["control"][0])
        self._entry_id, shared = self._made_entry()
        self.resolved, self.pinned = self._gateway(slug, None), self._gateway(f"{slug}-pinned", shared)

    def people(self, count: int, ends: Ends, away_s: float = 0.0) -> list[str]:
        """So many people with an account each; their `arch_` tokens. The provider answers after `away_s`."""
        given = [Given(secrets.token_hex(16), secrets.token_hex(16), ends.ends_in) for _ in range(count)]
        now = datetime.now(UTC)
        self._ask("/grants", msgspec.json.encode(Grants(given, away_s)))
        return asyncio.run(self._signed_in(given, ends, now))

    def told(self) -> Told:
        """What the provider has counted since the last people came."""
        return Told(**self._ask("/told"))

    async def _signed_in(self, given: list[Given], ends: Ends, now: datetime) -> list[str]:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(self._control["ARCHWAY_DATABASE_URL"])
        try:
            people = await People.made(connection, len(given))
            for number, (person, tokens) in enumerate(zip(people.ids, given, strict=True)):
                async with connection.transaction():
                    await self._one_signed_in(connection, person, tokens, ends, now, number / len(given))
            return await people.static_tokens()
        finally:
            await connection.close()

    async def _one_signed_in(
        self,
        connection: "asyncpg.Connection[Any]",
        person: str,
        given: Given,
        ends: Ends,
        now: datetime,
        luck: float,
    ) -> None:
        seals = RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", self._control["ARCHWAY_SECRET_KEY"]))
        write = Write(connection, Caller(user_id=person, name="", role="member"))
        wanted = WantedInstallation(entry_id=self._entry_id, scope="personal", name="Own")
        installation = await installation_changes.create(write, Safeguards(seals, ANYWHERE), wanted)
        entry = await entries.one(connection, self._entry_id)
        assert entry is not None
        first, last = ends.refresh_in
        account = NewAccount(
            place=account_place(entry, installation),
            issuer=self._url,
            token_endpoint=f"{self._url}/token",
            resource=f"{self._url}/mcp/1",
            client_id=CLIENT,
            client_authentication="client_secret_basic",
            tokens=b"",
            expires_at=now + timedelta(seconds=ends.ends_in),
            refresh_at=now + timedelta(seconds=first + (last - first) * luck),
            account_name=person,
            subject=person,
        )
        await account_changes.keep(write, seals, installation, account, AccountTokens(given.access, given.refresh))
        await installation_rows.set_state(write, installation.id, "ready", "")
        before = now - timedelta(seconds=max(ends.used_ago, LIFE_S))
        await connection.execute(
            "update accounts set used_at = $2, refreshed_at = $3, created_at = $3 where installation_id = $1",
            installation.id, now - timedelta(seconds=ends.used_ago), before,
        )  # fmt: skip

    def _made_entry(self) -> tuple[str, str]:
        """Identifiers of the entry, and of the installation that all share."""
        api, given = self._running.api, Given(secrets.token_hex(16), secrets.token_hex(16), LIFE_S)
        self._ask("/grants", msgspec.json.encode(Grants([given])))
        settings = {
            "registration": "own", "client_id": CLIENT, "issuer": self._url, "token_endpoint": f"{self._url}/token",
        }  # fmt: skip
        entry = api.post(
            "/entries",
            {
                "slug": self._slug,
                "name": self._slug,
                "url": f"{self._url}/mcp/1",
                "credential_model": "oauth",
                "credential_placement": settings,
                "client_secret": SECRET,
            },
        )
        shared = api.post("/installations", {"entry_id": entry["id"], "scope": "organisation"})
        tokens = {"access_token": given.access, "refresh_token": given.refresh, "expires_in": LIFE_S}
        shared = api.put(f"/installations/{shared['id']}/account", tokens)
        if shared["state"] != "ready":
            raise RuntimeError(f"the server behind the provider was not discovered: {shared['state_reason']}")
        return str(entry["id"]), str(shared["id"])

    def _gateway(self, slug: str, installation: str | None) -> Target:
        api = self._running.api
        gateway = api.post("/gateways", {"slug": slug, "name": slug, "header_allowlist": ["x-tenant"]})
        assigned = {"entry": self._entry_id, "installation": installation, "tools": ["*"]}
        api.post(f"/gateways/{gateway['id']}/assignments", assigned)
        return Target(f"/v1/mcp/{slug}", f"{self._slug}__echo")

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        """What the provider itself is asked by who measures; it is none of the product's."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        asked = urllib.request.Request(self._url + path, body, method="GET" if body is None else "POST")
        with opener.open(asked, timeout=30) as answer:
            told: dict[str, Any] = json.loads(answer.read())
        return told


@contextmanager
def provided(running: Deployment, slug: str) -> Iterator[Provided]:
    """The provider and its server as a process of their own, and what the deployment knows of them by this slug."""
    with server("bench.provider", "0") as (_, port):
        yield Provided(running, slug, port)
