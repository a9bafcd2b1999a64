"""A server behind the bridge, through a real proxy: callers of each era before servers of each."""

import asyncio

import pytest

from tests.fakes.bridged import TOKEN, Bridge, child
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.client_of_era import Client
from tests.proxy.conftest import _session_redis, redis_server, running_rig

__all__ = ["_session_redis", "redis_server"]
CAN = {"elicitation": {"form": {}}}
CANCELLED = "notifications/cancelled"
BEARER = [("Authorization", f"Bearer {TOKEN}")]
BOTH = pytest.mark.parametrize("era", ["legacy", "modern"])


@pytest.fixture
async def rig(redis_server):
    async with running_rig(redis_server, "fast") as rig:
        yield rig


@pytest.fixture(params=["legacy", "modern"])
async def bridge(request, tmp_path):
    async with Bridge(child(request.param), tmp_path) as bridge:
        yield await bridge.ready()


async def serve(rig, bridge, *tools):
    at = rig.control.installation(f"http://127.0.0.1:{bridge.port}/mcp", credential_headers=BEARER)
    await rig.serve([rig.control.tool(tool, tool, at) for tool in tools])


@BOTH
async def test_callers_of_each_era_call_servers_of_each(rig, bridge, era):
    await serve(rig, bridge, "echo", "progress")
    client = await Client.opened(rig, era)

    for text in ("one", "two", "three"):
        reply = await client.call("echo", {"text": text})
        assert reply.result["content"] == [{"type": "text", "text": text}]

    told = await client.call("progress", meta={"progressToken": "mine"})
    assert [one["params"]["progressToken"] for one in told.events[:-1]] == ["mine", "mine"]


@BOTH
async def test_a_call_differs_in_nothing_from_that_of_a_remote_server(rig, bridge, era):
    """The remote one says the same by itself."""
    spoken = (await bridge.logged("the server answers"))["era"]
    async with McpUpstream(era=spoken) as remote:
        remote.tool("echo", Answer(result={"content": [{"type": "text", "text": "hi"}]}))
        answers = []
        for slug, url in (("remote", remote.url), ("ours", f"http://127.0.0.1:{bridge.port}/mcp")):
            at = rig.control.installation(url, credential_headers=BEARER)
            await rig.serve([rig.control.tool("echo", "echo", at)], slug=slug)
            params = {"name": "echo", "arguments": {"text": "hi"}}
            if era == "legacy":
                session = await rig.open_session(gateway=slug)
                reply = await rig.legacy("tools/call", params, session=session, gateway=slug)
            else:
                reply = await rig.modern("tools/call", params, gateway=slug)
            answers.append(reply.body.replace(slug.encode(), b"GATEWAY"))

    assert answers[0] == answers[1]
    assert b'"text":"hi"' in answers[0]


@BOTH
async def test_a_caller_that_leaves_is_told_to_the_server(rig, bridge, era):
    await serve(rig, bridge, "hold")
    client = await Client.opened(rig, era)
    call = client.begin("hold")
    sent = await bridge.seen("hold")

    await client.cancel(call)

    async with asyncio.timeout(30):
        while not (told := [one for one in await bridge.received() if one.get("method") == CANCELLED]):
            pass
    assert told[0]["params"]["requestId"] == sent["id"]


async def test_a_legacy_server_asks_a_caller_through_the_gateway(rig, legacy):
    await serve(rig, legacy, "ask")
    client = await Client.opened(rig, "legacy", can=CAN)

    async with client.events("tools/call", {"name": "ask", "arguments": {}}) as stream:
        question = await anext(stream)
        await client.answer(question, {"action": "decline"})
        last = await anext(stream)

    assert "declin" in last["result"]["content"][0]["text"]


async def test_a_call_while_a_server_is_restarted_waits_for_it(rig, bridge):
    await serve(rig, bridge, "echo", "crash")
    client = await Client.opened(rig, "modern")
    assert (await client.call("echo", {"text": "before"})).status == 200

    await client.call("crash")

    reply = await client.call("echo", {"text": "after"})
    assert reply.result["content"][0]["text"] == "after"
