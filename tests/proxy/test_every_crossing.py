"""What passes in each of the four crossings of eras, in each lane: large results, much progress, cancellation,
equal ids and tokens on a shared server, and callers that leave.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.tasks import Tasks
from proxy.upstream_call import UpstreamCall
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import Reply, Rig, eventually

ERAS = ("legacy", "modern")
MIB = 1 << 20
STEPS = 10_000
crossings = pytest.mark.parametrize(("client", "server"), [(one, other) for one in ERAS for other in ERAS])


async def serve(rig: Rig, upstream: McpUpstream, answer: Any) -> None:
    upstream.tool("t", answer)
    await rig.serve([rig.control.tool("t", "t", rig.control.installation(upstream.url, isolation="shared"))])


async def ask(
    rig: Rig,
    client: str,
    arguments: dict[str, Any] | None = None,
    *,
    session: str | None = None,
    token: str | None = None,
    **meta: Any,
) -> Reply:
    """A call of `t` as a client of this era makes it; `session`: of a legacy one, else a new one."""
    if client == "modern":
        return await rig.call("t", arguments, meta=meta, token=token)
    params = {"name": "t", "arguments": arguments or {}} | ({"_meta": meta} if meta else {})
    session = session or await rig.open_session(token=token)
    return await rig.legacy("tools/call", params, session=session, token=token)


async def nothing_is_held(rig: Rig) -> None:
    usage = rig.worker.deps.usage

    async def free() -> bool:
        return not (usage.calls_in_flight or usage.bytes_in_flight or usage.at_servers)

    await eventually(free)


@crossings
@pytest.mark.parametrize("stream", [False, True])
async def test_a_result_of_a_mebibyte_arrives_whole_as_json(rig: Rig, client: str, server: str, stream: bool) -> None:
    async with McpUpstream(era=server) as upstream:  # type: ignore[arg-type]
        await serve(rig, upstream, Answer(text="x" * MIB, stream=stream))
        for _ in range(2):  # with and without what is known of the server
            reply = await ask(rig, client)
            assert reply.headers["Content-Type"] == "application/json"
            assert reply.result["content"] == [{"type": "text", "text": "x" * MIB}]
        await nothing_is_held(rig)


@crossings
async def test_ten_thousand_messages_of_progress_arrive_in_order_before_the_answer(
    rig: Rig, client: str, server: str
) -> None:
    async with McpUpstream(era=server) as upstream:  # type: ignore[arg-type]
        await serve(rig, upstream, Answer(text="done", progress=STEPS))
        *progress, answer = (await ask(rig, client, progressToken="p")).events
        assert [one["params"]["progress"] for one in progress] == list(range(1, STEPS + 1))
        assert answer["result"]["content"][0]["text"] == "done"


@crossings
async def test_two_callers_with_equal_ids_and_tokens_get_their_own_of_a_shared_server(
    rig: Rig, client: str, server: str
) -> None:
    both_run = asyncio.Barrier(2)

    async def each_its_own(got: Received) -> Answer:
        async with asyncio.timeout(60):
            await both_run.wait()
        return Answer(text=got.arguments["me"], progress=got.arguments["steps"], pace=0.01)

    async with McpUpstream(era=server) as upstream:  # type: ignore[arg-type]
        await serve(rig, upstream, each_its_own)
        first, second = await asyncio.gather(
            ask(rig, client, {"me": "first", "steps": 3}, progressToken="same"),
            ask(rig, client, {"me": "second", "steps": 5}, progressToken="same", token=rig.control.token()),
        )
        for reply, me, steps in ((first, "first", 3), (second, "second", 5)):
            *progress, answer = reply.events
            told = [one["params"] for one in progress]
            assert [one["progress"] for one in told] == list(range(1, steps + 1))
            assert {(one["progressToken"], one["total"]) for one in told} == {("same", steps)}
            assert (answer["id"], answer["result"]["content"][0]["text"]) == (1, me)


@pytest.mark.parametrize("server", ERAS)
async def test_a_modern_caller_that_leaves_frees_everything_and_its_server_learns_of_it(
    rig: Rig, server: str
) -> None:
    async with McpUpstream(era=server) as upstream:  # type: ignore[arg-type]
        await serve(rig, upstream, Answer(hold=asyncio.Event()))
        caller = Tasks("test").spawn("caller", ask(rig, "modern"))
        await upstream.wait_for("tools/call")
        caller.cancel()

        (call,) = upstream.seen_of("tools/call")
        await upstream.wait_until(lambda: call.abandoned)
        if server == "legacy":
            await upstream.wait_for("notifications/cancelled")
            assert upstream.seen_of("notifications/cancelled")[0].params["requestId"] == call.id
        await nothing_is_held(rig)
        assert not rig.worker.deps.calls.running()


@pytest.mark.parametrize("server", ERAS)
async def test_a_legacy_caller_that_leaves_has_its_call_run_on_and_is_told_nothing(rig: Rig, server: str) -> None:
    release = asyncio.Event()
    async with McpUpstream(era=server) as upstream:  # type: ignore[arg-type]
        await serve(rig, upstream, Answer(text="x" * MIB, hold=release))
        caller = Tasks("test").spawn("caller", ask(rig, "legacy"))
        await upstream.wait_for("tools/call")
        caller.cancel()
        await asyncio.wait([caller])
        (call,) = upstream.seen_of("tools/call")

        async def is_noticed() -> bool:
            (runs,) = rig.worker.deps.calls.running()
            return isinstance(runs, UpstreamCall) and runs.x.ended

        await eventually(is_noticed)
        release.set()

        async def is_over() -> bool:
            return call.answered or call.abandoned

        await eventually(is_over)
        assert call.answered
        await nothing_is_held(rig)
        assert upstream.seen_of("notifications/cancelled") == []
