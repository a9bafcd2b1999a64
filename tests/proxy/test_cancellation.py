"""A legacy client cancels by a message, which may come to another worker than the call's."""

import asyncio
from typing import Any

import pytest

from core.tasks import Tasks
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_redis import RedisServer
from tests.proxy.conftest import Reply, Rig, running_rig


async def started_call(rig: Rig, server: McpUpstream, session: str, **more: Any) -> "asyncio.Task[Reply]":
    """A call that the server holds."""
    caller = Tasks("test").spawn(
        "caller", rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session, **more)
    )
    await server.wait_for("tools/call")
    return caller


async def cancel(rig: Rig, session: str, request_id: Any, token: str | None = None) -> Reply:
    message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request_id}}
    headers = {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session}
    return await rig.post(message, headers=headers, token=token)


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_cancelled_call_ends_and_its_upstream_learns_of_it(rig: Rig, era: str) -> None:
    async with McpUpstream(era=era) as server:
        server.tool("t", Answer(hold=asyncio.Event()))
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        session = await rig.open_session()
        caller = await started_call(rig, server, session, id="a call")

        assert (await cancel(rig, session, "a call")).status == 202

        reply = await asyncio.wait_for(caller, 30)
        assert reply.refusal["code"] == "cancelled"
        call = server.seen_of("tools/call")[0]
        if era == "legacy":
            await server.wait_for("notifications/cancelled")
            assert server.seen_of("notifications/cancelled")[0].params["requestId"] == call.id
        else:
            await server.wait_until(lambda: call.abandoned)


async def test_a_cancellation_finds_its_call_in_another_worker(rig: Rig, redis_server: RedisServer) -> None:
    async with (
        McpUpstream(era="legacy") as server,
        running_rig(redis_server, rig.way, control=rig.control) as second,
    ):
        server.tool("t", Answer(hold=asyncio.Event()))
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        session = await rig.open_session()
        caller = await started_call(rig, server, session)

        assert (await cancel(second, session, 1, token=rig.token)).status == 202

        assert (await asyncio.wait_for(caller, 30)).refusal["code"] == "cancelled"


@pytest.mark.parametrize("request_id", ["1", 2, None, 1.5, [1], "x" * 300, 2**70])
async def test_a_cancellation_of_anything_else_cancels_nothing(rig: Rig, request_id: Any) -> None:
    async with McpUpstream(era="legacy") as server:
        held = asyncio.Event()
        server.tool("t", Answer(text="done", hold=held))
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        session, other = await rig.open_session(), await rig.open_session()
        caller = await started_call(rig, server, session)

        assert (await cancel(rig, session, request_id)).status == 202
        assert (await cancel(rig, other, 1)).status == 202  # the same id in another session
        held.set()

        assert (await caller).result["content"][0]["text"] == "done"
