"""The fake MCP server is only worth its answers if real clients take it for a real server."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.fakes.mcp_answers import PREPARES
from tests.fakes.mcp_upstream import Answer, McpUpstream

ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
PAIRS = [
    pytest.param("legacy", "legacy", id="legacy client, sessions"),
    pytest.param("legacy-stateless", "legacy", id="legacy client, no sessions"),
    pytest.param("modern", "2026-07-28", id="modern client, modern server"),
    pytest.param("both", "auto", id="probing client, dual server"),
    pytest.param("both", "legacy", id="legacy client, dual server"),
    pytest.param("legacy", "auto", id="probing client, legacy server"),
]


async def post(up: McpUpstream, message: Any, **headers: str) -> aiohttp.ClientResponse:
    async with (
        aiohttp.ClientSession(headers=ACCEPT) as http,
        http.post(up.url, data=orjson.dumps(message), headers=headers) as response,
    ):
        await response.read()
        return response


def call(tool: str, **meta: Any) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": tool, "arguments": {}, "_meta": meta},
    }


@pytest.mark.parametrize(("era", "mode"), PAIRS)
async def test_the_python_sdk_lists_all_pages_and_calls(era, mode):
    async with McpUpstream(era=era, page_size=1) as up:
        up.tool("greet", Answer(text="hello", structured={"n": 1}, stream=True, progress=2, slice_bytes=5))
        async with Client(up.url, mode=mode) as client:
            first = await client.list_tools()
            rest = await client.list_tools(cursor=first.next_cursor)
            answer = await client.call_tool("greet", {"a": 1})
        assert [tool.name for tool in (*first.tools, *rest.tools)] == ["echo", "greet"]
        assert answer.content[0].text == "hello"
        assert answer.structured_content == {"n": 1}
        assert up.complaints == []
        assert up.seen_of("tools/call")[0].arguments == {"a": 1}


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_progress_reaches_a_client_that_gave_a_token(era):
    steps = []

    async def note(progress, total, message):
        steps.append((progress, total))

    async with McpUpstream(era=era) as up:
        up.tool("slow", Answer(text="done", progress=3))
        async with Client(up.url, mode="2026-07-28" if era == "modern" else era) as client:
            await client.call_tool("slow", {}, progress_callback=note)
    assert steps == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(("era", "mode"), [("legacy", "legacy"), ("modern", "2026-07-28")])
async def test_an_error_of_the_tool_and_one_of_the_protocol_differ(era, mode):
    async with McpUpstream(era=era) as up:
        up.tool("fails", Answer(text="no", is_error=True))
        up.tool("breaks", Answer(error=(-32603, "broken", {"why": "test"})))
        async with Client(up.url, mode=mode) as client:
            assert (await client.call_tool("fails", {})).is_error is True
            with pytest.raises(MCPError, match="broken"):
                await client.call_tool("breaks", {})


@pytest.mark.parametrize(("era", "mode"), [("legacy", "legacy"), ("modern", "2026-07-28")])
async def test_a_question_to_the_client_is_answered_before_the_result(era, mode):
    from mcp.types import ElicitResult

    async def reply(context, params):
        return ElicitResult(action="accept", content={"colour": "red"})

    params = {"mode": "form", "message": "Which?", "requestedSchema": {"type": "object", "properties": {}}}
    async with McpUpstream(era=era) as up:
        up.tool(
            "asks",
            Answer(asks=("elicitation/create", params), then=lambda said: Answer(text=orjson.dumps(said).decode())),
        )
        async with Client(up.url, mode=mode, elicitation_callback=reply) as client:
            answer = await client.call_tool("asks", {})
    assert "red" in answer.content[0].text


async def test_each_tool_has_its_answers_in_order_and_repeats_the_last():
    async with McpUpstream(era="legacy-stateless") as up:
        up.tool("flaky", [Answer(status=401), Answer(text="fine")])
        statuses = [(await post(up, call("flaky"))).status for _ in range(3)]
    assert statuses == [401, 200, 200]


async def test_a_forgotten_session_is_answered_404():
    async with McpUpstream(era="legacy") as up:
        assert (await post(up, call("echo"), **{"Mcp-Session-Id": "never-made"})).status == 404
        assert (await post(up, call("echo"))).status == 400


async def test_a_header_that_differs_from_the_body_is_refused_and_noted():
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "other"}
    async with McpUpstream(era="modern") as up:
        response = await post(up, call("echo", **meta), **headers)
    assert response.status == 400
    assert any("Mcp-Name" in complaint for complaint in up.complaints)


async def test_a_client_that_leaves_is_noted_as_abandoned():
    async with McpUpstream(era="legacy-stateless") as up:
        up.tool("never", Answer(text="x", hold=asyncio.Event()))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await post(up, call("never"))
        await up.wait_until(lambda: up.seen[0].abandoned)


async def test_a_cut_answer_reaches_the_client_as_a_reset():
    async with McpUpstream(era="legacy-stateless") as up:
        up.tool("dies", Answer(cut=True))
        with pytest.raises(aiohttp.ClientError):
            await post(up, call("dies"))


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        pytest.param(Answer(text="x", wrong_id=True), ["not-7"], id="wrong id"),
        pytest.param(Answer(text="x", finals=2), [7, 7], id="two finals"),
        pytest.param(Answer(text="x", finals=0), [], id="no final"),
    ],
)
async def test_a_faulty_answer_is_sent_as_it_was_ordered(answer, ids):
    async with McpUpstream(era="legacy-stateless") as up, aiohttp.ClientSession(headers=ACCEPT) as http:
        up.tool("odd", answer)
        async with http.post(up.url, data=orjson.dumps(call("odd"))) as response:
            body = await response.read()
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")] or ([body] if body else [])
    assert [orjson.loads(line)["id"] for line in lines] == ids


async def test_a_restarted_server_keeps_its_port():
    async with McpUpstream(era="legacy-stateless") as up:
        url = up.url
        await up.stop()
        await up.start()
        assert up.url == url
        assert (await post(up, call("echo"))).status == 200


async def test_a_call_that_prepares_is_answered_and_forgotten():
    async with McpUpstream(era="modern") as up:
        up.tool("greet", [Answer(text="first"), Answer(text="second")])
        async with Client(up.url, mode="2026-07-28") as client:
            answers = [await client.call_tool("greet", arguments) for arguments in (PREPARES, {"a": 1})]
        assert [answer.content[0].text for answer in answers] == ["prepared", "first"]
        assert [one.arguments for one in up.seen_of("tools/call")] == [{"a": 1}]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_may_come_in_pieces(chunked):
    async with McpUpstream(era="modern") as up:
        up.tool("greet", Answer(text="hello", piece_bytes=3, chunked=chunked))
        async with Client(up.url, mode="2026-07-28") as client:
            answer = await client.call_tool("greet", {})
        assert answer.content[0].text == "hello"
