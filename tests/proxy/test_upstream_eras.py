"""Which era a server is taken for, by what it answers to the first modern question; and servers that change."""

import asyncio
from typing import Any

import pytest

from core.mcp.versions import MODERN
from core.probes import ProbeQuestion
from proxy.upstream import eras
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fakes.scripted_upstream import RESET, ScriptedUpstream
from tests.fixtures_redis import RedisServer
from tests.plugins.moved_clock import MovedClock
from tests.proxy.conftest import Rig, eventually, running_rig

HTML = {"Content-Type": "text/html"}
UNSUPPORTED = -32022


def modern_error(*supported: str) -> tuple[int, str, Any]:
    return UNSUPPORTED, "unsupported", {"supported": list(supported)}


LEGACY_BY = {
    "400 as the TypeScript SDK answers": Answer(error=(-32000, "Bad Request: Server not initialized"), status=400),
    "400 without a body": Answer(status=400),
    "404": Answer(status=404),
    "405": Answer(status=405),
    "406": Answer(error=(-32000, "Not Acceptable"), status=406),
    "an unknown method": Answer(error=(-32601, "Method not found")),
    "an unknown method at 404": Answer(error=(-32601, "Method not found"), status=404),
    "wrong parameters": Answer(error=(-32602, "Invalid request parameters"), status=400),
    "only legacy versions supported": Answer(error=modern_error("2025-11-25"), status=400),
    "no list of supported versions": Answer(error=(UNSUPPORTED, "unsupported"), status=400),
    "a discovery with legacy versions only": Answer(result={"supportedVersions": ["2025-11-25"], "capabilities": {}}),
    "a result that is no discovery": Answer(result={"tools": []}),
    "a page": Answer(raw=b"<html>", headers=HTML),
    "an answer to nobody": Answer(result={}, wrong_id=True),
    "an empty event stream": Answer(stream=True, finals=0),
}


async def one_tool(rig: Rig, url: str, **fields: Any) -> None:
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(url, **fields))])


@pytest.mark.parametrize("answer", LEGACY_BY.values(), ids=LEGACY_BY.keys())
async def test_a_server_is_legacy_by(rig: Rig, answer: Answer) -> None:
    async with McpUpstream(era="legacy") as server:
        server.on("server/discover", answer)
        server.era = "both"  # so that the answer above is not judged before it is given
        await one_tool(rig, server.url)

        for _ in range(2):
            assert (await rig.call("t")).result["content"]

        methods = [one.method for one in server.seen]
        assert methods.count("server/discover") == 1
        assert methods.count("initialize") == 1
        assert server.seen_of("tools/call")[0].session


@pytest.mark.parametrize(
    "answer",
    [
        Answer(result={"supportedVersions": ["2025-11-25", MODERN], "capabilities": {}}),
        Answer(result={"supportedVersions": [MODERN], "capabilities": {}}, stream=True),
        Answer(error=modern_error("2027-01-01", MODERN), status=400),
    ],
)
async def test_a_server_is_modern_by(rig: Rig, answer: Answer) -> None:
    async with McpUpstream(era="modern") as server:
        server.on("server/discover", answer)
        await one_tool(rig, server.url)

        assert (await rig.call("t")).result["content"]
        assert [one.method for one in server.seen] == ["server/discover", "tools/call"]


