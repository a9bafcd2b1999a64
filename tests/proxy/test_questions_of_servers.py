"""A server asks in the middle of a call: callers of each era before servers of each, and what may not be asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from core.snapshot import Tool
from proxy.limits import budget
from proxy.sessions import elsewhere
from proxy.sessions.pending_questions import LETTERS_PER_S
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import MakeRig, Reply, Rig, modern_request

FORM = {"message": "Which city?", "requestedSchema": {"type": "object", "properties": {"city": {"type": "string"}}}}
ASKS: dict[str, Any] = {"method": "elicitation/create", "params": FORM}
CAN: dict[str, Any] = {"elicitation": {}}
META = {"io.modelcontextprotocol/clientCapabilities": CAN}
PARIS = {"action": "accept", "content": {"city": "Paris"}}


def says(answered: Any) -> Answer:
    """What a legacy server answers once its client has."""
    return Answer(text=orjson.dumps(answered).decode())


LEGACY_ASKS = Answer(asks=("elicitation/create", FORM), then=says)


def modern_asks(received: Received) -> Answer:
    """A modern server, which gives a state and wants it back."""
    answers = received.params.get("inputResponses")
    if answers is None:
        return Answer(result={"resultType": "input_required", "inputRequests": {"city": ASKS}, "requestState": "s-1"})
    assert received.params["requestState"] == "s-1"
    return Answer(text=orjson.dumps(answers["city"]).decode())


async def serve(rig: Rig, server: McpUpstream, *, protocol: str = "auto", **fields: Any) -> Tool:
    tool = rig.control.tool("t", "ask", rig.control.installation(server.url, protocol=protocol, installation="ours"))
    await rig.serve([tool], **fields)
    return tool


async def call(rig: Rig, *, can: dict[str, Any] | None = None, **params: Any) -> Reply:
    meta = {"io.modelcontextprotocol/clientCapabilities": CAN if can is None else can}
    return await rig.modern("tools/call", {"name": "t", "arguments": {}, **params}, meta=meta)


async def opened(rig: Rig, can: dict[str, Any] | None = None) -> str:
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": CAN if can is None else can,
        "clientInfo": {"name": "t"},
    }
    reply = await rig.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
    return reply.headers["Mcp-Session-Id"]


@asynccontextmanager
async def legacy_call(rig: Rig, session: str) -> AsyncIterator[AsyncIterator[Any]]:
    """A legacy tools/call whose answer is a stream: its messages, each as soon as it is here."""
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "t", "arguments": {}}}
    headers = {
        "Authorization": f"Bearer {rig.token}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
        "Mcp-Session-Id": session,
    }
    async with rig.http.post(rig.url(), json=message, headers=headers) as response:
        yield (orjson.loads(line[5:]) async for line in response.content if line.startswith(b"data:"))


async def answered(rig: Rig, session: str, question: Any, result: Any = PARIS) -> Reply:
    headers = {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session}
    return await rig.post({"jsonrpc": "2.0", "id": question["id"], "result": result}, headers=headers)


async def asked_and_told(rig: Rig, session: str) -> tuple[Any, Any]:
    """The question that a legacy caller gets, and the answer to its call after it said Paris."""
    async with legacy_call(rig, session) as messages:
        question = await anext(messages)
        assert (await answered(rig, session, question)).status == 202
        return question, await anext(messages)


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_legacy_caller_is_asked_on_the_stream_of_its_call(rig: Rig, era: Any) -> None:
    async with McpUpstream(era=era) as server:
        server.tool("ask", LEGACY_ASKS if era == "legacy" else modern_asks)
        await serve(rig, server)
        question, told = await asked_and_told(rig, await opened(rig))
        assert question["method"] == "elicitation/create"
        assert question["params"]["message"] == "server (ours) asks: Which city?"
        assert (told["id"], orjson.loads(told["result"]["content"][0]["text"])) == (7, PARIS)
        assert server.complaints == []


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_modern_caller_is_asked_by_the_result_and_calls_again(rig: Rig, era: Any) -> None:
    async with McpUpstream(era=era) as server:
        server.tool("ask", LEGACY_ASKS if era == "legacy" else modern_asks)
        await serve(rig, server)
        asked = (await call(rig)).result
        ((key, question),) = asked["inputRequests"].items()
        assert question["params"]["message"] == "server (ours) asks: Which city?"
        done = await call(rig, inputResponses={key: PARIS}, requestState=asked["requestState"])
        assert orjson.loads(done.result["content"][0]["text"]) == PARIS
        assert server.complaints == []


async def test_a_legacy_servers_call_is_never_made_twice(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", LEGACY_ASKS)
        await serve(rig, server)
        asked = (await call(rig)).result
        (key,) = asked["inputRequests"]
        await call(rig, inputResponses={key: PARIS}, requestState=asked["requestState"])
        assert len([one for one in server.seen_of("tools/call") if not one.prepares]) == 1


async def test_what_is_not_answered_is_asked_again(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", LEGACY_ASKS)
        await serve(rig, server)
        asked = (await call(rig)).result
        again = (await call(rig, inputResponses={"of nobody": PARIS}, requestState=asked["requestState"])).result
        assert again["inputRequests"] == asked["inputRequests"]


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_state_of_another_caller_call_or_time_is_none(rig: Rig, era: Any) -> None:
    async with McpUpstream(era=era) as server:
        server.tool("ask", LEGACY_ASKS if era == "legacy" else modern_asks)
        await serve(rig, server)
        state = (await call(rig)).result["requestState"]
        for changed in ({"arguments": {"n": 2}}, {"requestState": state[:-4] + "AAAA"}, {"requestState": "s-1"}):
            told = await call(rig, **({"inputResponses": {}, "requestState": state} | changed))
            assert told.error["code"] == -32602
        message, headers = modern_request(
            "tools/call", {"name": "t", "arguments": {}, "inputResponses": {}, "requestState": state}, meta=META
        )
        told = await rig.post(message, headers=headers, token=rig.control.token())
        assert told.error["code"] == -32602


@pytest.mark.parametrize("can", [{}, {"sampling": {}}, {"elicitation": {"url": {}}}])
async def test_a_caller_is_not_asked_what_it_did_not_declare(rig: Rig, can: dict[str, Any]) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("ask", modern_asks)
        await serve(rig, server)
        assert (await call(rig, can=can)).refusal["code"] == "upstream_asks"


async def test_a_caller_is_not_asked_what_the_gateway_does_not_allow(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("ask", modern_asks)
        await serve(rig, server, may_ask=[])
        assert (await call(rig)).refusal["code"] == "upstream_asks"
        (seen,) = [one for one in server.seen_of("tools/call") if not one.prepares]
        assert seen.meta["io.modelcontextprotocol/clientCapabilities"] == {}


@pytest.mark.parametrize("can", [{}, {"sampling": {}}])
async def test_a_legacy_server_is_told_that_a_client_cannot_be_asked(rig: Rig, can: dict[str, Any]) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", LEGACY_ASKS)
        await serve(rig, server)
        told = orjson.loads((await call(rig, can=can)).result["content"][0]["text"])
        assert told["code"] == -32601


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/x",
        "https://127.0.0.1/",
        "http://LOCALHOST.:1/x",
        "https://a@[::1]/x",
        "https://[",
        "no",
    ],
)
async def test_a_link_to_one_of_our_own_hosts_or_to_none_is_not_passed_on(rig: Rig, url: str) -> None:
    link = {"method": "elicitation/create", "params": {"mode": "url", "message": "Sign in", "url": url}}
    async with McpUpstream(era="modern") as server:
        server.tool("ask", Answer(result={"resultType": "input_required", "inputRequests": {"a": link}}))
        await serve(rig, server)
        assert (await call(rig, can={"elicitation": {"url": {}}})).refusal["code"] == "upstream_asks"


async def test_a_link_elsewhere_is_passed_on_with_its_host_spelled_out(rig: Rig) -> None:
    params = {"mode": "url", "message": "Sign in", "url": "https://idp.example/x", "elicitationId": "1"}
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", Answer(asks=("elicitation/create", params), then=says))
        await serve(rig, server)
        asked = (await call(rig, can={"elicitation": {"url": {}}})).result
        (question,) = asked["inputRequests"].values()
        assert question["params"]["message"] == "server (ours) asks (opens idp.example): Sign in"
        assert "elicitationId" not in question["params"]


@pytest.mark.parametrize("answer", [{"id": "archway-none", "result": {}}, {"id": 3, "result": {}}])
async def test_an_answer_to_no_question_does_no_harm(rig: Rig, answer: dict[str, Any]) -> None:
    async with McpUpstream(era="legacy") as server:
        await serve(rig, server)
        session = await opened(rig)
        headers = {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session}
        told = await rig.post({"jsonrpc": "2.0", **answer}, headers=headers)
        assert told.status == (202 if answer["id"] == "archway-none" else 400)


async def test_another_session_cannot_answer(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", LEGACY_ASKS)
        await serve(rig, server)
        mine, other = await opened(rig), await opened(rig)
        async with legacy_call(rig, mine) as messages:
            question = await anext(messages)
            await answered(rig, other, question, {"action": "accept", "content": {"city": "Evil"}})
            assert (await answered(rig, mine, question)).status == 202
            told = await anext(messages)
        assert orjson.loads(told["result"]["content"][0]["text"]) == PARIS


async def test_answers_reach_the_worker_that_has_the_call(make_rig: MakeRig) -> None:
    async with make_rig() as rig, make_rig(control=rig.control) as other, McpUpstream(era="legacy") as server:
        other.token = rig.token
        server.tool("ask", LEGACY_ASKS)
        await serve(rig, server)
        session = await opened(rig)
        async with legacy_call(rig, session) as messages:
            question = await anext(messages)
            assert (await answered(other, session, question)).status == 202
            told = await anext(messages)
        assert orjson.loads(told["result"]["content"][0]["text"]) == PARIS

        asked = (await call(rig)).result
        (key,) = asked["inputRequests"]
        done = await call(other, inputResponses={key: PARIS}, requestState=asked["requestState"])
        assert orjson.loads(done.result["content"][0]["text"]) == PARIS


async def test_a_call_whose_worker_has_ended_is_said_to_be_gone(make_rig: MakeRig) -> None:
    async with make_rig() as rig, McpUpstream(era="legacy") as server:
        server.tool("ask", LEGACY_ASKS)
        await serve(rig, server)
        async with make_rig(control=rig.control) as ended:
            ended.token = rig.token
            asked = (await call(ended)).result
            (key,) = asked["inputRequests"]
        told = await call(rig, inputResponses={key: PARIS}, requestState=asked["requestState"])
        assert told.refusal["code"] == "question_gone"


async def test_a_caller_that_leaves_while_its_question_is_answered_ends_the_call(rig: Rig) -> None:
    held = asyncio.Event()
    async with McpUpstream(era="legacy") as server:
        server.tool("ask", Answer(asks=("elicitation/create", FORM), then=lambda _: Answer(text="late", hold=held)))
        await serve(rig, server)
        asked = (await call(rig)).result
        (key,) = asked["inputRequests"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await call(rig, inputResponses={key: PARIS}, requestState=asked["requestState"])
        await server.wait_for("notifications/cancelled")
        assert len(rig.worker.deps.suspended.here) == 0
        held.set()


async def test_nobody_floods_the_other_workers_with_answers(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.serve([])
    session = await opened(rig)
    headers = {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session}
    # Time stands still for budgets: however slow the machine is, none fills again meanwhile.
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: 0.0))
    told = [
        (await rig.post({"jsonrpc": "2.0", "id": f"archway-{number}", "result": {}}, headers=headers)).status
        for number in range(int(LETTERS_PER_S) + 5)
    ]
    assert (told[0], told[-1]) == (202, 503)


async def test_what_is_too_long_goes_to_no_other_worker_and_through_no_redis(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_rig() as rig, make_rig(control=rig.control) as other, McpUpstream(era="legacy") as server:
        other.token = rig.token
        server.tool("ask", LEGACY_ASKS)
        await serve(rig, server)
        asked = (await call(rig)).result
        (key,) = asked["inputRequests"]
        monkeypatch.setattr(elsewhere, "LARGEST", 1_000)
        long = {"action": "accept", "content": {"city": "x" * 1_000}}
        refused = await call(other, inputResponses={key: long}, requestState=asked["requestState"])
        assert refused.status == 413
        monkeypatch.setattr(elsewhere, "LARGEST_OUTCOME", 10)
        told = await call(other, inputResponses={key: PARIS}, requestState=asked["requestState"])
        assert told.refusal["code"] == "upstream_too_large"


async def test_nobody_floods_the_other_workers_with_log_levels(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.serve([])
    session = await opened(rig)
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: 0.0))
    told = [
        (await rig.legacy("logging/setLevel", {"level": level}, session=session)).status
        for level in ("debug", "error") * 60
    ]
    assert told[0] == 200
    assert 503 in told
