"""A call whose upstream is known and has an idle connection is sent at once; what may become of it then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import aiohttp
import pytest

from core.tasks import Tasks
from proxy.edge.served_request import ServedRequest
from proxy.upstream.pool.pool import UpstreamPool
from proxy.upstream.sent_call import SentCall, SentCalls
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fakes.pool_calls import nothing_finishes
from tests.plugins.moved_clock import MovedClock
from tests.proxy.conftest import MakeRig, Reply, Rig, eventually

ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])


@dataclass
class Warm:
    """A rig and a server that have met, and which calls were sent at once since through the stages."""

    rig: Rig
    server: McpUpstream
    sent: list[SentCall]

    @property
    def by_plan(self) -> int:
        """How many calls were sent by a plan, ever: at once, too."""
        return self.rig.worker.slots.planned

    async def call(self, **more: Any) -> Reply:
        """A call, which must have been sent at once; aiohttp's client, behind the aiohttp lane, never does."""
        sent, by_plan = len(self.sent), self.by_plan
        reply = await self.rig.call("t", **more)
        goes_by_plan = self.rig.way == "planned" and not more.get("meta")  # progress is none of a plan's
        assert self.by_plan == by_plan + goes_by_plan
        assert len(self.sent) == sent + (self.rig.lane == "fast" and not goes_by_plan)
        return reply

    def started(self, **more: Any) -> "asyncio.Task[Reply]":
        """A call in the background."""
        return Tasks("test").spawn("caller", self.rig.call("t", **more))

    async def nothing_is_held(self) -> None:
        await eventually(self._holds_nothing)
        calls = self.rig.worker.deps.calls
        assert not calls._running
        assert not calls._stepped

    async def _holds_nothing(self) -> bool:
        usage = self.rig.worker.usage
        return not (usage.calls_in_flight or usage.bytes_in_flight or usage.at_servers)

    async def has_no_connection(self) -> bool:
        """Whether the pool has none to the server."""
        pool = self.rig.worker.egress
        assert isinstance(pool, UpstreamPool)
        return pool.places == 0


@asynccontextmanager
async def warm(rig: Rig, era: str, *answers: Answer) -> AsyncIterator[Warm]:
    """`answers` are those to further calls; the last repeats."""
    sent: list[SentCall] = []
    begin = SentCalls.begin

    def seen(calls: SentCalls, *given: Any) -> SentCall | None:
        one = begin(calls, *given)
        if one is not None:
            sent.append(one)
        return one

    async with McpUpstream(era=era) as server:
        server.tool("t", [Answer(text="first"), *answers])
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url, isolation="shared"))])
        assert (await rig.call("t")).result["content"][0]["text"] == "first"
        rig.prepared = None
        with patch.object(SentCalls, "begin", seen):
            yield Warm(rig, server, sent)
        await Warm(rig, server, sent).nothing_is_held()


@ERAS
@pytest.mark.parametrize("how", [{}, {"stream": True}, {"progress": 2}, {"stream": True, "slice_bytes": 3}])
async def test_the_answer_comes_whole_or_as_a_stream(rig: Rig, era: str, how: dict[str, Any]) -> None:
    async with warm(rig, era, Answer(text="fine", **how)) as at:
        reply = await at.call(meta={"progressToken": 1} if "progress" in how else None)
        final = reply.events[-1]["result"] if "progress" in how else reply.result
        assert final["content"][0]["text"] == "fine"


@ERAS
@pytest.mark.parametrize("how", [{"stream": True}, {"progress": 2}], ids=["the answer alone", "progress first"])
async def test_calls_one_after_another_whose_answers_are_streams_share_a_connection(
    rig: Rig, era: str, how: dict[str, Any]
) -> None:
    async with warm(rig, era, Answer(text="fine", **how)) as at:
        before, by_plan = rig.worker.egress.opened, at.by_plan
        for _ in range(20):
            await rig.call("t", meta={"progressToken": 1} if "progress" in how else None)
            if isinstance(rig.worker.egress, UpstreamPool):
                await nothing_finishes(rig.worker.egress)
        assert rig.worker.egress.opened == before + (0 if rig.lane == "fast" else 19)
        assert len(at.sent) + at.by_plan - by_plan == (20 if rig.lane == "fast" else 0)


@ERAS
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=503), "upstream_status"),
        (Answer(status=401), "upstream_credential"),
        (Answer(error=(-32000, "no"), status=400), "upstream_error"),
        (Answer(error=(-32000, "no")), "upstream_error"),
        (Answer(raw=b"{", headers={"Content-Type": "application/json"}), "upstream_broken"),
        (Answer(text="x", wrong_id=True), "upstream_broken"),
        (Answer(cut=True), "upstream_broken"),
        (Answer(status=302), "upstream_status"),
    ],
    ids=["503", "401", "400 with an error", "error", "no JSON", "wrong id", "reset", "redirect"],
)
async def test_what_is_no_result_is_told_as_ever(rig: Rig, era: str, answer: Answer, code: str) -> None:
    async with warm(rig, era, answer, Answer(text="again")) as at:
        assert (await at.call()).refusal["code"] == code
        assert (await rig.call("t")).result["content"][0]["text"] == "again"


