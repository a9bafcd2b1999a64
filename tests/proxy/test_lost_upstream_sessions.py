"""Servers that lose their sessions and say so in their own ways: the next call works, and none is run twice."""

from typing import Any

import pytest
from aiohttp import web

from core.probes import ProbeQuestion
from tests.fakes.forgetful_upstream import ENDED_BY, LOST_BY, ForgetfulUpstream, Refusing
from tests.fakes.mcp_upstream import Answer, Era, McpUpstream
from tests.fixtures_redis import RedisServer
from tests.proxy.conftest import Rig, running_rig

GOOD = "fine"


async def one_tool(rig: Rig, server: McpUpstream, **fields: Any) -> None:
    server.tool("t", Answer(text=GOOD))
    await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url, **fields))])


async def said(rig: Rig, **more: Any) -> str:
    return str((await rig.call("t", **more)).result["content"][0]["text"])


@pytest.mark.parametrize("refusing", LOST_BY.values(), ids=LOST_BY.keys())
@pytest.mark.parametrize("warm", [True, False], ids=["over a connection at hand", "over a new connection"])
async def test_a_call_is_sent_again_in_a_new_session_where_the_server_says_that_it_lost_the_old_one(
    rig: Rig, refusing: Refusing, warm: bool
) -> None:
    async with ForgetfulUpstream(refusing) as server:
        await one_tool(rig, server)
        assert await said(rig) == GOOD
        if not warm:
            await server.stop()
            await server.start()
        server.forget_sessions()

        assert await said(rig) == GOOD
        assert await said(rig) == GOOD

        sessions = [one.session for one in server.seen_of("tools/call")]
        assert sessions[0] == sessions[1] != sessions[2] == sessions[3]
        assert len(server.seen_of("initialize")) == 2


DOUBTED_BY = [
    ENDED_BY[name]
    for name in ("400 of the call's own id", "500 without a word", "502 of a proxy between", "503 without a word")
]
"""After these the server is asked whether it has the session before it is used again."""


@pytest.mark.parametrize("refusing", ENDED_BY.values(), ids=ENDED_BY.keys())
async def test_a_refusal_without_a_reason_ends_the_session_and_its_call_is_not_run_again(
    rig: Rig, refusing: Refusing
) -> None:
    async with ForgetfulUpstream(refusing) as server:
        await one_tool(rig, server)
        assert await said(rig) == GOOD
        server.forget_sessions()

        refusal = (await rig.call("t")).refusal
        assert (refusal["code"] == "upstream_session") == refusal["retryable"] == (refusing not in DOUBTED_BY)
        assert len(server.seen_of("tools/call")) == 2
        assert await said(rig) == GOOD

        assert len(server.seen_of("tools/call")) == 3
        assert len(server.seen_of("initialize")) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500),
        Answer(status=503),
        Answer(error=(-32603, "it broke"), status=500),
        Answer(error=(-32602, "wrong arguments"), status=400),
    ],
)
async def test_a_session_that_the_server_still_has_outlives_a_call_that_failed(rig: Rig, answer: Answer) -> None:
    """What a tool keeps in its session (an open page, a login) is not lost because one call of it failed."""
    async with McpUpstream(era="legacy") as server:
        server.tool("t", [Answer(text=GOOD), answer, Answer(text=GOOD)])
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        assert await said(rig) == GOOD
        assert (await rig.call("t")).refusal
        assert await said(rig) == GOOD

        assert len({one.session for one in server.seen_of("tools/call")}) == 1
        assert len(server.seen_of("ping")) == 1


