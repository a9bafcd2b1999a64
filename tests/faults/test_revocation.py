"""Who loses their access loses all that they have open, in every proxy at once: calls, streams and refreshes.

DESIGN 3: "Revocation names a token, grant, session, user, client ...; it travels on the change stream, ends open
streams, running ... calls too, and the answer says how many workers have applied it." And its table: "control | ...
one already published, 1 s", "Redis | ... revocation 60 s" (one soft age). Where news can travel the soft age here is
ten minutes, so that nothing else ends anything; where they cannot, the hard age is an hour.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from core.tasks import Tasks
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_people import PASSWORD, Browser, People
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import Outcome, System, running_system
from tests.oauth.flow import Flow

pytestmark = pytest.mark.asyncio(loop_scope="module")

RESOURCE = "http://127.0.0.1:8080/v1/mcp/held"
A_BUSY_MACHINE_S = 10.0
"""Added to the second that is promised; the soft age is sixty times that."""
WITHIN_S = 1.0 + A_BUSY_MACHINE_S
SOFT_AGE_S = 1.0
KEEPALIVE_S = 15.0
"""While no news can come, a stream's caller is asked about with each comment."""
NO_NEWS_WITHIN_S = SOFT_AGE_S + KEEPALIVE_S + A_BUSY_MACHINE_S
PROXIES = 2


@dataclass
class Deployment:
    """A system with a server whose tool `held` never answers."""

    system: System
    upstream: McpUpstream
    people: People
    tasks: Tasks = field(default_factory=lambda: Tasks("test"))

    async def revoke(self, kind: str, name: str) -> Any:
        answer = await self.system.admin.post(f"/revocations/{kind}/{name}?wait=20")
        assert answer.status == 200, answer.body
        return answer.json


