"""The pool: its caps, who waits for whom, and what it forgets.

What holds of either transport, and the names of faults, is in `test_transport.py` and `test_transport_faults.py`.
"""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

import proxy.upstream.pool.pool as pool_module
from core.egress.faults import UpstreamFault
from core.tasks import Tasks
from tests.fakes.pool_calls import Pool, body_of, fault_of, nothing_finishes, post
from tests.fakes.scripted_upstream import CLOSE, FOREVER, HANG, RESET, Script, ScriptedUpstream, head, ok
from tests.plugins.moved_clock import MovedClock


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    async with Pool() as made:
        yield made


STRICTER: dict[str, Script] = {
    "reset of an unframed body": [head(), b"half", 0.02, RESET],
    "endless early hints": [head(status=b"103 Early Hints"), FOREVER],
}


@pytest.mark.parametrize("script", STRICTER.values(), ids=STRICTER.keys())
async def test_the_pool_calls_broken_what_another_client_takes_or_waits_for(pool: Pool, script: Script) -> None:
    async with ScriptedUpstream(script, [ok(b"fine")]) as upstream:
        fault = await fault_of(pool, upstream.url)
        assert (fault.reason, fault.sent) == ("broken", True), fault.detail
        assert await body_of(pool, upstream.url) == b"fine"
        assert upstream.connections == 2


async def test_a_request_is_never_sent_twice(pool: Pool) -> None:
    async with ScriptedUpstream([ok(b"")], [CLOSE], [ok(b"")]) as upstream:
        await body_of(pool, upstream.url)
        fault = await fault_of(pool, upstream.url)
        assert (fault.reason, fault.sent) == ("broken", True)
        assert len(upstream.requests) == 2


async def test_a_peer_that_hangs_up_on_accept_is_tried_at_most_twice(pool: Pool) -> None:
    async with ScriptedUpstream(on_accept=[RESET]) as upstream:
        fault = await fault_of(pool, upstream.url)
        # Which of them is a race between their reset and our write.
        assert (fault.reason, fault.sent) in {("refused", False), ("broken", True)}
        assert upstream.connections <= 2
    assert pool.places == 0


async def test_who_finds_an_upstream_full_waits_at_most_as_long_as_for_a_connection(clock: MovedClock) -> None:
    async with ScriptedUpstream([HANG]) as upstream, Pool(per_origin=1, connect_seconds=60) as pool:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(fault_of(pool, upstream.url, deadline=200))
            await upstream.seen(1)
            waits = tasks.create_task(fault_of(pool, upstream.url, deadline=200))
            await asyncio.sleep(0.01)
            clock.pass_by(60)
            second = await waits
            assert (second.reason, second.sent) == ("slow", False)
            assert second.detail.startswith("PoolFull: all 1 connections")
            assert not first.done()
            clock.pass_by(140)
        assert first.result().sent


async def test_first_come_is_first_served_and_nobody_is_left_behind() -> None:
    order: list[int] = []

    async def call(number: int) -> None:
        assert await body_of(pool, upstream.url) == b"fine"
        order.append(number)

    async with ScriptedUpstream([0.005, ok(b"fine")]) as upstream, Pool(per_origin=2) as pool:
        async with asyncio.TaskGroup() as tasks:
            for number in range(30):
                tasks.create_task(call(number))
        assert (upstream.connections, pool.places) == (2, 2)
        assert sum(abs(number - place) for place, number in enumerate(order)) <= 30


async def test_waiters_are_served_when_a_connection_is_spent_instead_of_given_back() -> None:
    async with ScriptedUpstream([ok(b"fine", b"Connection: close")]) as upstream, Pool(per_origin=2) as pool:
        assert set(await asyncio.gather(*(body_of(pool, upstream.url) for _ in range(20)))) == {b"fine"}
        assert upstream.connections == 20


