"""Calls that are sent at once: when they can be, and what a caller without a task is told of their answers."""

from __future__ import annotations

import asyncio

import pytest

from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.sent_call import SentCall
from tests.fakes.call_parts import installation
from tests.fakes.scripted_upstream import CLOSE, HANG, head
from tests.fakes.sent_calls import FINE, JSON, RESULT, met, outbound, ready, upstreams


async def test_nothing_is_sent_where_something_must_be_waited_for_first() -> None:
    async with upstreams() as (made, to):
        assert made.sent.begin(to, outbound(), "p", None) is None  # no connection is at hand
        await met(made, to)
        assert made.sent.begin(installation(to.url), outbound(), "p", None) is None  # nobody knows its era
        made.health.breakers.failed_to_connect(to.installation_id, slowly=False)
        assert made.sent.begin(to, outbound(), "p", None) is None  # its breaker counts
        made.health.breakers.answered(to.installation_id, "t", "p")
        assert (await ready(made.sent.begin(to, outbound(), "p", None))).answer.is_whole


async def test_aiohttps_client_sends_nothing_at_once() -> None:
    async with upstreams(pool=False) as (made, to):
        await met(made, to)
        assert made.sent.begin(to, outbound(), "p", None) is None


async def test_an_answer_that_came_before_anybody_awaits_it_is_there_at_once() -> None:
    async with upstreams() as (made, to):
        await met(made, to)
        sent = made.sent.begin(to, outbound(), "p", None)
        assert sent is not None
        async with asyncio.timeout(20):
            while not sent.answer.complete:  # noqa: ASYNC110 - nobody is to be told
                await asyncio.sleep(0.002)
            await sent
        assert made.sent.received(sent) == RESULT


async def test_a_whole_answer_is_read_and_its_connection_is_used_again() -> None:
    async with upstreams() as (made, to):
        await met(made, to)
        for _ in range(3):
            sent = await ready(made.sent.begin(to, outbound(), "p", None))
            assert made.sent.received(sent) == RESULT
        assert made._transport.opened == 1
        assert not made._deadlines._running


@pytest.mark.parametrize("what", ["abandon", "cancel"])
async def test_who_gives_a_call_up_spends_its_connection_alone(what: str) -> None:
    async with upstreams([HANG], [FINE]) as (made, to):
        await met(made, to)
        sent = made.sent.begin(to, outbound(), "p", None)
        assert sent is not None
        if what == "abandon":
            sent.then(lambda: pytest.fail("nobody waits any more"))
            sent.abandon()
            sent.abandon()
        else:
            waiting = Tasks("test").spawn("wait", _wait(sent))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait((waiting,))
        assert not made._deadlines._running
        await met(made, to)
        assert made._transport.opened == 2


async def _wait(sent: SentCall) -> None:
    await sent


async def test_a_call_beyond_its_time_is_refused_as_slow() -> None:
    async with upstreams([HANG]) as (made, to):
        await met(made, to)
        sent = made.sent.begin(to, outbound(), "p", None)
        assert sent is not None
        sent.until = 0.0
        with pytest.raises(Refusal, match="upstream_slow"):
            made.sent.received(await ready(sent))
        assert made.health.breakers.doubts(to.installation_id)
        assert made._transport.opened == 1


@pytest.mark.parametrize("before", [[], [head(JSON, b"Content-Length: 5"), b"{"]], ids=["its answer", "its end"])
async def test_a_server_that_hangs_up_before_it_has_answered_is_broken_and_the_loop_hears_nothing(
    before: list[bytes],
) -> None:
    told: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    async with upstreams([*before, CLOSE], [FINE]) as (made, to):
        await met(made, to)
        sent, over = made.sent.begin(to, outbound(), "p", None), loop.create_future()
        assert sent is not None

        def read() -> None:
            try:
                made.sent.received(sent)
            except Refusal as refusal:
                over.set_result(refusal.reason)

        sent.then(read)
        assert await over == "upstream_broken"
        await met(made, to)
    assert told == []
