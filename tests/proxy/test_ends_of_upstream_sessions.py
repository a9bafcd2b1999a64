"""Sessions with legacy servers are ended when they are given up, and not before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from core.probes import ProbeQuestion
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.upstream.session_copies import AGE_S
from tests.fakes.forgetful_upstream import LOST_BY, ForgetfulUpstream
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_redis import RedisServer
from tests.plugins.moved_clock import MovedClock
from tests.proxy.conftest import Rig, eventually, running_rig

GOOD = Answer(text="fine")


async def one_tool(rig: Rig, server: McpUpstream, script: Any = GOOD, **fields: Any) -> ResolvedInstallation:
    server.tool("t", script)
    installation = rig.control.installation(server.url, **fields)
    await rig.serve([rig.control.tool("t", "t", installation)])
    return installation


async def ended(server: McpUpstream, count: int = 1) -> None:
    await server.wait_for("DELETE", count)


async def test_a_worker_that_stops_ends_its_sessions(rig: Rig, redis_server: RedisServer) -> None:
    async with McpUpstream(era="legacy") as server:
        async with running_rig(redis_server, rig.way, control=rig.control) as second:
            await one_tool(rig, server)
            assert (await second.call("t", token=rig.token)).result
            assert len(server.sessions) == 1

        assert [one.session for one in server.seen_of("DELETE")] == [server.seen_of("tools/call")[0].session]
        assert (server.sessions, server.complaints) == ({}, [])
        assert (await rig.call("t")).result  # in a new one: no copy leads to the old
        assert len(server.seen_of("tools/call")) == 2


async def test_what_another_worker_uses_outlives_the_one_that_stops(rig: Rig, redis_server: RedisServer) -> None:
    async with McpUpstream(era="legacy") as server:
        async with running_rig(redis_server, rig.way, control=rig.control) as second:
            await one_tool(rig, server)
            assert (await second.call("t", token=rig.token)).result
            assert (await rig.call("t")).result

        assert not server.seen_of("DELETE")
        assert (await rig.call("t")).result
        assert len(server.seen_of("initialize")) == 1


async def test_sessions_of_an_installation_that_is_gone_or_has_another_credential_are_ended(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        installation = await one_tool(rig, server)
        assert (await rig.call("t")).result
        await rig.control.announce("installation", installation.installation_id, -1)
        await ended(server)
        assert server.sessions == {}


async def test_a_discovery_ends_no_session_of_a_caller(rig: Rig) -> None:
    """Control announces every discovery; what servers keep in sessions is not lost by it."""
    async with McpUpstream(era="legacy") as server:
        installation = await one_tool(rig, server)
        assert (await rig.call("t")).result
        await rig.control.announce("installation", installation.installation_id)
        head = rig.control.number
        await eventually(lambda: _applied(rig, head))
        assert (await rig.call("t")).result
        assert len(server.seen_of("initialize")) == 1
        assert not server.seen_of("DELETE")


async def _applied(rig: Rig, number: int) -> bool:
    return rig.worker.changes.number >= number


async def test_a_session_ends_with_its_credential_once_a_newer_one_is_used(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        first = await one_tool(rig, server, credential_headers=[("x-key", "old")])
        assert (await rig.call("t")).result
        (assignment,) = rig.control.installations
        rig.control.installations[assignment] = replace(first, version=2, credential_headers=[("x-key", "new")])
        await rig.control.announce("installation", first.installation_id)
        await eventually(lambda: _called_with(rig, server, "new"))

        await ended(server)
        (sent,) = server.seen_of("DELETE")
        assert (sent.session, sent.headers["x-key"]) == (server.seen_of("tools/call")[0].session, "old")
        assert len(server.sessions) == 1


async def _called_with(rig: Rig, server: McpUpstream, key: str) -> bool:
    await rig.call("t")
    return server.seen_of("tools/call")[-1].headers["x-key"] == key


async def test_a_call_that_runs_in_a_session_that_was_given_up_is_answered_before_it_ends(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        goes_on = asyncio.Event()
        installation = await one_tool(rig, server, [GOOD, Answer(text="late", hold=goes_on)])
        assert (await rig.call("t")).result
        tasks = Tasks("test")
        running = tasks.spawn("call", rig.call("t"))
        await server.wait_for("tools/call", 2)
        await rig.control.announce("installation", installation.installation_id, -1)
        await eventually(lambda: _waits_to_be_ended(rig))
        for _ in range(3):
            await rig.worker.deps.upstreams.sessions.ends.end_due()
        assert not server.seen_of("DELETE")

        goes_on.set()
        assert (await running).result["content"][0]["text"] == "late"
        await ended(server)


async def _waits_to_be_ended(rig: Rig) -> bool:
    return len(rig.worker.deps.upstreams.sessions.ends) == 1


async def test_a_session_that_nobody_uses_is_ended_when_it_is_old(rig: Rig, clock: MovedClock) -> None:
    async with McpUpstream(era="legacy") as server:
        await one_tool(rig, server)
        assert (await rig.call("t")).result
        clock.pass_by(AGE_S + 1)
        await ended(server)


async def test_a_session_that_has_to_make_room_is_ended(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async with McpUpstream(era="legacy") as server:
        monkeypatch.setattr(rig.worker.deps.upstreams.sessions._held, "_most", 1)
        await one_tool(rig, server)
        assert (await rig.call("t")).result
        assert (await rig.call("t", token=rig.control.token())).result
        await ended(server)
        assert server.seen_of("DELETE")[0].session == server.seen_of("tools/call")[0].session


async def test_a_discovery_ends_the_session_of_the_one_before(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        question = ProbeQuestion(rig.control.installation(server.url))
        for _ in range(2):
            assert not (await rig.worker.internal._prober.probe(question)).fault
        await ended(server)
        assert len(server.sessions) == 1


async def test_a_session_that_the_server_has_lost_is_not_ended_again(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        await one_tool(rig, server)
        assert (await rig.call("t")).result
        server.forget_sessions()
        assert (await rig.call("t")).result
        await rig.worker.deps.upstreams.sessions.close()
        assert [one.session for one in server.seen_of("DELETE")] == [server.seen_of("tools/call")[-1].session]


async def test_a_server_that_refuses_in_a_new_session_too_means_the_call(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        await one_tool(rig, server, [GOOD, Answer(status=400)])
        assert (await rig.call("t")).result

        refusals = [(await rig.call("t")).refusal for _ in range(2)]

        assert [one["code"] for one in refusals] == ["upstream_session", "upstream_status"]
        assert [one["retryable"] for one in refusals] == [True, False]
        assert len(server.seen_of("tools/call")) == 3


async def test_a_session_that_a_server_refuses_without_a_word_is_ended(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        await one_tool(rig, server, [GOOD, Answer(status=400)])
        assert (await rig.call("t")).result
        assert (await rig.call("t")).refusal
        await server.wait_for("DELETE")
        assert server.seen_of("DELETE")[0].session == server.seen_of("tools/call")[0].session


async def test_fifty_calls_at_once_in_a_lost_session_open_one_new_session(rig: Rig) -> None:
    async with ForgetfulUpstream(LOST_BY["the specification"]) as server:
        await one_tool(rig, server, isolation="shared")
        tokens = [rig.control.token() for _ in range(5)]
        for token in tokens:
            assert (await rig.call("t", token=token)).result
        server.forget_sessions()

        replies = await asyncio.gather(*(rig.call("t", token=token) for token in tokens for _ in range(10)))

        assert {reply.result["content"][0]["text"] for reply in replies} == {"fine"}

        assert len(server.seen_of("initialize")) == 2
