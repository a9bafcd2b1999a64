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


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(error=(-32603, "no")), Answer(status=401)])
async def test_a_server_that_says_no_is_alive(rig: Rig, answer: Answer) -> None:
    async with McpUpstream(era="modern") as server:
        cut = Answer(cut=True)
        server.tool("t", [cut, cut, cut, cut, answer, cut, Answer(text="fine")])
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])

        for _ in range(6):
            await rig.call("t")

        assert (await rig.call("t")).result["content"][0]["text"] == "fine"
