"""A legacy server that ends the stream of a call while it works is asked for the rest, as it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from archway.up.ports import free_port
from core.tasks import Tasks
from tests.fakes.mcp_upstream import Answer, Era, McpUpstream
from tests.fakes.scripted_upstream import CLOSE, Script, ScriptedUpstream, head, ok
from tests.fixtures_upstreams import ROOT, answering, running
from tests.proxy.conftest import Rig, eventually

FIRST = b"id: e-1\nretry: 1\ndata:\n\n"
STREAM, JSON = b"Content-Type: text/event-stream", b"Content-Type: application/json"


@pytest.fixture(scope="module")
def polled_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, log = free_port(), tmp_path_factory.mktemp("polled") / "log"
    command = [sys.executable, "-P", "-m", "tests.fakes.polled_server", str(port)]
    with running(command, {"PYTHONPATH": str(ROOT)}, log) as process:
        yield answering(f"http://127.0.0.1:{port}/mcp", process, log)


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_real_servers_stream_is_taken_up_each_time_that_it_ends(
    rig: Rig, polled_server: str, era: str
) -> None:
    await rig.serve([rig.control.tool("t", "poll", rig.control.installation(polled_server, protocol="legacy"))])
    params = {"name": "t", "arguments": {"closes": 3}, "_meta": {"progressToken": "p"}}
    if era == "modern":
        reply = await rig.call("t", {"closes": 3}, meta={"progressToken": "p"})
    else:
        reply = await rig.legacy("tools/call", params, session=await rig.open_session())

    *progress, answer = reply.events
    assert [one["params"]["progress"] for one in progress] == [1, 2, 3]
    assert answer["result"]["content"][0]["text"] == "taken up 3 times"


def ended_early(era: Era = "legacy") -> McpUpstream:
    """A server whose tool `t` ends its stream at once, to be polled."""
    server = McpUpstream(era=era)
    server.tool("t", Answer(raw=FIRST, headers={"Content-Type": "text/event-stream"}))
    return server


async def test_a_server_that_does_not_go_on_with_its_stream_has_broken_its_answer(rig: Rig) -> None:
    async with ended_early("legacy-stateless") as server:  # which answers GET with 405
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])

        reply = await rig.call("t")

        assert reply.refusal["code"] == "upstream_broken"
        (asked,) = server.seen_of("GET")
        assert asked.headers["Last-Event-ID"] == "e-1"
        assert asked.headers["Accept"] == "text/event-stream"
        assert len(server.seen_of("tools/call")) == 1


async def test_a_modern_caller_that_leaves_while_its_stream_is_polled_ends_the_call(rig: Rig) -> None:
    async with ended_early() as server:
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        caller = Tasks("test").spawn("caller", rig.call("t"))
        await server.wait_for("GET")

        caller.cancel()

        await server.wait_for("notifications/cancelled")
        (call,) = server.seen_of("tools/call")
        assert server.seen_of("notifications/cancelled")[0].params["requestId"] == call.id
        polled = server.seen_of("GET")[0]
        await server.wait_until(lambda: polled.abandoned)
        await eventually(lambda: nothing_runs(rig))


async def nothing_runs(rig: Rig) -> bool:
    return not rig.worker.deps.usage.calls_in_flight


async def test_a_stream_that_breaks_off_is_taken_up_where_it_did(rig: Rig) -> None:
    called: list[Any] = []

    def answers(request: bytes) -> Script:
        if request.startswith(b"GET"):
            answer = {"jsonrpc": "2.0", "id": called[-1]["id"], "result": {"content": []}}
            return [head(STREAM, b"Connection: close"), b"data: " + orjson.dumps(answer) + b"\n\n", CLOSE]
        message = orjson.loads(request.partition(b"\r\n\r\n")[2])
        if message["method"] == "tools/call":
            called.append(message)
            return [head(STREAM, b"Transfer-Encoding: chunked"), b"%x\r\n%b\r\n" % (len(FIRST), FIRST), CLOSE]
        if message["method"] == "initialize":
            result = {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "serverInfo": {"name": "s", "version": "1"},
            }
            return [ok(orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), JSON)]
        return [ok(b"", status=b"202 Accepted")]

    async with ScriptedUpstream(answers) as server:
        connection = rig.control.installation(server.url + "/mcp", protocol="legacy")
        await rig.serve([rig.control.tool("t", "t", connection)])
        for _ in range(3):  # with and without what is known of the server
            assert (await rig.call("t")).result["content"] == []
        assert len(called) == 3