@ERAS
async def test_an_answer_beyond_the_cap_is_refused(make_rig: MakeRig, era: str) -> None:
    async with make_rig(max_answer=20_000) as rig, warm(rig, era, Answer(text="x" * 30_000)) as at:
        assert (await at.call()).refusal["code"] == "upstream_too_large"


@ERAS
async def test_a_deadline_ends_it_and_a_legacy_upstream_is_told(
    make_rig: MakeRig, era: str, clock: MovedClock
) -> None:
    async with (
        make_rig(call_seconds=60) as rig,
        warm(rig, era, Answer(hold=asyncio.Event())) as at,
        asyncio.TaskGroup() as tasks,
    ):
        caller = tasks.create_task(at.call())
        await at.server.wait_for("tools/call", 2)
        clock.pass_by(60)
        assert (await caller).refusal["code"] == "upstream_slow"
        if era == "legacy":
            await at.server.wait_for("notifications/cancelled")
        else:
            await at.server.wait_until(lambda: at.server.seen_of("tools/call")[-1].abandoned)


@ERAS
async def test_its_session_calls_it_off(rig: Rig, era: str) -> None:
    async with warm(rig, era, Answer(hold=asyncio.Event())) as at:
        session = await rig.open_session()
        call = rig.legacy("tools/call", {"name": "t", "arguments": {}}, id="a call", session=session)
        caller = Tasks("test").spawn("caller", call)
        await at.server.wait_for("tools/call", 2)

        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "a call"}}
        assert (await rig.post(cancelled, headers={"Mcp-Session-Id": session})).status == 202

        assert (await asyncio.wait_for(caller, 30)).refusal["code"] == "cancelled"
        assert len(at.sent) == (rig.lane == "fast")
        if era == "legacy":
            await at.server.wait_for("notifications/cancelled")


@ERAS
async def test_a_modern_caller_that_leaves_ends_it(rig: Rig, era: str) -> None:
    async with warm(rig, era, Answer(hold=asyncio.Event())) as at:
        caller = at.started()
        await at.server.wait_for("tools/call", 2)
        caller.cancel()
        await asyncio.wait((caller,))
        if era == "legacy":
            await at.server.wait_for("notifications/cancelled")
        else:
            await at.server.wait_until(lambda: at.server.seen_of("tools/call")[-1].abandoned)
        await at.nothing_is_held()
    assert rig.worker.deps.records.kept == 2


async def test_a_legacy_caller_that_leaves_ends_nothing(rig: Rig) -> None:
    released = asyncio.Event()
    async with warm(rig, "modern", Answer(text="done", hold=released)) as at:
        session = await rig.open_session()
        call = rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)
        caller = Tasks("test").spawn("caller", call)
        await at.server.wait_for("tools/call", 2)
        caller.cancel()
        await asyncio.wait((caller,))
        await asyncio.sleep(0.1)
        assert rig.worker.deps.usage.bytes_in_flight > 0  # what it sent is there as long as its call
        released.set()
        await at.nothing_is_held()
        assert not at.server.seen_of("tools/call")[-1].abandoned
        assert rig.worker.deps.slots.value("archway_bytes_out_total") > 0


async def test_a_lost_session_is_made_again_and_the_call_sent_again(rig: Rig) -> None:
    async with warm(rig, "legacy", Answer(text="fine")) as at:
        at.server.forget_sessions()
        assert (await at.call()).result["content"][0]["text"] == "fine"
        assert len(at.server.seen_of("tools/call")) == 3


async def test_a_worker_that_ends_calls_it_off(rig: Rig) -> None:
    async with warm(rig, "modern", Answer(hold=asyncio.Event())) as at:
        caller = at.started()
        await at.server.wait_for("tools/call", 2)
        await rig.worker.deps.calls.end()
        await asyncio.wait((caller,), timeout=30)
        assert caller.done()


@pytest.mark.parametrize("answer", [Answer(text="x", progress=1), Answer(status=503)], ids=["stream", "refusal"])
async def test_a_caller_that_leaves_in_the_round_in_which_an_answer_begins_leaves_nothing_behind(
    rig: Rig, answer: Answer
) -> None:
    held = replace(answer, hold=asyncio.Event()) if answer.progress else answer
    goes_on = ServedRequest.ready

    def goes_on_and_is_left(request: ServedRequest) -> None:
        goes_on(request)
        request.leave()
        request._caller.transport.abort()

    async with warm(rig, "modern", held) as at:
        if rig.lane == "aiohttp" and answer.progress:
            async with rig.events("t", meta={"progressToken": 1}) as events:
                assert "params" in await anext(events)
        else:
            with patch.object(ServedRequest, "ready", goes_on_and_is_left), suppress(aiohttp.ClientError):
                await at.call(meta={"progressToken": 1})
        await at.nothing_is_held()
        if rig.lane == "fast":
            await eventually(at.has_no_connection)
    assert rig.worker.deps.records.kept == 2
