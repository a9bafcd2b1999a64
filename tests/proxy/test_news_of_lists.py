"""Streams on which callers hear that lists of their gateway have changed: GET of a session, and modern listening."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from core.identifiers import new_id
from core.snapshot import Offer, Route
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import MakeRig, Rig, modern_request

ALL = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


@asynccontextmanager
async def messages(rig: Rig, request: Any) -> AsyncIterator[AsyncIterator[Any]]:
    async with request as response:
        assert response.status == 200, await response.read()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield (orjson.loads(line[5:]) async for line in response.content if line.startswith(b"data:"))


def get_stream(rig: Rig, session: str) -> Any:
    headers = {"Authorization": f"Bearer {rig.token}", "Accept": "text/event-stream", "Mcp-Session-Id": session}
    return messages(rig, rig.http.get(rig.url(), headers=headers | {"MCP-Protocol-Version": "2025-11-25"}))


def listening(rig: Rig, wanted: Any, *, id: Any = "listen-1") -> Any:
    message, headers = modern_request("subscriptions/listen", {"notifications": wanted}, id=id)
    usual = {"Authorization": f"Bearer {rig.token}", "Accept": "application/json, text/event-stream"}
    return messages(rig, rig.http.post(rig.url(), json=message, headers=usual | headers))


def tool(rig: Rig, server: McpUpstream, name: str = "t") -> Any:
    return rig.control.tool(name, "echo", rig.control.installation(server.url))


def prompts() -> Offer:
    return Offer("crm", "prompts", new_id(), "crm__all_prompts", Route("remote", new_id(), "crm"))


async def soon(stream: AsyncIterator[Any]) -> Any:
    return await asyncio.wait_for(anext(stream), 30)


async def test_a_legacy_session_hears_of_each_list_that_changed(rig: Rig, upstream: McpUpstream) -> None:
    await rig.serve([tool(rig, upstream)])
    session = await rig.open_session()
    async with get_stream(rig, session) as stream:
        await rig.serve([tool(rig, upstream, "another")])
        assert await soon(stream) == {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        held = rig.control.gateways[next(iter(rig.control.gateways))]
        await rig.serve(list(held.tools), offers=[prompts()])
        assert (await soon(stream))["method"] == "notifications/prompts/list_changed"


async def test_what_a_server_says_of_its_own_list_is_news_of_the_gateways(rig: Rig) -> None:
    offer = prompts()
    await rig.serve([], offers=[offer])
    async with get_stream(rig, await rig.open_session()) as stream:
        await rig.serve([], offers=[replace(offer, revision=1)])
        assert await soon(stream) == {"jsonrpc": "2.0", "method": "notifications/prompts/list_changed"}


async def test_a_change_that_changes_no_list_is_no_news(rig: Rig, upstream: McpUpstream) -> None:
    one = tool(rig, upstream)
    await rig.serve([one])
    async with get_stream(rig, await rig.open_session()) as stream:
        await rig.serve([one], description="another")
        await rig.serve([one], instructions="another")
        await rig.serve([])
        assert (await soon(stream))["method"] == "notifications/tools/list_changed"


async def test_a_modern_caller_hears_what_it_listens_for_and_nothing_else(rig: Rig, upstream: McpUpstream) -> None:
    await rig.serve([tool(rig, upstream)])
    async with listening(rig, {"promptsListChanged": True, "toolsListChanged": False, "taskIds": ["x"]}) as stream:
        first = await soon(stream)
        assert first["method"] == "notifications/subscriptions/acknowledged"
        assert first["params"]["notifications"] == {"promptsListChanged": True}
        await rig.serve([])
        await rig.serve([], offers=[prompts()])
        news = await soon(stream)
        assert news["method"] == "notifications/prompts/list_changed"
        assert news["params"]["_meta"] == first["params"]["_meta"] == {SUBSCRIPTION: "listen-1"}


async def test_the_subscription_is_known_by_the_id_of_its_request_in_its_own_type(rig: Rig) -> None:
    await rig.serve([])
    async with listening(rig, ALL, id=7) as stream:
        assert (await soon(stream))["params"]["_meta"] == {SUBSCRIPTION: 7}


@pytest.mark.parametrize("wanted", [None, [], "tools", 3])
async def test_what_is_no_wish_is_refused(rig: Rig, wanted: Any) -> None:
    await rig.serve([])
    reply = await rig.modern("subscriptions/listen", {"notifications": wanted})
    assert (reply.status, reply.error["code"]) == (400, -32602)


async def test_a_caller_that_leaves_gives_its_place_back(rig: Rig) -> None:
    await rig.serve([])
    async with listening(rig, ALL) as stream:
        await soon(stream)
        assert len(rig.worker.deps.streams) == 1
    for _ in range(200):
        if not len(rig.worker.deps.streams):
            break
        await asyncio.sleep(0.02)
    assert len(rig.worker.deps.streams) == 0


async def test_a_worker_that_leaves_ends_the_subscription_with_its_result(rig: Rig) -> None:
    await rig.serve([])
    async with listening(rig, ALL) as stream:
        await soon(stream)
        rig.worker.deps.draining = True
        last = await soon(stream)
        assert (last["id"], last["result"]["resultType"]) == ("listen-1", "complete")
        with pytest.raises(StopAsyncIteration):
            await soon(stream)


async def test_news_reaches_the_streams_of_every_worker(make_rig: MakeRig, upstream: McpUpstream) -> None:
    async with make_rig() as rig, make_rig(control=rig.control) as other:
        other.token = rig.token
        await rig.serve([tool(rig, upstream)])
        session = await rig.open_session()
        async with get_stream(other, session) as legacy, listening(other, ALL) as modern:
            await soon(modern)
            await rig.serve([])
            assert (await soon(legacy))["method"] == "notifications/tools/list_changed"
            assert (await soon(modern))["method"] == "notifications/tools/list_changed"