@asynccontextmanager
async def deployment(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory, **settings: Any
) -> AsyncIterator[Deployment]:
    """Two proxies, one control whose pages are reached directly, and the gateway `held`."""
    async with AsyncExitStack() as ending:
        folder = tmp_path_factory.mktemp("system")
        system = await ending.enter_async_context(
            running_system(folder, postgres, proxies=PROXIES, people=1, max_stale=3600.0, **settings)
        )
        upstream = await ending.enter_async_context(McpUpstream(era="both"))
        upstream.tool("held", Answer(hold=asyncio.Event()))
        entry = {"slug": "held", "name": "Held", "url": upstream.url, "credential_model": "none"}
        made = await system.admin.made("/entries", entry)
        wanted = {"entry_id": made["id"], "name": "Held", "scope": "organisation"}
        installed = await system.admin.made("/installations", wanted)
        gateway = await system.admin.made("/gateways", {"slug": "held", "name": "Held"})
        wanted = {"entry": "held", "tools": ["*"], "prefix": False, "installation": installed["id"]}
        assert (await system.admin.post(f"/gateways/{gateway['id']}/assignments", wanted)).status == 201
        await eventually(lambda: system.is_published(gateway["id"], 3), 60, "the gateway is published")
        (port,) = set(re.findall(r'"public_port": ?(\d+)', system.controls[0].log))
        people = People(cast("Any", None), f"http://127.0.0.1:{port}", ending)
        yield Deployment(system, upstream, people)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def with_news(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployment(postgres, tmp_path_factory, soft_age=600.0) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def without_news(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployment(postgres, tmp_path_factory, soft_age=SOFT_AGE_S) as running:
        yield running


class Client:
    """A program that signed a person in, with a call and a stream open at each proxy, and that goes on refreshing."""

    def __init__(self, running: Deployment, access: str, flow: Flow, ids: dict[str, str]) -> None:
        self._running, self._access, self._flow = running, access, flow
        self.ids = ids
        self.calls: list[asyncio.Task[Outcome]] = []
        self.streams: list[asyncio.Task[bytes]] = []
        self.sessions: list[str] = []
        self.refreshed: list[int] = []
        self._registered: dict[str, Any] = {}
        self._refresh_token = ""

    async def opens(self, stack: AsyncExitStack) -> None:
        """A call that runs and a stream that is open, at each proxy."""
        system, upstream = self._running.system, self._running.upstream
        before = len(upstream.seen_of("tools/call", tool="held"))
        for number in range(PROXIES):
            asked = system.ask(
                "tools/call", {"name": "held", "arguments": {}}, token=self._access, gateway="held", proxy=number
            )
            self.calls.append(self._running.tasks.spawn("call", asked))
            stream = await stack.enter_async_context(self._stream(number))
            self.streams.append(self._running.tasks.spawn("stream", stream.content.read()))
        await upstream.wait_for("tools/call", before + PROXIES, tool="held")
        assert not any(one.done() for one in (*self.calls, *self.streams))

    @asynccontextmanager
    async def _stream(self, number: int) -> AsyncIterator[aiohttp.ClientResponse]:
        url = f"{self._running.system.proxies[number].url}/v1/mcp/held"
        headers = {"Authorization": f"Bearer {self._access}", "MCP-Protocol-Version": "2025-11-25"}
        info = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        began = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": info}
        http, accept = self._running.system.http, {"Accept": "application/json, text/event-stream"}
        async with http.post(url, json=began, headers=headers | accept) as answer:
            assert answer.status == 200, await answer.read()
            self.sessions.append(answer.headers["Mcp-Session-Id"])
        headers |= {"Accept": "text/event-stream", "Mcp-Session-Id": self.sessions[-1]}
        async with http.get(url, headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as stream:
            assert stream.status == 200
            yield stream

    def may_refresh(self, registered: dict[str, Any], refresh_token: str) -> None:
        self._registered, self._refresh_token = registered, refresh_token

    async def goes_on_refreshing(self) -> None:
        """One refresh after the other, until one is refused."""
        while True:
            answer = await self._flow.refresh(self._registered, self._refresh_token)
            self.refreshed.append(answer.status)
            if answer.status != 200:
                assert answer.error in {"invalid_grant", "invalid_client"}, answer.body
                return
            self._access, self._refresh_token = answer.json["access_token"], answer.json["refresh_token"]

    async def ends(self, within: float) -> None:
        """Each call was told why, and each stream came to its end."""
        _, open_still = await asyncio.wait((*self.calls, *self.streams), timeout=within)
        assert not open_still
        assert [call.result().status for call in self.calls] == ["access_ended"] * PROXIES

    async def outcomes(self) -> set[str]:
        """How another call ends, over all proxies, with the newest token that it was given."""
        found = [
            await self._running.system.ask("tools/list", token=self._access, gateway="held", proxy=number)
            for number in range(PROXIES)
        ]
        return {one.status for one in found}


async def signed_in(running: Deployment, stack: AsyncExitStack, name: str) -> Client:
    """A person with a password, whom a program has signed in in their browser."""
    user = await running.system.admin.made("/users", {"name": name, "email": f"{name}@example.com"})
    link = await running.system.admin.made(f"/users/{user['id']}/links", {"purpose": "invitation"})
    browser: Browser = await running.people.browser()
    page = await browser.fill_in(urlsplit(link["url"]).path, password=PASSWORD, repeated=PASSWORD)
    assert page.status == 303, page.words
    program = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
    flow = Flow(cast("People", SimpleNamespace(url=running.people.url)), program, browser)
    registered = await flow.register()
    tokens = await flow.signed_in(registered, resource=RESOURCE, scope="mcp offline_access")
    (grant,) = await running.system.admin.items(f"/grants?user_id={user['id']}")
    (client,) = [
        one
        for one in await running.system.admin.items("/oauth-clients?kind=dynamic&limit=200")
        if one["client_id"] == registered["client_id"]
    ]
    ids = {"users": user["id"], "grants": grant["id"], "clients": client["id"]}
    made = Client(running, tokens["access_token"], flow, ids)
    made.may_refresh(registered, tokens["refresh_token"])
    return made


async def test_a_user_who_is_disabled_during_a_call_a_stream_and_a_refresh_is_out_everywhere_within_a_second(
    with_news: Deployment,
) -> None:
    """ "a running call, an open stream and a refresh, on two proxies: all end within a second"."""
    async with AsyncExitStack() as stack:
        client, other = [await signed_in(with_news, stack, name) for name in ("ann", "bea")]
        await client.opens(stack)
        await other.opens(stack)
        refreshing = with_news.tasks.spawn("refresh", client.goes_on_refreshing())

        async def has_refreshed() -> bool:
            return len(client.refreshed) >= 2

        await eventually(has_refreshed, 60, "tokens are refreshed")
        told = await with_news.revoke("users", client.ids["users"])
        so_far = len(client.refreshed)

        # Whoever says that it has applied it has told those whose calls and streams these were.
        assert (told["announced"], told["applied"], told["silent"]) == (True, PROXIES, []), told
        await client.ends(WITHIN_S)
        await asyncio.wait_for(refreshing, WITHIN_S)
        # The one that was on its way was answered before or after; none that began later was.
        assert client.refreshed[so_far + 1 :] in ([], [400])
        assert client.refreshed[-1] == 400
        assert await client.outcomes() == {"http 401"}

        assert not any(one.done() for one in (*other.calls, *other.streams))
        assert await other.outcomes() == {"ok"}


@pytest.mark.parametrize(("kind", "refused"), [("grants", 400), ("clients", 401)])
async def test_what_a_client_was_allowed_ends_with_all_that_is_open_by_it(
    with_news: Deployment, kind: str, refused: int
) -> None:
    async with AsyncExitStack() as stack:
        client = await signed_in(with_news, stack, f"person-of-{kind}")
        await client.opens(stack)
        told = await with_news.revoke(kind, client.ids[kind])
        assert (told["applied"], told["silent"]) == (PROXIES, []), told
        await client.ends(WITHIN_S)
        await asyncio.wait_for(client.goes_on_refreshing(), WITHIN_S)
        assert client.refreshed == [refused]
        assert await client.outcomes() == {"http 401"}
        if kind == "clients":  # other tests' programs register the same, and are this very client
            path = f"/oauth-clients/{client.ids['clients']}/enable"
            assert (await with_news.system.admin.post(path)).status == 200


async def test_a_token_ends_with_all_that_is_open_by_it(with_news: Deployment) -> None:
    async with AsyncExitStack() as stack:
        person = await with_news.system.add_person("bearer")
        client = Client(with_news, person.token, cast("Flow", None), {})
        await client.opens(stack)
        told = await with_news.revoke("tokens", person.token_id)
        assert (told["applied"], told["silent"]) == (PROXIES, []), told
        await client.ends(WITHIN_S)
        assert await client.outcomes() == {"http 401"}


async def test_a_clients_session_ends_by_the_name_that_records_have_for_it(with_news: Deployment) -> None:
    """In the proxy that has its stream, and in the one that has never met it."""
    system = with_news.system
    async with AsyncExitStack() as stack:
        person = await system.add_person("legacy")
        client = Client(with_news, person.token, cast("Flow", None), {})
        await client.opens(stack)
        session = client.sessions[0]
        headers = {
            "Authorization": f"Bearer {person.token}",
            "Mcp-Session-Id": session,
            "MCP-Protocol-Version": "2025-11-25",
            "Accept": "application/json, text/event-stream",
        }
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {}}}

        async def called(number: int) -> int:
            url = f"{system.proxies[number].url}/v1/mcp/held"
            async with system.http.post(url, json=call, headers=headers) as answer:
                await answer.read()
                return answer.status

        assert await called(0) == 200
        found: list[str] = []

        async def is_recorded() -> bool:
            found[:] = [one["session"] for one in await system.records() if one["session"]]
            return bool(found)

        await eventually(is_recorded, 60, "the call is recorded with its session")
        told = await with_news.revoke("client-sessions", found[-1])
        assert (told["applied"], told["silent"]) == (PROXIES, []), told
        await asyncio.wait_for(client.streams[0], WITHIN_S)
        assert [await called(number) for number in range(PROXIES)] == [404, 404]
        assert not client.streams[1].done()  # of another session
        assert await client.outcomes() == {"ok"}


async def test_a_worker_that_stands_still_is_named(with_news: Deployment) -> None:
    """ "the answer says how many workers have applied it": and who has not, since it may hold on to somebody."""
    system = with_news.system
    person = await system.add_person("stands-still")
    frozen = system.proxies[1]
    frozen.freeze()
    try:
        answer = await system.admin.post(f"/revocations/tokens/{person.token_id}?wait=1")
    finally:
        frozen.thaw()
    told = answer.json
    assert (told["announced"], told["applied"]) == (True, PROXIES - 1), told
    assert [one["process"] for one in told["silent"]] == [frozen.pid]
    assert f"process {frozen.pid} on " in told["summary"]


async def test_without_redis_all_of_a_disabled_user_ends_by_the_soft_age(without_news: Deployment) -> None:
    """ "Redis | the same ... | revocation 60 s": control is asked again about all who have something open."""
    system = without_news.system
    async with AsyncExitStack() as stack:
        client = await signed_in(without_news, stack, "ann")
        await client.opens(stack)
        system.redis.kill()
        try:
            answer = await system.admin.post(f"/revocations/users/{client.ids['users']}?wait=1")
            told = answer.json
            assert (answer.status, told["announced"], told["applied"]) == (200, False, 0), told
            assert "Redis is away" in told["summary"]
            await client.goes_on_refreshing()
            assert client.refreshed == [400]
            await client.ends(NO_NEWS_WITHIN_S)
            assert await client.outcomes() == {"http 401"}
        finally:
            system.redis.start()
