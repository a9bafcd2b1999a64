"""Tools whose servers name them as no client could: called by their own names, in both lanes and eras."""

import base64

import pytest

from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.conftest import Rig

NAMES = [
    "context7:query-docs",
    "two words",
    " a ",
    "\u67e5\u8be2\U0001f600",
    "x" * 200,
    "a\nb\t",
    "../pay",
    "=?base64?eA==?=",
]


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_call_reaches_the_servers_own_name_byte_for_byte(rig: Rig, era: str) -> None:
    async with McpUpstream(era=era) as server:  # type: ignore[arg-type]  # one of its words
        here = rig.control.installation(server.url)
        for name in NAMES:
            server.tool(name, Answer(text=f"this is {name}"))
        await rig.serve([rig.control.tool(f"s__t{number}", name, here) for number, name in enumerate(NAMES)])

        for number, name in enumerate(NAMES):
            reply = await rig.call(f"s__t{number}", {"n": 1})
            assert reply.result["content"] == [{"type": "text", "text": f"this is {name}"}]

        calls = server.seen_of("tools/call")
        assert [call.params["name"] for call in calls] == NAMES
        if era == "modern":
            assert [_decoded(call.headers["Mcp-Name"]) for call in calls] == NAMES
        assert not server.complaints


def _decoded(value: str) -> str:
    coded = value.startswith("=?base64?") and value.endswith("?=")
    return base64.b64decode(value[9:-2]).decode() if coded else value


@pytest.mark.parametrize("own", ["context7:query-docs", "two words", "\u67e5\u8be2"])
async def test_a_servers_own_name_is_none_that_callers_may_call(rig: Rig, own: str) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool(own, Answer(text="no"))
        await rig.serve([rig.control.tool("s__t", own, rig.control.installation(server.url))])
        session = await rig.open_session()
        reply = await rig.legacy("tools/call", {"name": own, "arguments": {}}, session=session)
        assert reply.json["error"]["code"] == -32602
        assert not server.seen_of("tools/call")


async def test_a_call_of_a_tool_that_works_only_as_a_task_is_refused_with_a_sentence(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        one = rig.control.tool("s__slow", "slow", rig.control.installation(server.url))
        one.definition["execution"] = {"taskSupport": "required"}
        await rig.serve([one])
        assert (await rig.modern("tools/list")).result["tools"] == []
        refused = (await rig.call("s__slow")).result
        assert refused["isError"] is True
        assert refused["content"][0]["text"].startswith("s__slow works only as a task of MCP 2025-11-25, which")
        assert refused["_meta"]["archway/refusal"]["code"] == "only_as_task"
        assert not server.seen_of("tools/call")
