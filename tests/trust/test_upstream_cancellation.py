"""A caller that closes its stream (row M-5): a modern one has cancelled its call, a legacy one has not."""

import asyncio
import time

import pytest

from core.tasks import Tasks
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.conftest import MakeRig, Rig, eventually

SOON_S = 10.0
"""The promise is 0.1 s; a busy machine is given more, and still less than any deadline of the call."""


@pytest.mark.parametrize(
    "era",
    [
        pytest.param("modern", id="M-5: modern caller, modern upstream"),
        pytest.param("legacy", id="M-5: modern caller, legacy upstream"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_modern_caller_that_leaves_has_cancelled_its_call(make_rig: MakeRig, era: str, stream: bool) -> None:
    async with McpUpstream(era=era) as server, make_rig(calls_per_upstream=1) as rig:
        server.tool("slow", Answer(text="late", hold=asyncio.Event(), stream=stream))
        connection = rig.control.installation(server.url)
        route = rig.control.tool("t", "slow", connection), rig.control.tool("quick", "echo", connection)
        await rig.serve(list(route))
        caller = Tasks("test").spawn("caller", rig.call("t"))
        await server.wait_for("tools/call")
        assert (await rig.call("quick")).refusal["code"] == "busy"

        left = time.monotonic()
        caller.cancel()
        call = server.seen_of("tools/call")[0]
        if era == "modern":
            await server.wait_until(lambda: call.abandoned)
        else:
            await server.wait_for("notifications/cancelled")
            told = server.seen_of("notifications/cancelled")[0]
            assert told.params["requestId"] == call.id
            assert told.session == call.session
        assert time.monotonic() - left < SOON_S

        await eventually(lambda: _no_call_runs(rig))
        assert (await rig.call("quick")).result["content"]  # the place is free again
        assert not call.answered


@pytest.mark.parametrize("_row", [pytest.param(0, id="M-5: legacy caller")])
@pytest.mark.parametrize("progress", [0, 3])
async def test_a_legacy_caller_that_leaves_has_not_cancelled(rig: Rig, progress: int, _row: int) -> None:
    async with McpUpstream(era="legacy") as server:
        held = asyncio.Event()
        server.tool("slow", Answer(text="late", hold=held, progress=progress))
        await rig.serve([rig.control.tool("t", "slow", rig.control.installation(server.url))])
        session = await rig.open_session()
        params = {"name": "t", "arguments": {}, "_meta": {"progressToken": 1}}
        caller = Tasks("test").spawn("caller", rig.legacy("tools/call", params, session=session))
        await server.wait_for("tools/call")

        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        await asyncio.sleep(0.2)
        assert rig.worker.deps.usage.calls_in_flight == 1
        held.set()

        await eventually(lambda: _no_call_runs(rig))
        call = server.seen_of("tools/call")[0]
        assert call.answered
        assert not call.abandoned
        assert not server.seen_of("notifications/cancelled")


async def _no_call_runs(rig: Rig) -> bool:
    return rig.worker.deps.usage.calls_in_flight == 0
