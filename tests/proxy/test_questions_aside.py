"""A legacy server asks on its session's own stream while it serves a call, as tools of the SDK for TypeScript do."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from core.probes import ProbeQuestion
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.conftest import Rig, eventually
from tests.proxy.test_questions_of_servers import LEGACY_ASKS, PARIS, asked_and_told, call, legacy_call, opened, serve

ASIDE = replace(LEGACY_ASKS, aside=True)


async def test_a_legacy_caller_is_asked_on_the_stream_of_the_call_all_the_same(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", ASIDE)
        await serve(rig, server)
        session = await opened(rig)
        for _ in range(2):  # the second call finds session and stream as the first has left them
            question, told = await asked_and_told(rig, session)
            assert question["params"]["message"] == "server (ours) asks: Which city?"
            assert orjson.loads(told["result"]["content"][0]["text"]) == PARIS
        assert server.heard_by == 1
        assert server.complaints == []


async def test_a_call_that_was_sent_at_once_is_asked_too(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", Answer(text="nothing to ask"))
        await serve(rig, server)
        session = await opened(rig)
        for _ in range(3):  # whatever is remembered of such calls is
            async with legacy_call(rig, session) as messages:
                assert [one async for one in messages] == []  # its answer is JSON
        server.tool("ask", ASIDE)
        question, told = await asked_and_told(rig, session)
        assert question["params"]["message"] == "server (ours) asks: Which city?"
        assert orjson.loads(told["result"]["content"][0]["text"]) == PARIS
        server.tool("ask", Answer(text="nothing to ask"))
        told = await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)
        assert told.result["content"][0]["text"] == "nothing to ask"


async def test_a_modern_caller_is_asked_by_the_result_all_the_same(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", ASIDE)
        await serve(rig, server)
        for _ in range(2):
            asked = (await call(rig)).result
            (key,) = asked["inputRequests"]
            done = await call(rig, inputResponses={key: PARIS}, requestState=asked["requestState"])
            assert orjson.loads(done.result["content"][0]["text"]) == PARIS


async def test_after_a_server_was_away_its_questions_come_again(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", ASIDE)
        await serve(rig, server)
        session = await opened(rig)
        await asked_and_told(rig, session)
        server.forget_sessions()
        await asked_and_told(rig, session)


async def test_a_question_while_no_call_runs_is_answered_with_an_error(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", ASIDE)
        await serve(rig, server)
        await asked_and_told(rig, await opened(rig))
        await server.push({"jsonrpc": "2.0", "id": "late", "method": "elicitation/create", "params": {}})

        async def told() -> bool:
            bodies = [one.body for one in server.seen if isinstance(one.body, dict)]
            return any(body.get("id") == "late" and body["error"]["code"] == -32601 for body in bodies)

        await eventually(told)


@pytest.mark.parametrize("can", [{}, {"sampling": {}}])
async def test_a_session_of_a_client_that_cannot_be_asked_has_no_such_stream(
    rig: Rig, can: dict[str, object]
) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", Answer(text="done"))
        await serve(rig, server)
        session = await opened(rig, can)
        told = await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)
        assert told.result["content"][0]["text"] == "done"
        assert server.heard_by == 0


async def test_discovery_opens_no_such_stream(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        question = ProbeQuestion(rig.control.installation(server.url))
        assert (await rig.worker.internal._prober.probe(question)).tools
        assert server.heard_by == 0


async def test_a_server_without_such_streams_serves_as_before(rig: Rig) -> None:
    async with McpUpstream(era="legacy-stateless") as server:
        server.tool("ask", Answer(text="done"))
        await serve(rig, server)
        session = await opened(rig)
        for _ in range(2):
            told = await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)
            assert told.result["content"][0]["text"] == "done"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 429, 500, 501, 503])
async def test_a_server_that_refuses_such_a_stream_is_asked_for_it_once(rig: Rig, status: int) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", Answer(text="done"))
        server.refuses_streams = status
        await serve(rig, server)
        session = await opened(rig)
        for _ in range(3):
            told = await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)
            assert told.result["content"][0]["text"] == "done"
        assert len({one.session for one in server.seen_of("GET")}) == len(server.seen_of("GET"))
