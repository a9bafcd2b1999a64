"""Who waits for an outbound connection, and for how long.

When one may carry the next call is in `tests/unit/proxy/upstream/test_transport.py`: it is the same for both clients.
"""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from core.egress.client import Egress
from tests.fakes.outbound_calls import LOOPBACK, body_of, fault_of
from tests.fakes.scripted_upstream import HANG, ScriptedUpstream, ok
from tests.plugins.moved_clock import MovedClock


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress(LOOPBACK) as client:
        yield client


async def test_waiting_for_a_place_in_a_full_pool_is_bounded(clock: MovedClock) -> None:
    async with ScriptedUpstream([HANG]) as upstream, Egress(LOOPBACK, per_host=1, connect_seconds=60) as egress:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(fault_of(egress, upstream.url, deadline=200))
            await upstream.seen(1)
            waits = tasks.create_task(fault_of(egress, upstream.url, deadline=200))
            await asyncio.sleep(0.01)
            clock.pass_by(61)
            second = await waits
            assert (second.reason, second.sent) == ("slow", False)
            assert not first.done()
            clock.pass_by(140)
        assert first.result().sent


async def test_a_connection_that_is_never_accepted_ends_by_the_connect_deadline() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):  # fills the backlog
            async with Egress(LOOPBACK, connect_seconds=0.2) as egress:
                fault = await fault_of(egress, f"http://127.0.0.1:{full.getsockname()[1]}")
    assert (fault.reason, fault.sent, fault.figure) == ("slow", False, 0.2)


async def test_one_bad_upstream_leaves_the_others_alone(egress: Egress, clock: MovedClock) -> None:
    async with (
        ScriptedUpstream([HANG]) as bad,
        ScriptedUpstream([ok(b"fine")], host="127.0.0.2") as good,
        asyncio.TaskGroup() as tasks,
    ):
        hanging = [tasks.create_task(fault_of(egress, bad.url, deadline=60)) for _ in range(20)]
        for _ in range(20):
            assert await body_of(egress, good.url) == b"fine"
        clock.pass_by(60)
        for task in hanging:
            assert (await task).reason == "slow"
