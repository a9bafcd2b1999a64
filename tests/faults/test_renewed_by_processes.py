"""One account, called through 4 workers of 2 proxies over 2 controls, all of them processes of their own (row F-11).

The provider rotates refresh tokens and ends the sign-in at the first reuse, so a second renewal of the same token
would be seen: nobody would be signed in afterwards. The soft age is ten minutes: what a worker learns sooner, it
heard of.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.fakes.rotating_provider import CLIENT, SECRET, Fault, RotatingProvider
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import Outcome, System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROXIES, WORKERS, CALLS = 2, 2, 50
WITHIN_S = 20.0
"""News travels in a moment; this is far less than the soft age."""


@dataclass
class Hosted:
    """A server that only lets in whom its provider knows, an account there, and a gateway with its tools."""

    system: System
    provider: RotatingProvider
    server: McpUpstream
    installation: dict[str, Any] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Tokens that the server does not take any more, whatever its provider says."""

    def lets_in(self, received: Received) -> bool:
        bearer = received.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.provider.takes(bearer) == "ann" and bearer not in self.refused

    async def look(self, received: Received) -> Answer:
        return Answer(text="seen") if self.lets_in(received) else Answer(status=401)

    async def held(self, received: Received) -> Answer:
        """Never answered, once it is let in."""
        return Answer(hold=asyncio.Event()) if self.lets_in(received) else Answer(status=401)

    async def set_up(self) -> None:
        admin, provider = self.system.admin, self.provider
        self.server.tool("look", self.look)
        self.server.tool("held", self.held)
        placement = {
            "registration": "own", "client_id": CLIENT, "issuer": provider.url, "token_endpoint": provider.endpoint,
            "authorization_endpoint": f"{provider.url}/auth",
        }  # fmt: skip
        wanted = {"slug": "mine", "name": "Mine", "url": self.server.url, "credential_model": "oauth"}
        await admin.made("/entries", {**wanted, "credential_placement": placement, "client_secret": SECRET})
        await self.connect()
        gateway = await admin.made("/gateways", {"slug": "mine", "name": "Mine"})
        await admin.send("POST", f"/gateways/{gateway['id']}/assignments", {
            "entry": "mine", "tools": ["*"], "prefix": False
        })  # fmt: skip
        await eventually(lambda: self.system.is_published(gateway["id"], 3), 60, "the gateway is published")

    async def connect(self) -> None:
        """Somebody signs in: the account of the organisation."""
        (entry,) = [one for one in await self.system.admin.items("/entries") if one["slug"] == "mine"]
        wanted = {"entry_id": entry["id"], "scope": "organisation"}
        self.installation = await self.system.admin.made("/installations", wanted)
        refresh_token = self.provider.signs_in("ann")
        given = {"access_token": f"first-{refresh_token}", "refresh_token": refresh_token, "expires_in": 3600}
        done = await self.system.admin.put(f"/installations/{self.installation['id']}/account", given)
        assert (done.status, done.json["state"]) == (200, "ready"), done.body

    async def fetch(self, statement: str) -> list[Any]:
        connection = await asyncpg.connect(self.system.dsn, timeout=60)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close(timeout=30)

    async def call(self, number: int, tool: str = "look") -> Outcome:
        return await self.system.ask("tools/call", {"name": tool, "arguments": {}}, **self.by(number))

    async def listed(self, number: int) -> Outcome:
        """The tools, for which nobody's account is needed."""
        return await self.system.ask("tools/list", **self.by(number))

    def by(self, number: int) -> dict[str, Any]:
        """One of many people, on a connection of its own, so that all workers get some."""
        person = self.system.people[number // PROXIES % len(self.system.people)]
        return {"token": person.token, "gateway": "mine", "proxy": number % PROXIES, "close": True}

    async def calls(self) -> list[str]:
        return [one.status for one in await asyncio.gather(*(self.call(number) for number in range(CALLS)))]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosted(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hosted]:
    async with AsyncExitStack() as ending:
        folder = tmp_path_factory.mktemp("system")
        running = running_system(
            folder,
            postgres,
            controls=2,
            proxies=PROXIES,
            supervised=WORKERS,
            people=10,
            soft_age=600.0,
            max_stale=3600.0,
        )
        system = await ending.enter_async_context(running)
        provider = await ending.enter_async_context(RotatingProvider(grace_s=0, late_s=0.5))
        server = await ending.enter_async_context(McpUpstream(era="modern"))
        made = Hosted(system, provider, server)
        await made.set_up()
        yield made


@pytest.mark.parametrize("calls", [pytest.param(CALLS, id="F-11: 50 calls over real processes, one expired token")])
async def test_fifty_calls_with_one_expired_token_are_one_refresh_over_all_processes(
    hosted: Hosted, calls: int
) -> None:
    await hosted.fetch("update accounts set expires_at = now() - interval '1 minute'")
    await asyncio.gather(*(hosted.listed(number) for number in range(CALLS)))  # who calls is known everywhere
    hosted.provider.faults.append(Fault.LATE)  # so that all of them wait for it
    assert await hosted.calls() == ["ok"] * calls
    assert (len(hosted.provider.forms), hosted.provider.granted, hosted.provider.reused) == (1, 1, 0)
    assert hosted.provider.is_signed_in("ann")

    async def all_took_part() -> bool:
        (row,) = await hosted.fetch("select count(distinct worker) as workers from record_batches")
        return int(row["workers"]) == PROXIES * WORKERS

    await eventually(all_took_part, 60, "each worker of both proxies has told of calls")


async def test_fifty_calls_whose_token_the_server_refuses_are_one_refresh_and_succeed(hosted: Hosted) -> None:
    """All workers hold the token; it is younger than would be renewed, but for what the clock says here."""
    assert await hosted.calls() == ["ok"] * CALLS
    before, seen = hosted.provider.granted, len(hosted.server.seen_of("tools/call"))
    hosted.refused.add(hosted.server.seen_of("tools/call")[-1].headers["Authorization"].removeprefix("Bearer "))
    await hosted.fetch("update accounts set refreshed_at = now() - interval '1 hour'")
    hosted.provider.faults.append(Fault.LATE)
    assert await hosted.calls() == ["ok"] * CALLS
    assert (hosted.provider.granted, hosted.provider.reused) == (before + 1, 0)
    sent = [one.headers["Authorization"] for one in hosted.server.seen_of("tools/call")[seen:]]
    assert len(set(sent)) == 2
    assert sent.count(sent[-1]) == CALLS, "each call succeeded once, and was sent again at most once"


async def test_an_account_that_goes_ends_the_calls_of_all_workers_and_none_begins_with_it(hosted: Hosted) -> None:
    """What the server holds is never answered: the calls end since their installation does."""
    async with asyncio.TaskGroup() as tasks:
        before = len(hosted.server.seen_of("tools/call", tool="held"))
        running = [tasks.create_task(hosted.call(number, "held")) for number in range(20)]
        await hosted.server.wait_for("tools/call", before + 20, tool="held", within=60)
        gone = await hosted.system.admins[1].delete(f"/installations/{hosted.installation['id']}")
        assert gone.status == 204, gone.body
        _, left = await asyncio.wait(running, timeout=WITHIN_S)
        assert not left
    assert {one.result().status for one in running} == {"installation_ended"}

    async def all_are_refused() -> bool:
        return set(await hosted.calls()) == {"credential_missing"}

    await eventually(all_are_refused, WITHIN_S, "no worker begins a call with it")
