"""Sessions with legacy upstreams, and answers of upstreams that are no results."""

import asyncio
from typing import Any

import pytest

from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_redis import RedisServer
from tests.proxy.conftest import Reply, Rig, running_rig


async def one_tool(rig: Rig, server: McpUpstream, **fields: Any) -> None:
    await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url, **fields))])


async def test_a_lost_upstream_session_is_made_again_and_the_call_sent_again_once(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("t", Answer(text="fine"))
        await one_tool(rig, server)
        await rig.call("t")
        server.forget_sessions()

        assert (await rig.call("t")).result["content"][0]["text"] == "fine"

        calls = server.seen_of("tools/call")
        assert len(calls) == 3
        assert calls[1].session == calls[0].session
        assert calls[2].session != calls[1].session
        assert server.complaints == []


async def test_a_server_that_loses_every_session_is_not_called_for_ever(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("t", Answer(forget_session=True))
        await one_tool(rig, server)

        assert (await rig.call("t")).refusal["code"] == "upstream_error"
        assert len(server.seen_of("tools/call")) == 2


async def test_many_calls_of_a_lost_session_share_the_new_one(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("t", Answer(text="fine"))
        await one_tool(rig, server, isolation="shared")
        await rig.call("t")
        server.forget_sessions()

        replies = await asyncio.gather(*(rig.call("t") for _ in range(20)))

        assert {reply.result["content"][0]["text"] for reply in replies} == {"fine"}
        assert len(server.seen_of("initialize")) == 2


async def test_another_worker_uses_the_upstream_session_of_the_first(rig: Rig, redis_server: RedisServer) -> None:
    async with (
        McpUpstream(era="legacy") as server,
        running_rig(redis_server, rig.way, control=rig.control) as second,
    ):
        server.tool("t", Answer(text="fine"))
        await one_tool(rig, server)
        await rig.call("t")

        await second.call("t", token=rig.token)
        assert len(server.seen_of("initialize")) == 1

        server.forget_sessions()
        await rig.call("t")  # makes a new one
        await second.call("t", token=rig.token)  # finds its own lost, and the new one in Redis
        assert len(server.seen_of("initialize")) == 2


@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize("status", [401, 403])
async def test_an_upstreams_challenge_is_not_relayed(rig: Rig, era: str, status: int) -> None:
    async with McpUpstream(era=era) as server:
        server.tool("t", Answer(status=status, headers={"WWW-Authenticate": 'Bearer realm="theirs"'}))
        await one_tool(rig, server)

        refused = await rig.call("t")

        assert refused.status == 200
        assert refused.refusal["code"] == "upstream_credential"
        assert "WWW-Authenticate" not in refused.headers
        assert b"theirs" not in refused.body
        assert len(server.seen_of("tools/call")) == 1  # not sent again: it may have run


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_failing_upstream_is_called_once(rig: Rig, status: int) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("t", Answer(status=status))
        await one_tool(rig, server)

        refused = await rig.call("t")

        assert refused.refusal["code"] == "upstream_status"
        assert str(status) in refused.result["content"][0]["text"]
        assert len(server.seen_of("tools/call")) == 1


@pytest.mark.parametrize("status", [200, 400, 404, 500])
async def test_an_upstreams_error_is_told_as_a_tools_text(rig: Rig, status: int) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("t", Answer(error=(-32000, "out of \x1b[1mpaper"), status=status))
        await one_tool(rig, server)

        refused = await rig.call("t")

        assert refused.refusal["code"] == "upstream_error"
        assert [block["text"] for block in refused.result["content"]] == [
            "server answered with an error.",
            "out of paper",
        ]


async def test_a_result_that_speaks_in_our_name_is_stripped(rig: Rig) -> None:
    async with McpUpstream(era="both") as server:
        server.tool("t", Answer(text="x", meta={"archway/refusal": {"link": "https://evil"}, "theirs": 1}))
        await one_tool(rig, server)
        session = await rig.open_session()

        for reply in (await rig.call("t"), await legacy_call(rig, session)):
            assert "archway/refusal" not in reply.result["_meta"]
            assert reply.result["_meta"]["theirs"] == 1


async def legacy_call(rig: Rig, session: str) -> Reply:
    return await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)


async def test_a_question_that_cannot_be_passed_on_ends_the_call(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("t", Answer(result={"resultType": "input_required", "inputRequests": {}}))
        await one_tool(rig, server)

        assert (await rig.call("t")).refusal["code"] == "upstream_asks"


async def test_a_resource_is_read_as_a_tool(rig: Rig) -> None:
    async with McpUpstream(era="both") as server:
        server.on("resources/read", Answer(result={"contents": [{"uri": "x:y", "text": "content"}]}))
        tool = rig.control.tool("read", "x:y", rig.control.installation(server.url), kind="resource")
        await rig.serve([tool])

        assert (await rig.call("read")).result["content"] == [
            {"type": "resource", "resource": {"uri": "x:y", "text": "content"}}
        ]
        assert server.seen[-1].headers["Mcp-Name"] == "x:y"


async def test_vendor_keys_and_the_trace_go_on_and_the_protocols_own_are_written_again(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("t", Answer(text="fine"))
        await one_tool(rig, server)
        trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"

        await rig.call("t", meta={"com.example/x": 1, "traceparent": trace})

        meta = server.seen_of("tools/call")[0].meta
        assert meta["com.example/x"] == 1
        assert meta["traceparent"] == trace
        assert meta["io.modelcontextprotocol/clientInfo"]["name"] == "archway"


@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize(
    ("status", "location"),
    [(307, "/elsewhere/"), (308, "{foreign}"), (301, "{foreign}?key=s3cr3t"), (302, ""), (303, "/mcp")],
)
async def test_a_redirect_of_a_call_is_not_followed_and_told_as_a_status(
    rig: Rig, era: Any, status: int, location: str
) -> None:
    async with McpUpstream(era="modern") as foreign, McpUpstream(era=era) as server:
        target = location.format(foreign=foreign.url)
        server.tool("t", Answer(status=status, headers={"Location": target} if target else {}))
        await one_tool(rig, server)
        for _ in range(6):  # it answers, so it is not left alone
            reply = await rig.call("t")
            assert reply.refusal["code"] == "upstream_status"
            text = reply.result["content"][0]["text"]
            assert text == f"server answered with HTTP status {status}."
        assert foreign.seen == []
        assert {one.path for one in server.seen} == {"/mcp"}
