"""Progress on its way to the caller, and what it does to the call's deadline."""

import asyncio
from typing import Any

import pytest

from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.plugins.moved_clock import MovedClock
from tests.proxy.conftest import MakeRig, Rig


async def shared_tool(rig: Rig, server: McpUpstream, **fields: Any) -> None:
    await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url, isolation="shared", **fields))])


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_two_callers_with_equal_ids_and_tokens_each_get_their_own_progress(rig: Rig, era: str) -> None:
    async with McpUpstream(era=era) as server:
        server.tool("t", lambda got: Answer(text=got.arguments["me"], progress=got.arguments["steps"], pace=0.02))
        await shared_tool(rig, server)
        other, session = rig.control.token(), await rig.open_session()

        legacy, modern, silent = await asyncio.gather(
            rig.legacy(
                "tools/call",
                {"name": "t", "arguments": {"me": "legacy", "steps": 3}, "_meta": {"progressToken": 1}},
                session=session,
            ),
            rig.call("t", {"me": "modern", "steps": 5}, meta={"progressToken": 1}, token=other),
            rig.call("t", {"me": "silent", "steps": 4}),
        )

        for reply, me, steps in ((legacy, "legacy", 3), (modern, "modern", 5)):
            *progress, final = reply.events
            assert [step["params"]["progress"] for step in progress] == list(range(1, steps + 1))
            assert {step["params"]["progressToken"] for step in progress} == {1}
            assert final["id"] == 1
            assert final["result"]["content"][0]["text"] == me
        assert silent.result["content"][0]["text"] == "silent"
        tokens = [call.meta.get("progressToken") for call in server.seen_of("tools/call")]
        assert len(set(tokens)) == 3  # two of ours, and none for who did not ask


async def test_progress_for_another_call_is_dropped(rig: Rig) -> None:
    foreign = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p0", "progress": 1}}
    async with McpUpstream(era="modern") as server:
        server.tool("t", Answer(text="fine", before=[foreign]))
        await shared_tool(rig, server)

        reply = await rig.call("t", meta={"progressToken": "p0"})

        assert reply.result["content"][0]["text"] == "fine"
        assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_call_past_its_deadline_is_ended_and_its_upstream_told(
    make_rig: MakeRig, era: str, clock: MovedClock
) -> None:
    async with make_rig(call_seconds=60) as rig, McpUpstream(era=era) as server, asyncio.TaskGroup() as tasks:
        server.tool("t", Answer(hold=asyncio.Event()))
        await shared_tool(rig, server)

        caller = tasks.create_task(rig.call("t"))
        await server.wait_for("tools/call")
        clock.pass_by(60)
        refused = await caller

        assert refused.refusal["code"] == "upstream_slow"
        assert "60 s" in refused.result["content"][0]["text"]
        call = server.seen_of("tools/call")[0]
        await server.wait_until(lambda: call.abandoned)
        if era == "legacy":
            await server.wait_for("notifications/cancelled")
            assert server.seen_of("notifications/cancelled")[0].params["requestId"] == call.id
        assert server.complaints == []


async def test_the_deadline_of_an_entry_is_shorter_or_longer_than_the_setting(
    make_rig: MakeRig, clock: MovedClock
) -> None:
    released = asyncio.Event()
    async with make_rig(call_seconds=60) as rig, McpUpstream(era="modern") as server, asyncio.TaskGroup() as tasks:
        server.tool("t", Answer(text="late", hold=released))
        await shared_tool(rig, server, deadline_s=120.0)

        caller = tasks.create_task(rig.call("t"))
        await server.wait_for("tools/call")
        clock.pass_by(90)
        await asyncio.sleep(0.2)  # whatever is due has its turn
        released.set()

        assert (await caller).result["content"][0]["text"] == "late"


async def test_progress_extends_the_deadline(make_rig: MakeRig, clock: MovedClock) -> None:
    async with make_rig(call_seconds=60) as rig, McpUpstream(era="modern") as server:
        server.tool("t", Answer(text="long", progress=4, pace=40))
        await shared_tool(rig, server)

        async with rig.events("t", meta={"progressToken": "x"}) as events:
            for step in range(1, 5):
                assert (await anext(events))["params"]["progress"] == step
                clock.pass_by(40)

            assert (await anext(events))["result"]["content"][0]["text"] == "long"


async def test_progress_extends_nothing_beyond_the_ceiling(make_rig: MakeRig, clock: MovedClock) -> None:
    async with make_rig(call_seconds=60, call_ceiling_seconds=100) as rig, McpUpstream(era="legacy") as server:
        server.tool("t", Answer(progress=40, pace=40))
        await shared_tool(rig, server)

        async with rig.events("t", meta={"progressToken": "x"}) as events:
            for seconds in (40, 40, 20):
                assert "params" in await anext(events)
                clock.pass_by(seconds)

            result = (await anext(events))["result"]
            assert result["_meta"]["archway/refusal"]["code"] == "upstream_slow"
            assert "within 100 s" in result["content"][0]["text"]
        await server.wait_for("notifications/cancelled")


async def test_a_refusal_after_progress_is_the_last_event(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("t", Answer(progress=1, cut=True))
        await shared_tool(rig, server)

        reply = await rig.call("t", meta={"progressToken": "x"})

        assert reply.status == 200
        assert [event.get("id") for event in reply.events] == [None, 1]
        assert reply.events[-1]["result"]["_meta"]["archway/refusal"]["code"] == "upstream_broken"
