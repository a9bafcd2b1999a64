"""An answer that takes long becomes an event stream, for callers that take one; comments keep it alive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest

from core.mcp.event_stream import COMMENT_KEEPALIVE
from core.tasks import Tasks
from proxy.edge.long_calls import KEEPALIVE_S
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.plugins.moved_clock import MovedClock
from tests.proxy.conftest import MakeRig, Rig, modern_request

HOURS = 100_000.0
BOTH = "application/json, text/event-stream"
Asking = "asyncio.Task[aiohttp.ClientResponse]"


@asynccontextmanager
async def held_call(
    make_rig: MakeRig, era: str = "modern", accept: str = BOTH
) -> AsyncIterator[tuple[Rig, McpUpstream, asyncio.Event, Asking]]:
    """A modern call that the server holds until the event is set, and the answer to it as far as it has begun."""
    release = asyncio.Event()
    async with (
        make_rig(call_seconds=HOURS, call_ceiling_seconds=HOURS) as rig,
        McpUpstream(era=era) as server,
    ):
        server.tool("t", Answer(text="at last", hold=release))
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))])
        message, named = modern_request("tools/call", {"name": "t", "arguments": {}})
        headers = named | {"Authorization": f"Bearer {rig.token}", "Accept": accept}
        if rig.prepared is not None:
            await rig.prepared.prepare(message, rig.url(), headers)

        async def ask() -> aiohttp.ClientResponse:
            return await rig.http.post(rig.url(), json=message, headers=headers)

        asking = Tasks("test").spawn("caller", ask())
        await server.wait_for("tools/call")
        yield rig, server, release, asking
        (await asking).close()


async def begun(asking: Asking, clock: MovedClock) -> aiohttp.ClientResponse:
    """The answer once it has begun, however long the worker takes to look at its calls."""
    async with asyncio.timeout(60):
        while not asking.done():
            clock.pass_by(1)
            await asyncio.sleep(0.01)
    return await asking


async def seconds_go_by(clock: MovedClock, seconds: float) -> None:
    """Let so many seconds pass, one by one, so that whatever looks once a second has looked."""
    for _ in range(int(seconds)):
        clock.pass_by(1)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_long_call_begins_a_stream_with_a_comment_and_its_answer_is_the_last_event(
    make_rig: MakeRig, clock: MovedClock, era: str
) -> None:
    async with held_call(make_rig, era) as (rig, _, release, asking):
        response = await begun(asking, clock)

        assert response.headers["Content-Type"] == "text/event-stream"
        for _ in range(2):  # and once more after a while
            assert await response.content.readexactly(len(COMMENT_KEEPALIVE)) == COMMENT_KEEPALIVE
            clock.pass_by(KEEPALIVE_S + 1)
        release.set()
        events = [line for line in (await response.read()).splitlines() if line.startswith(b"data: ")]
        (answer,) = [orjson.loads(line[6:]) for line in events]
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (1, "at last")
        assert rig.worker.deps.usage.calls_in_flight == 0
        assert (await rig.call("t")).headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
async def test_a_caller_that_names_no_event_stream_gets_json_however_long_it_takes(
    make_rig: MakeRig, clock: MovedClock, accept: str
) -> None:
    async with held_call(make_rig, accept=accept) as (_, __, release, asking):
        await seconds_go_by(clock, 2 * KEEPALIVE_S)
        assert not asking.done()
        release.set()
        response = await asyncio.wait_for(asking, 60)
        assert response.headers["Content-Type"] == "application/json"
        assert (await response.json())["result"]["content"][0]["text"] == "at last"


async def test_a_modern_caller_that_leaves_such_a_stream_cancels_its_call(
    make_rig: MakeRig, clock: MovedClock
) -> None:
    async with held_call(make_rig) as (rig, server, _, asking):
        (await begun(asking, clock)).close()
        call = server.seen_of("tools/call")[0]
        await server.wait_until(lambda: call.abandoned)
        assert rig.worker.deps.usage.calls_in_flight == 0


async def test_the_end_of_access_is_told_on_such_a_stream(make_rig: MakeRig, clock: MovedClock) -> None:
    async with held_call(make_rig) as (rig, _, __, asking):
        response = await begun(asking, clock)
        for call in rig.worker.deps.calls.running():
            call.cut_off("access_ended")
        *_, last = [line for line in (await response.read()).splitlines() if line]
        refusal = orjson.loads(last.removeprefix(b"data: "))["result"]["_meta"]["archway/refusal"]
        assert refusal["code"] == "access_ended"