PASSING = {
    "429": Answer(status=429),
    "408": Answer(status=408),
    "404": Answer(status=404),
    "500": Answer(status=500),
    "503 with words": Answer(error=(-32000, "overloaded"), status=503),
    "a cut answer": Answer(cut=True),
    "half an answer": Answer(raw=b'{"jsonrpc":"2.0","resu', headers={"Content-Type": "application/json"}),
    "a page": Answer(raw=b"<html>", headers=HTML),
    "a page of a proxy": Answer(raw=b"<html>", headers=HTML, status=502),
    "an empty event stream": Answer(stream=True, finals=0),
}
DISCOVERED = Answer(result={"supportedVersions": [MODERN], "capabilities": {}})


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())
async def test_a_modern_server_is_served_again_as_soon_as_a_fault_has_passed(rig: Rig, answer: Answer) -> None:
    """What may pass is evidence of nothing: `initialize` is tried, and where that fails too nothing is remembered."""
    async with McpUpstream(era="modern") as server:
        server.on("server/discover", [answer, answer, answer, DISCOVERED])
        await one_tool(rig, server.url)
        rig.prepared = None  # told of first calls

        for _ in range(3):
            assert (await rig.call("t")).refusal["code"].startswith("upstream_")
        assert (await rig.call("t")).result["content"][0]["text"] == "{}"
        assert (await rig.call("t")).result["content"][0]["text"] == "{}"
        assert len(server.seen_of("server/discover")) == 4


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())
async def test_a_server_of_both_eras_goes_on_through_a_fault_and_is_asked_again_soon(
    rig: Rig, answer: Answer, clock: MovedClock
) -> None:
    """A verdict that rests on a refusal is short-lived: it is asked again, and calls do not wait for that."""
    async with McpUpstream(era="both") as server:
        server.on("server/discover", [answer, DISCOVERED])
        await one_tool(rig, server.url)

        assert (await rig.call("t")).result["content"]
        assert server.seen_of("tools/call")[0].session
        clock.pass_by(eras._SHORT_AGE_S + 1)
        assert (await rig.call("t")).result["content"]  # in the session still
        assert server.seen_of("tools/call")[1].session
        await server.wait_for("server/discover", 2)

        async def is_modern() -> bool:
            await rig.call("t")
            return server.seen_of("tools/call")[-1].session is None

        await eventually(is_modern)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=429), "upstream_status"),
        (Answer(status=500), "upstream_status"),
        (Answer(status=503), "upstream_status"),
        (Answer(cut=True), "upstream_broken"),
    ],
)
async def test_a_server_that_answers_neither_is_told_by_what_it_said_first(
    rig: Rig, answer: Answer, code: str
) -> None:
    async with McpUpstream(era="modern") as server:
        server.on("server/discover", answer)
        await one_tool(rig, server.url)
        rig.prepared = None  # told of first calls

        refused = await rig.call("t")

        assert refused.refusal["code"] == code
        assert len(server.seen_of("initialize")) == 1
        server.on("server/discover", DISCOVERED)
        assert (await rig.call("t")).result["content"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_credential_that_is_not_taken_says_nothing_of_the_era(rig: Rig, status: int) -> None:
    async with McpUpstream(era="modern") as server:
        server.on("server/discover", Answer(status=status, headers={"WWW-Authenticate": "Bearer"}))
        await one_tool(rig, server.url)

        refused = await rig.call("t")

        assert refused.refusal["code"] == "upstream_credential"
        assert not server.seen_of("initialize")
        server.on("server/discover", DISCOVERED)
        assert (await rig.call("t")).result["content"]


async def test_a_server_that_is_silent_is_asked_to_open_a_session(rig: Rig, clock: MovedClock) -> None:
    async with McpUpstream(era="both") as server, asyncio.TaskGroup() as tasks:
        late = Answer(hold=asyncio.Event())
        server.on("server/discover", [late, DISCOVERED])
        await one_tool(rig, server.url)

        caller = tasks.create_task(rig.call("t"))
        await server.wait_for("server/discover")
        clock.pass_by(eras._PROBE_S)
        assert (await caller).result["content"]
        assert len(server.seen_of("initialize")) == 1


async def test_a_silent_server_that_opens_no_session_either_is_slow_and_nothing_is_remembered(
    rig: Rig, clock: MovedClock
) -> None:
    async with McpUpstream(era="modern") as server, asyncio.TaskGroup() as tasks:
        late = Answer(hold=asyncio.Event())
        server.on("server/discover", [late, DISCOVERED])
        await one_tool(rig, server.url)
        rig.prepared = None  # told of first calls

        caller = tasks.create_task(rig.call("t"))
        await server.wait_for("server/discover")
        clock.pass_by(eras._PROBE_S)
        assert (await caller).refusal["code"] == "upstream_slow"
        assert (await rig.call("t")).result["content"]


async def test_a_reset_is_not_taken_for_legacy(rig: Rig) -> None:
    async with ScriptedUpstream([RESET]) as server:
        await one_tool(rig, server.url + "/mcp")
        rig.prepared = None  # told of first calls

        for _ in range(2):
            assert (await rig.call("t")).refusal["code"] == "upstream_broken"
        asked = [b"server/discover" in request for request in server.requests]
        assert asked == [True, False, True, False]  # and then `initialize`, each time


@pytest.mark.parametrize(("pin", "first"), [("legacy", "initialize"), (MODERN, "tools/call")])
async def test_a_pinned_server_is_not_asked(rig: Rig, pin: Any, first: str) -> None:
    async with McpUpstream(era="both") as server:
        await one_tool(rig, server.url, protocol=pin)

        assert (await rig.call("t")).result["content"]
        assert server.seen[0].method == first


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_server_that_is_pinned_to_a_legacy_revision_is_spoken_to_in_it(rig: Rig, revision: Any) -> None:
    async with McpUpstream(era="both") as server:
        await one_tool(rig, server.url, protocol="legacy", revision=revision)

        assert (await rig.call("t")).result["content"]
        assert server.seen[0].params["protocolVersion"] == revision
        assert server.seen_of("tools/call")[0].headers["MCP-Protocol-Version"] == revision
        assert server.complaints == []


@pytest.mark.parametrize(
    ("answer", "second"),
    [
        (Answer(status=400), "2025-03-26"),
        (Answer(error=(-32602, "Unsupported protocol version", {"supported": ["2025-06-18"]})), "2025-06-18"),
        (Answer(error=(-32000, "Bad Request: Unsupported version (use 2024-11-05)"), status=400), "2024-11-05"),
        (Answer(raw=b"supported versions: 2025-06-18, 2025-03-26", status=400), "2025-06-18"),
    ],
    ids=["400", "in its data", "in its text", "in plain text"],
)
async def test_a_server_that_refuses_our_newest_revision_is_asked_again_with_one_that_it_names(
    rig: Rig, answer: Answer, second: str
) -> None:
    async with McpUpstream(era="both") as server:
        opened = Answer(
            result={"protocolVersion": second, "capabilities": {}, "serverInfo": {}}, headers={"Mcp-Session-Id": "s"}
        )
        server.sessions["s"] = second
        server.on("server/discover", Answer(error=(-32601, "Method not found")))
        server.on("initialize", [answer, opened])
        await one_tool(rig, server.url)

        assert (await rig.call("t")).result["content"]
        assert server.seen_of("initialize")[1].params["protocolVersion"] == second
        assert server.seen_of("tools/call")[0].headers["MCP-Protocol-Version"] == second


@pytest.mark.parametrize(("before", "after"), [("modern", "legacy"), ("modern", "legacy-stateless")])
async def test_a_modern_server_replaced_by_a_legacy_one_is_met_again(rig: Rig, before: Any, after: Any) -> None:
    async with McpUpstream(era=before) as server:
        await one_tool(rig, server.url)
        assert (await rig.call("t")).result["content"]

        server.era = after
        await rig.call("t")  # may be told that it failed: what a refused request has done is not known

        assert (await rig.call("t")).result["content"][0]["text"] == "{}"


async def test_a_legacy_server_replaced_by_a_modern_one_is_met_again(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as server:
        await one_tool(rig, server.url)
        assert (await rig.call("t")).result["content"]

        server.era = "modern"
        server.forget_sessions()
        await rig.call("t")

        assert (await rig.call("t")).result["content"][0]["text"] == "{}"


async def test_a_server_that_refuses_initialize_for_its_version_is_asked_again_once(rig: Rig) -> None:
    async with McpUpstream(era="both") as server:
        good = Answer(result={"supportedVersions": [MODERN], "capabilities": {}})
        server.on("server/discover", [Answer(status=404), good])
        server.on("initialize", Answer(error=modern_error(MODERN), status=400))
        await one_tool(rig, server.url)

        assert (await rig.call("t")).result["content"]
        assert [one.method for one in server.seen] == [
            "server/discover",
            "initialize",
            "server/discover",
            "tools/call",
        ]


async def test_a_server_that_refuses_both_eras_is_not_asked_for_ever(rig: Rig) -> None:
    async with McpUpstream(era="both") as server:
        server.on("server/discover", Answer(status=404))
        server.on("initialize", Answer(error=modern_error("2031-01-01"), status=400))
        await one_tool(rig, server.url)
        rig.prepared = None  # told of first calls

        assert (await rig.call("t")).refusal["code"] == "upstream_era"
        assert len(server.seen) == 3


async def test_what_one_worker_discovered_is_asked_again_by_all(rig: Rig, redis_server: RedisServer) -> None:
    """Control announces a discovery that went well as a change of the installation."""
    async with (
        McpUpstream(era="both") as server,
        running_rig(redis_server, rig.way, control=rig.control) as second,
    ):
        server.on("server/discover", [*[Answer(status=429)] * 2, DISCOVERED])
        connection = rig.control.installation(server.url)
        await rig.serve([rig.control.tool("t", "echo", connection)])
        for worker in (rig, second):
            assert (await worker.call("t", token=rig.token)).result["content"]
        assert all(one.session for one in server.seen_of("tools/call"))

        assert not (await rig.worker.internal._prober.probe(ProbeQuestion(connection))).fault
        await rig.control.announce("installation", connection.installation_id)

        for worker in (rig, second):

            async def is_modern(worker: Rig = worker) -> bool:
                await worker.call("t", token=rig.token)
                return server.seen_of("tools/call")[-1].session is None

            await eventually(is_modern)


@pytest.mark.parametrize("answer", [*PASSING.values(), *LEGACY_BY.values()], ids=[*PASSING, *LEGACY_BY])
async def test_a_server_that_speaks_no_era_is_refused_and_asked_again_each_time(rig: Rig, answer: Answer) -> None:
    async with McpUpstream(era="both") as server:
        server.on("server/discover", answer)
        server.on("initialize", Answer(error=(-32601, "Method not found"), status=404))
        await one_tool(rig, server.url)
        rig.prepared = None  # told of first calls

        for calls in (1, 2):
            assert (await rig.call("t")).refusal["code"].startswith("upstream_")
            assert len(server.seen_of("initialize")) == calls
        assert not server.seen_of("tools/call")


async def test_a_legacy_verdict_is_asked_again_when_the_server_opens_no_session_any_more(rig: Rig) -> None:
    """A server of both eras that was met in a bad moment, and offers the modern one alone since."""
    async with McpUpstream(era="both") as server:
        server.on("server/discover", [Answer(status=503), DISCOVERED])
        await one_tool(rig, server.url)
        assert (await rig.call("t")).result["content"]
        server.era = "modern"

        await rig.call("t")  # may be told that it failed
        assert (await rig.call("t")).result["content"][0]["text"] == "{}"
        assert server.seen_of("tools/call")[-1].session is None
