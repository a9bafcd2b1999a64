"""Two control replicas, two proxies: whatever changes a list reaches every open stream, on either proxy.

DESIGN 5: "an assignment, a quarantine or an upstream's own `list_changed` reaches every open stream on every replica
within a second". What it takes here is printed; the deadline is for the slowest machine. The soft age is a minute:
what is quicker came by the change stream.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
import pytest
import pytest_asyncio

from core.watches import LEASE_S
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import Person, System, modern_request, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITHIN_S = 60.0
WANTED = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
TOOLS, PROMPTS = "notifications/tools/list_changed", "notifications/prompts/list_changed"
Messages = AsyncIterator[Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[McpUpstream]:
    """A server that will say that its lists have changed."""
    can = {"tools": {"listChanged": True}, "prompts": {"listChanged": True}}
    async with McpUpstream(era="legacy", capabilities=can) as running:
        running.tool("find", Answer(text="found"))
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory, server: McpUpstream
) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    many = running_system(folder, postgres, controls=2, proxies=2, people=1, soft_age=60.0, max_stale=3600.0)
    async with many as running:
        entry = {"slug": "crm", "name": "CRM", "url": server.url, "credential_model": "none"}
        made = await running.admin.made("/entries", entry)
        wanted = {"entry_id": made["id"], "name": "CRM", "scope": "organisation"}
        assert (await running.admin.made("/installations", wanted))["state"] == "ready"
        await assign(running, "find", "all_prompts")
        yield running


async def assign(system: System, *tools: str) -> None:
    wanted = {"entry": "crm", "tools": list(tools), "prefix": False}
    answer = await system.admin.post(f"/gateways/{system.gateway['id']}/assignments", wanted)
    assert answer.status == 201, answer.body


class Streams:
    """A GET stream of a legacy session, and a modern `subscriptions/listen`, at each proxy."""

    def __init__(self, system: System, person: Person) -> None:
        self._system, self._person = system, person
        self._open: list[Messages] = []

    async def begin(self, ending: AsyncExitStack) -> None:
        for number in range(len(self._system.proxies)):
            self._open += [
                await ending.enter_async_context(self._legacy(number)),
                await ending.enter_async_context(self._modern(number)),
            ]

    async def hear(self, method: str, what: str, change: Callable[[], Awaitable[object]]) -> None:
        """The next thing that each stream says after the change is this."""
        began = time.monotonic()
        await change()
        made = time.monotonic()

        async def next_of(stream: Messages) -> float:
            async with asyncio.timeout(WITHIN_S):
                assert (await anext(stream))["method"] == method
            return time.monotonic()

        heard = await asyncio.gather(*(next_of(one) for one in self._open))
        print(
            f"{what}: heard by the first stream {min(heard) - began:.3f} s after it began, "
            f"by the last of {len(heard)} {max(heard) - made:.3f} s after it was made"
        )

    @asynccontextmanager
    async def _legacy(self, proxy: int) -> AsyncIterator[Messages]:
        url, http = f"{self._system.proxies[proxy].url}/v1/mcp/desk", self._system.sessions[proxy]
        headers = {"Authorization": f"Bearer {self._person.token}", "Accept": "application/json, text/event-stream"}
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        async with http.post(url, json=opening, headers=headers) as answer:
            assert answer.status == 200, await answer.read()
            session = answer.headers["Mcp-Session-Id"]
        more = {"Accept": "text/event-stream", "Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
        async with http.get(url, headers=headers | more) as answer:
            assert answer.status == 200
            yield messages_of(answer)

    @asynccontextmanager
    async def _modern(self, proxy: int) -> AsyncIterator[Messages]:
        body, headers = modern_request("subscriptions/listen", {"notifications": WANTED}, self._person.token)
        url = f"{self._system.proxies[proxy].url}/v1/mcp/desk"
        async with self._system.sessions[proxy].post(url, data=body, headers=headers) as answer:
            assert answer.status == 200
            messages = messages_of(answer)
            assert (await anext(messages))["method"] == "notifications/subscriptions/acknowledged"
            yield messages


def messages_of(answer: Any) -> Messages:
    return (orjson.loads(line[5:]) async for line in answer.content if line.startswith(b"data:"))


async def test_an_assignment_a_quarantine_and_a_servers_own_word_reach_streams_of_both_eras_on_both_proxies(
    system: System, server: McpUpstream
) -> None:
    admin, tools = system.admin, await system.admin.items("/entries?limit=50")
    (entry,) = (one for one in tools if one["slug"] == "crm")
    named = {one["name"]: one for one in await admin.items(f"/entries/{entry['id']}/tools")}
    streams = Streams(system, system.people[0])
    await server.wait_for("GET", within=WITHIN_S)  # one of the workers listens

    async def compared() -> bool:
        """What may have been missed before was looked for."""
        return len(server.seen_of("tools/list")) > 1

    await eventually(compared, WITHIN_S, "tools were compared when the server was heard")

    async def quarantine() -> None:
        path = f"/entries/{entry['id']}/tools/{named['echo']['id']}"
        answer = await admin.patch(path, {"state": "quarantined"}, match="*")
        assert answer.status == 200, answer.body

    async def another_definition() -> None:
        server.tool("find", Answer(text="found"), description="Finds more than before.")
        assert await server.push({"jsonrpc": "2.0", "method": TOOLS}) == 1

    async def other_prompts() -> None:
        assert await server.push({"jsonrpc": "2.0", "method": PROMPTS}) == 1

    async with AsyncExitStack() as ending:
        await streams.begin(ending)
        await streams.hear(TOOLS, "an assignment", lambda: assign(system, "echo"))
        await streams.hear(TOOLS, "a quarantine", quarantine)
        await streams.hear(TOOLS, "a server's own word on its tools", another_definition)
        await streams.hear(PROMPTS, "a server's own word on its prompts", other_prompts)


async def test_when_the_worker_that_listened_was_killed_another_one_does(system: System, server: McpUpstream) -> None:
    """Its lease ends by itself, and what was missed meanwhile is looked for."""
    begun, listed = len(server.seen_of("GET")), len(server.seen_of("tools/list"))
    for proxy in system.proxies:
        await proxy.kill()
        proxy.start()
        await proxy.ready(system.http)

    async def heard() -> bool:
        return len(server.seen_of("GET")) > begun and len(server.seen_of("tools/list")) > listed

    took = await eventually(heard, LEASE_S + WITHIN_S, "another worker listens, and the tools were compared")
    print(f"another worker listened {took:.1f} s after all were killed")