async def test_a_waiter_that_gives_up_keeps_no_place() -> None:
    async with ScriptedUpstream([0.05, ok(b"fine")]) as upstream, Pool(per_origin=1) as pool:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(body_of(pool, upstream.url))
            await upstream.seen(1)
            leaving = [tasks.create_task(body_of(pool, upstream.url)) for _ in range(3)]
            staying = tasks.create_task(body_of(pool, upstream.url))
            await asyncio.sleep(0)
            for waiter in leaving:
                waiter.cancel()
        assert first.result() == staying.result() == b"fine"
        assert pool.places == 1


async def test_a_waiter_cancelled_in_the_moment_it_is_served_hands_on_what_it_got(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[asyncio.Task[bytes]] = []

    async with ScriptedUpstream([0.02, ok(b"fine")]) as upstream, Pool(per_origin=1) as pool:
        give_back = pool.give_back

        def and_cancel(connection: object, seconds: float) -> None:
            give_back(connection, seconds)  # type: ignore[arg-type]
            if served:
                served.pop().cancel()

        monkeypatch.setattr(pool, "give_back", and_cancel)
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(body_of(pool, upstream.url))
            await upstream.seen(1)
            served.append(tasks.create_task(body_of(pool, upstream.url)))
            last = tasks.create_task(body_of(pool, upstream.url))
        assert first.result() == last.result() == b"fine"


async def test_a_full_pool_makes_room_for_another_upstream_by_closing_an_idle_connection() -> None:
    async with (
        ScriptedUpstream([ok(b"one")]) as one,
        ScriptedUpstream([ok(b"two")], host="127.0.0.2") as two,
        Pool(connections=1) as pool,
    ):
        for _ in range(3):
            assert await body_of(pool, one.url) == b"one"
            assert await body_of(pool, two.url) == b"two"
        assert (one.connections, two.connections, pool.places) == (3, 3, 1)


async def test_a_busy_pool_makes_room_as_soon_as_a_connection_is_free() -> None:
    async with (
        ScriptedUpstream([0.05, ok(b"one")]) as one,
        ScriptedUpstream([ok(b"two")], host="127.0.0.2") as two,
        Pool(connections=2) as pool,
    ):
        got = await asyncio.gather(*(body_of(pool, url) for url in (one.url, one.url, two.url, two.url)))
        assert got == [b"one", b"one", b"two", b"two"]


async def test_one_saturated_upstream_leaves_the_others_their_connections(clock: MovedClock) -> None:
    async with (
        ScriptedUpstream([HANG]) as bad,
        ScriptedUpstream([ok(b"fine")], host="127.0.0.2") as good,
        Pool(per_origin=3) as pool,
        asyncio.TaskGroup() as tasks,
    ):
        hanging = [tasks.create_task(fault_of(pool, bad.url, deadline=60)) for _ in range(10)]
        await bad.seen(3)
        for _ in range(20):
            assert await body_of(pool, good.url) == b"fine"
        assert good.connections == 1
        clock.pass_by(60)
        for task in hanging:
            assert (await task).reason == "slow"


async def test_idle_connections_are_closed_in_time(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, clock: MovedClock
) -> None:
    monkeypatch.setattr(pool_module, "_SWEEP_SECONDS", 0.02)
    async with ScriptedUpstream([ok(b"", b"Keep-Alive: timeout=2")]) as upstream:
        await body_of(pool, upstream.url)
        assert pool.places == 1
        clock.pass_by(2)
        await asyncio.sleep(0.05)
        assert pool.places == 0


LEFT = head(b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked") + b"9\r\ndata: x\n\n\r\n"


async def left(pool: Pool, url: str) -> None:
    """Leave a stream behind that does not end."""
    async with post(pool, url) as answer:
        answer.may_be_left(all_read=True)
        assert await answer.next_chunk() == b"data: x\n\n"


async def test_a_stream_that_was_left_and_does_not_end_is_closed_in_time(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(pool_module, "_FINISH_SECONDS", 0.05)
    async with ScriptedUpstream([LEFT, HANG]) as upstream:
        began = asyncio.get_running_loop().time()
        await left(pool, upstream.url)
        assert pool.places == 1
        await nothing_finishes(pool)
        assert asyncio.get_running_loop().time() - began >= 0.05
        assert pool.places == 0


async def test_a_stream_that_drips_on_after_it_was_left_gets_no_more_time(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(pool_module, "_FINISH_SECONDS", 0.05)
    async with ScriptedUpstream([LEFT, 0.01, b"1\r\nx\r\n", FOREVER]) as upstream:
        await left(pool, upstream.url)
        await nothing_finishes(pool)
        assert pool.places == 0


async def test_who_finds_an_upstream_full_of_left_streams_gets_the_place_of_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool_module, "_FINISH_SECONDS", 60.0)
    async with ScriptedUpstream([LEFT, HANG], [LEFT, HANG], [ok(b"fine")]) as upstream, Pool(per_origin=2) as pool:
        await left(pool, upstream.url)
        await left(pool, upstream.url)
        oldest, younger = (origin := pool._places.origin(upstream.url)).finishing
        assert await asyncio.gather(*(body_of(pool, upstream.url) for _ in range(4))) == [b"fine"] * 4
        assert (upstream.connections, pool.places, len(origin.finishing)) == (4, 2, 0)
        assert not oldest.is_open
        assert not younger.is_open


async def test_a_full_pool_makes_room_for_another_upstream_by_closing_a_left_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool_module, "_FINISH_SECONDS", 60.0)
    async with (
        ScriptedUpstream([LEFT, HANG]) as one,
        ScriptedUpstream([ok(b"two")], host="127.0.0.2") as two,
        Pool(connections=1) as pool,
    ):
        await left(pool, one.url)
        assert await body_of(pool, two.url) == b"two"
        assert pool.places == 1


async def test_a_stream_is_not_left_to_its_end_while_somebody_waits_for_its_place() -> None:
    async with ScriptedUpstream([LEFT, HANG], [ok(b"fine")]) as upstream, Pool(per_origin=1) as pool:
        async with post(pool, upstream.url) as answer, asyncio.TaskGroup() as tasks:
            answer.may_be_left(all_read=True)
            await answer.next_chunk()
            waiter = tasks.create_task(body_of(pool, upstream.url))
            await asyncio.sleep(0)
            answer.settle(sound=True)
            assert not pool._places.origin(upstream.url).finishing
        assert waiter.result() == b"fine"
        assert upstream.connections == 2


async def test_closing_ends_streams_that_were_left() -> None:
    async with ScriptedUpstream([LEFT, HANG]) as upstream, Pool() as pool:
        await left(pool, upstream.url)
        async with post(pool, upstream.url) as answer:
            answer.may_be_left(all_read=True)
            await answer.next_chunk()
            closing = Tasks("test").spawn("close", pool.close())
            await asyncio.sleep(0)
            answer.settle(sound=True)
            assert len(pool._places.origin(upstream.url).finishing) == 1  # the one before
        await closing
        assert pool.places == 0


async def test_closing_ends_what_is_open_what_is_asked_and_what_waits() -> None:
    async with ScriptedUpstream([HANG]) as upstream, Pool(per_origin=1) as pool:
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(fault_of(pool, upstream.url))
            await upstream.seen(1)
            waits = tasks.create_task(fault_of(pool, upstream.url))
            await asyncio.sleep(0)
            await pool.close()
        assert asked.result().reason == "broken"
        assert waits.result().detail.startswith("PoolClosed")
        assert pool.places == 0
        with pytest.raises(UpstreamFault):
            await body_of(pool, upstream.url)


async def test_a_refused_connection_is_known_to_have_sent_nothing(pool: Pool) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        fault = await fault_of(pool, f"http://127.0.0.1:{placeholder.getsockname()[1]}")
    assert (fault.reason, fault.sent, pool.places, pool.failed) == ("refused", False, 0, 1)


async def test_a_connection_that_is_never_accepted_ends_by_the_connect_deadline() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):  # fills the backlog
            async with Pool(connect_seconds=0.2) as pool:
                fault = await fault_of(pool, f"http://127.0.0.1:{full.getsockname()[1]}")
                assert pool.places == 0
    assert (fault.reason, fault.sent, fault.figure) == ("slow", False, 0.2)
    assert fault.detail.startswith("ConnectTimeout")
