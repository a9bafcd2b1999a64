"""One bad server takes nothing from the others: places per upstream, and the breaker."""

import asyncio

import pytest

from core.tasks import Tasks
from proxy.upstream import breakers
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.plugins.moved_clock import MovedClock
from tests.proxy.conftest import MakeRig, Rig


async def test_an_upstream_with_too_many_calls_is_busy_and_others_are_not(make_rig: MakeRig) -> None:
    async with make_rig(calls_per_upstream=4) as rig, McpUpstream(era="modern") as server:
        held = asyncio.Event()
        server.tool("slow", Answer(text="late", hold=held))
        slow, quick = rig.control.installation(server.url), rig.control.installation(server.url)
        await rig.serve([rig.control.tool("slow", "slow", slow), rig.control.tool("quick", "echo", quick)])
        callers = [Tasks("test").spawn("caller", rig.call("slow")) for _ in range(2)]
        await server.wait_for("tools/call", 2)

        busy = await rig.call("slow")

        assert busy.refusal["code"] == "busy"
        assert busy.refusal["retryable"] is True
        assert (await rig.call("quick")).result["content"]
        held.set()
        assert all(reply.result["content"] for reply in await asyncio.gather(*callers))
        assert (await rig.call("slow")).result["content"][0]["text"] == "late"


async def test_a_server_that_failed_repeatedly_is_left_alone_then_tried_by_one(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, clock: MovedClock
) -> None:
    monkeypatch.setattr(breakers, "_REST_S", 60.0)
    async with McpUpstream(era="modern") as server, McpUpstream(era="modern") as other:
        server.tool("t", [*[Answer(cut=True)] * 5, Answer(text="back")])
        bad, good = rig.control.installation(server.url), rig.control.installation(other.url)
        await rig.serve([rig.control.tool("bad", "t", bad), rig.control.tool("good", "echo", good)])

        for _ in range(5):
            assert (await rig.call("bad")).refusal["code"] == "upstream_broken"
        resting = await rig.call("bad")

        assert resting.refusal["code"] == "upstream_resting"
        assert len(server.seen_of("tools/call")) == 5
        assert (await rig.call("good")).result["content"]
        clock.pass_by(60)
        assert (await rig.call("bad")).result["content"][0]["text"] == "back"
        assert (await rig.call("bad")).result["content"][0]["text"] == "back"


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("answer", "rests"),
    [
        (Answer(cut=True), True),
        (Answer(stream=True, before=[{"jsonrpc": "2.0", "method": "notifications/message"}], cut=True), True),
        (Answer(raw=b"nonsense", headers=JSON), False),
        (Answer(raw=b"<html>", headers={"Content-Type": "text/html"}), False),
        (Answer(text="x", wrong_id=True), False),
        (Answer(stream=True, finals=0), False),
        (Answer(raw=b"", headers=JSON), False),
        (Answer(raw=b'"' + b"x" * 2000 + b'"', headers=JSON), False),
    ],
    ids=["cut", "a cut stream", "no JSON", "a page", "for nobody", "an empty stream", "empty", "too large"],
)
async def test_answers_of_one_tool_that_cannot_be_used_rest_no_other_tool_and_no_other_caller(
    make_rig: MakeRig, answer: Answer, rests: bool
) -> None:
    """A whole answer is proof of life, whatever it says; one that breaks off rests its own caller's tool alone."""
    async with make_rig(max_answer=1500) as rig, McpUpstream(era="modern") as server:
        server.tool("odd", answer)
        connection = rig.control.installation(server.url)
        await rig.serve([rig.control.tool("odd", "odd", connection), rig.control.tool("quick", "echo", connection)])
        another = rig.control.token("team")

        for _ in range(7):
            refused = (await rig.call("odd")).refusal["code"]
            assert (await rig.call("quick")).result["content"]
            assert (await rig.call("quick", token=another)).result["content"]
        assert (refused == "upstream_resting") is rests
        assert (await rig.call("odd", token=another)).refusal["code"] != "upstream_resting"


async def test_a_tool_that_hangs_rests_for_its_caller_alone(rig: Rig, clock: MovedClock) -> None:
    async with McpUpstream(era="modern") as server, asyncio.TaskGroup() as tasks:
        server.tool("hangs", Answer(text="late", hold=asyncio.Event()))
        connection = rig.control.installation(server.url)
        await rig.serve(
            [rig.control.tool("hangs", "hangs", connection), rig.control.tool("quick", "echo", connection)]
        )
        another = rig.control.token("team")
        assert (await rig.call("quick")).result["content"]

        calls = [tasks.create_task(rig.call("hangs")) for _ in range(5)]
        await server.wait_for("tools/call", 5, tool="hangs")
        clock.pass_by(61)
        assert {(await call).refusal["code"] for call in calls} == {"upstream_slow"}

        assert (await rig.call("hangs")).refusal["code"] == "upstream_resting"
        assert (await rig.call("quick")).result["content"]
        assert (await rig.call("quick", token=another)).result["content"]
        other = tasks.create_task(rig.call("hangs", token=another))
        await server.wait_for("tools/call", 6, tool="hangs")  # it is let through
        clock.pass_by(61)
        assert (await other).refusal["code"] == "upstream_slow"


async def test_a_server_that_starts_again_is_served_with_the_next_call(rig: Rig) -> None:
    """Where nobody listens nothing is spared by a rest, and callers would wait for its end."""
    async with McpUpstream(era="modern") as server:
        await rig.serve([rig.control.tool("t", "echo", rig.control.installation(server.url))])
        assert (await rig.call("t")).result["content"]
        await server.stop()
        for _ in range(7):
            assert (await rig.call("t")).refusal["code"] == "upstream_refused"
        await server.start()
        assert (await rig.call("t")).result["content"]


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(error=(-32603, "no")), Answer(status=401)])
async def test_a_server_that_says_no_is_alive(rig: Rig, answer: Answer) -> None:
    async with McpUpstream(era="modern") as server:
        cut = Answer(cut=True)
        server.tool("t", [cut, cut, cut, cut, answer, cut, Answer(text="fine")])
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])

        for _ in range(6):
            await rig.call("t")

        assert (await rig.call("t")).result["content"][0]["text"] == "fine"
