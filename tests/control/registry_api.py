"""The admin API of the registry as a person uses it, over `tests/fixtures_admin.py`.

    async def test_something(api):               # from registry_api
        entry = await api.entry(slug="time")
        anna = await api.user("anna", team)      # a member; `as_=anna` on any call
        await api.patch(f"/entries/{entry['id']}", {"name": "x"}, expect=200)

`patch` and `delete` read the ETag first and send it. Each call checks the status that the test expects and gives the
body. The server behind `api.proxy` offers the tools `now` and `convert`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from control.store.pool import Pool, Row, transaction
from core.keys import KeyRing
from tests.fakes.probing_proxy import ProbingProxy
from tests.fixtures_admin import AdminClient

JSON = dict[str, Any]


@dataclass(slots=True)
class Api:
    """Calls of the API, as its admin unless `as_` says who."""

    admin: AdminClient
    pool: Pool
    proxy: ProbingProxy
    ring: KeyRing

    async def call(
        self,
        method: str,
        path: str,
        body: JSON | None = None,
        *,
        expect: int,
        as_: AdminClient | None = None,
        tag: str | None = None,
    ) -> Any:
        answer = await (as_ or self.admin).send(method, path, body, match=tag)
        assert answer.status == expect, f"{method} {path}: {answer.status} {answer.body!r}"
        return answer.json if answer.body else None

    async def get(self, path: str, *, expect: int = 200, as_: AdminClient | None = None) -> Any:
        return await self.call("GET", path, expect=expect, as_=as_)

    async def post(
        self, path: str, body: JSON | None = None, *, expect: int = 201, as_: AdminClient | None = None
    ) -> Any:
        return await self.call("POST", path, body, expect=expect, as_=as_)

    async def patch(self, path: str, body: JSON, *, expect: int = 200, as_: AdminClient | None = None) -> Any:
        return await self.call("PATCH", path, body, expect=expect, as_=as_, tag=await self._tag(path))

    async def delete(self, path: str, *, expect: int = 204, as_: AdminClient | None = None) -> Any:
        return await self.call("DELETE", path, expect=expect, as_=as_, tag=await self._tag(path))

    async def _tag(self, path: str) -> str:
        return await self.admin.etag(path.partition("?")[0])

    async def user(self, name: str, *teams: JSON, role: str = "member") -> AdminClient:
        """A person with an API token, in these teams with this role."""
        person = await self.admin.as_new_user(name)
        for team in teams:
            path = f"/teams/{team['id']}/members/{person.user['id']}"
            await self.call("PUT", path, {"role": role}, expect=200, tag="*")
        return person

    async def team(self, name: str) -> JSON:
        found: JSON = await self.post("/teams", {"name": name})
        return found

    async def entry(self, **changes: Any) -> JSON:
        body = {"slug": "time", "name": "Time", "url": "https://time.example/mcp"}
        found: JSON = await self.post("/entries", {**body, **changes})
        return found

    async def install(
        self, entry: JSON, *, as_: AdminClient | None = None, expect: int = 201, **changes: Any
    ) -> JSON:
        body = {"entry_id": entry["id"], "scope": "organisation"}
        found: JSON = await self.post("/installations", {**body, **changes}, as_=as_, expect=expect)
        return found

    async def gateway(self, *, as_: AdminClient | None = None, **changes: Any) -> JSON:
        found: JSON = await self.post("/gateways", {"slug": "desk", "name": "Desk", **changes}, as_=as_)
        return found

    async def assign(
        self, gateway: JSON, of: JSON, *, as_: AdminClient | None = None, expect: int = 201, **changes: Any
    ) -> JSON:
        body = {"entry": of["slug"], "tools": ["*"], **changes}
        found: JSON = await self.post(f"/gateways/{gateway['id']}/assignments", body, as_=as_, expect=expect)
        return found

    async def events(self) -> list[tuple[str, str]]:
        """What stands in the outbox: kind and name; emptied."""
        async with transaction(self.pool) as connection:
            rows = await connection.fetch("delete from outbox returning id, kind, name")
        return [(row["kind"], row["name"]) for row in sorted(rows, key=lambda row: row["id"])]

    async def row(self, sql: str, *arguments: object) -> Row:
        async with transaction(self.pool, readonly=True) as connection:
            return await connection.fetchrow(sql, *arguments)

    async def everything_as_text(self) -> str:
        """All that the database holds, to search for what must not be there."""
        parts = []
        async with transaction(self.pool, readonly=True) as connection:
            for table in await connection.fetch("select tablename from pg_tables where schemaname = 'public'"):
                rows = await connection.fetch(f"select t::text as line from {table['tablename']} t")
                parts += [row["line"] for row in rows]
        return "\n".join(parts)


@pytest.fixture
async def api(admin: AdminClient, pool: Pool, probing_proxy: ProbingProxy, secret_ring: KeyRing) -> Api:
    probing_proxy.offers("now", "convert")
    return Api(admin, pool, probing_proxy, secret_ring)