@pytest.mark.parametrize(
    "ping",
    [
        Answer(raw=b"", headers={"Content-Type": "application/json"}),
        Answer(raw=b"<html>", headers={"Content-Type": "text/html"}),
        Answer(raw=b'{"jsonrpc":', headers={"Content-Type": "application/json"}),
        Answer(result={}, cut=True),
        Answer(result={}, delay=60),
        Answer(result={}, stream=True, finals=0),
    ],
    ids=["an empty body", "a web page", "half of an answer", "cut", "slow", "a stream without an answer"],
)
async def test_a_session_whose_ping_fails_is_given_up_for_a_new_one(
    rig: Rig, ping: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.upstream.sessions._PING_S", 0.5)
    async with McpUpstream(era="legacy") as server:
        server.tool("t", [Answer(text=GOOD), Answer(status=500), Answer(text=GOOD)])
        server.on("ping", ping)
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        assert await said(rig) == GOOD
        assert (await rig.call("t")).refusal

        assert await said(rig) == GOOD

        assert (len(server.seen_of("ping")), len(server.seen_of("initialize"))) == (1, 2)


@pytest.mark.parametrize("status", [401, 403, 413, 415, 429])
async def test_a_refusal_of_something_else_leaves_the_session_as_it_is(rig: Rig, status: int) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("t", [Answer(text=GOOD), Answer(status=status), Answer(text=GOOD)])
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        assert await said(rig) == GOOD
        assert (await rig.call("t")).refusal
        assert await said(rig) == GOOD

        assert len(server.seen_of("initialize")) == 1


@pytest.mark.parametrize(
    "error",
    [
        (-32603, "Session not found"),
        (-32602, "No such session: 7"),
        (-32000, "the browser session was closed"),
        (-32001, "Request timed out"),
    ],
)
async def test_an_error_about_a_session_of_the_tools_own_is_told_and_its_call_not_run_again(
    rig: Rig, error: tuple[int, str]
) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("t", Answer(error=error))
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])

        for calls in (1, 2):
            refused = await rig.call("t")
            assert refused.refusal["code"] == "upstream_error"
            assert refused.result["content"][1]["text"] == error[1]
            assert len(server.seen_of("tools/call")) == calls


@pytest.mark.parametrize("era", ["legacy", "legacy-stateless"])
@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (400, -32000, "The browser session was closed by the user"),
        (422, -32602, "Argument 'session' is required"),
        (400, -32001, "No active checkout session"),
        (409, -32603, "the session of this page has expired"),
    ],
)
async def test_a_tool_that_tells_of_its_own_session_with_a_status_of_failure_is_run_once(
    rig: Rig, era: Era, status: int, code: int, text: str
) -> None:
    async with McpUpstream(era=era) as server:
        server.tool("t", [Answer(text=GOOD), Answer(error=(code, text), status=status)])
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        assert await said(rig) == GOOD

        refused = await rig.call("t")

        assert refused.result["content"][1]["text"] == text
        assert len(server.seen_of("tools/call")) == 2


async def test_an_error_that_a_new_session_gets_too_is_told(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        server.tool("t", [Answer(text=GOOD), Answer(error=(-32001, "Session not found"))])
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        assert await said(rig) == GOOD

        refused = await rig.call("t")

        assert refused.result["content"][1]["text"] == "Session not found"
        assert len(server.seen_of("tools/call")) == 3


@pytest.mark.parametrize("refusing", [LOST_BY["server-everything"], LOST_BY["500"], LOST_BY["200"]])
async def test_a_session_that_another_worker_left_in_redis_may_be_lost_too(
    rig: Rig, redis_server: RedisServer, refusing: Refusing
) -> None:
    async with (
        ForgetfulUpstream(refusing) as server,
        running_rig(redis_server, rig.way, control=rig.control) as second,
    ):
        await one_tool(rig, server)
        assert await said(rig) == GOOD
        sessions = second.worker.deps.upstreams.sessions
        installation = next(iter(rig.worker.installations.resolved.memory._held.values())).value
        await sessions.open_anew(sessions.key(installation, "user:x", None), installation, 20)
        key = rig.worker.deps.upstreams.sessions._held.items()[0][0]
        other = await sessions.open_anew(key, installation, 20)  # as where both began at the same time
        assert await said(rig) == GOOD
        assert server.seen_of("tools/call")[-1].session != other.session.id

        server.forget_sessions()

        assert await said(rig) == GOOD
        assert await said(second, token=rig.token) == GOOD


@pytest.mark.parametrize("refusing", [*LOST_BY.values(), *ENDED_BY.values()], ids=[*LOST_BY, *ENDED_BY])
async def test_discovery_begins_with_a_fresh_session(rig: Rig, refusing: Refusing) -> None:
    async with ForgetfulUpstream(refusing) as server:
        question = ProbeQuestion(rig.control.installation(server.url))
        prober = rig.worker.internal._prober
        assert not (await prober.probe(question)).fault
        server.forget_sessions()

        found = await prober.probe(question)

        assert found.fault == ""
        assert [tool["name"] for tool in found.tools] == ["echo"]
        assert len(server.seen_of("initialize")) == 2


async def test_a_server_without_sessions_that_begins_to_keep_some_is_met_again(rig: Rig) -> None:
    def refusing(_: Any) -> web.Response:
        return web.Response(status=400)

    async with ForgetfulUpstream(refusing, era="legacy-stateless") as server:
        await one_tool(rig, server)
        assert await said(rig) == GOOD
        server.era = "legacy"

        assert await said(rig) == GOOD
        assert server.seen_of("tools/call")[-1].session
