"""When an outbound connection may carry the next call, and when it is spent."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from core.egress import Egress, UpstreamFault, never_reuse, read_capped
from tests.fakes.outbound_calls import CAP, LOOPBACK, body_of, fault_of, post
from tests.fakes.scripted_upstream import HANG, Script, ScriptedUpstream, head, ok


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress(LOOPBACK) as client:
        yield client


async def test_a_sound_connection_is_used_again(egress: Egress) -> None:
    async with ScriptedUpstream(
        [ok(b"1")], [head(b"Transfer-Encoding: chunked"), b"1\r\n2\r\n0\r\n\r\n"]
    ) as upstream:
        for _ in range(4):
            await body_of(egress, upstream.url)
        assert (len(upstream.requests), upstream.connections) == (4, 1)


@pytest.mark.parametrize("after", ["at once", "later"])
async def test_bytes_after_an_answer_never_reach_the_next_caller(egress: Egress, after: str) -> None:
    stray = ok(b"answer of somebody else")
    script: Script = [ok(b"mine") + stray] if after == "at once" else [ok(b"mine"), 0.02, stray]
    async with ScriptedUpstream(script, [ok(b"yours")]) as upstream:
        assert await body_of(egress, upstream.url) == b"mine"
        await asyncio.sleep(0.1)
        assert await body_of(egress, upstream.url) == b"yours"
        assert upstream.connections == 2


async def test_unread_bytes_in_the_kernel_spoil_an_idle_connection(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"mine")], [ok(b"yours")]) as upstream:
        async with post(egress, upstream.url) as response:
            assert await read_capped(response, CAP) == b"mine"
        # The loop has no turn between the peer's write and our next request: only the kernel knows of the bytes.
        upstream.write_to_all(ok(b"answer of somebody else"))
        assert await body_of(egress, upstream.url) == b"yours"


async def judged_wrong(egress: Egress, url: str) -> None:
    async with post(egress, url) as response:
        await read_capped(response, CAP)
        await asyncio.sleep(0.01)
        raise UpstreamFault("broken", sent=True)


async def test_an_answer_found_wrong_after_its_last_byte_spends_its_connection(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"wrong id")]) as upstream:
        for _ in range(2):
            with pytest.raises(UpstreamFault):
                await judged_wrong(egress, upstream.url)
        assert upstream.connections == 2


async def test_a_caller_can_ask_that_a_connection_is_not_used_again(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"odd")]) as upstream:
        for _ in range(2):
            async with post(egress, upstream.url) as response:
                await read_capped(response, CAP)
                never_reuse(response)
        assert upstream.connections == 2


async def test_a_block_left_without_reading_the_body_spends_its_connection(egress: Egress) -> None:
    async with ScriptedUpstream([head(b"Content-Length: 3"), 0.05, b"abc"]) as upstream:
        for _ in range(2):
            async with post(egress, upstream.url):
                pass
        assert upstream.connections == 2


async def test_a_cancelled_caller_leaves_nothing_behind(egress: Egress) -> None:
    async with ScriptedUpstream([HANG], [ok(b"fine")]) as upstream:
        async with asyncio.TaskGroup() as tasks:
            caller = tasks.create_task(body_of(egress, upstream.url))
            await upstream.seen(1)
            caller.cancel()
        assert caller.cancelled()
        assert await body_of(egress, upstream.url) == b"fine"
        assert upstream.connections == 2


async def test_waiting_for_a_place_in_a_full_pool_is_bounded() -> None:
    async with ScriptedUpstream([HANG]) as upstream, Egress(LOOPBACK, per_host=1, connect_seconds=0.1) as egress:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(fault_of(egress, upstream.url, deadline=1))
            await asyncio.sleep(0.05)
            second = await fault_of(egress, upstream.url, deadline=1)
            assert (second.reason, second.sent) == ("slow", False)
        assert first.result().sent


async def test_a_connection_that_is_never_accepted_ends_by_the_connect_deadline() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):  # fills the backlog
            async with Egress(LOOPBACK, connect_seconds=0.2) as egress:
                fault = await fault_of(egress, f"http://127.0.0.1:{full.getsockname()[1]}")
    assert (fault.reason, fault.sent) == ("slow", False)


async def test_one_bad_upstream_leaves_the_others_alone(egress: Egress) -> None:
    async with (
        ScriptedUpstream([HANG]) as bad,
        ScriptedUpstream([ok(b"fine")], host="127.0.0.2") as good,
        asyncio.TaskGroup() as tasks,
    ):
        hanging = [tasks.create_task(fault_of(egress, bad.url, deadline=1)) for _ in range(20)]
        for _ in range(20):
            assert await body_of(egress, good.url) == b"fine"
        for task in hanging:
            assert (await task).reason == "slow"
