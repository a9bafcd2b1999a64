"""When a connection of the pool carries the next call, when it is spent, and how much it reads ahead.

What holds of either transport is in `test_transport.py`.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.egress_faults import UpstreamFault
from proxy.upstream.pool_connection import READ_AHEAD_BYTES
from tests.fakes.pool_calls import CAP, Pool, body_of, post
from tests.fakes.scripted_upstream import FOREVER, RESET, Script, ScriptedUpstream, head, ok


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    async with Pool() as made:
        yield made


async def test_a_sound_connection_is_used_again(pool: Pool) -> None:
    async with ScriptedUpstream(
        [ok(b"1")],
        [head(b"Transfer-Encoding: chunked"), b"1\r\n2\r\n0\r\n\r\n"],
        [head(status=b"103 Early Hints"), ok(b"3")],
    ) as upstream:
        assert [await body_of(pool, upstream.url) for _ in range(6)] == [b"1", b"2", b"3", b"3", b"3", b"3"]
        assert (len(upstream.requests), upstream.connections, pool.opened) == (6, 1, 1)


SPENDS: dict[str, Script] = {
    "a line end behind the answer": [ok(b"mine") + b"\r\n"],
    "no second left by Keep-Alive": [ok(b"mine", b"Keep-Alive: timeout=1")],
}


@pytest.mark.parametrize("script", SPENDS.values(), ids=SPENDS.keys())
async def test_what_makes_a_connection_of_the_pool_unfit_for_the_next_caller(pool: Pool, script: Script) -> None:
    async with ScriptedUpstream(script, [ok(b"yours")]) as upstream:
        assert await body_of(pool, upstream.url) == b"mine"
        await asyncio.sleep(0.06)
        assert await body_of(pool, upstream.url) == b"yours"
        assert upstream.connections == 2


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"])
async def test_a_redirect_comes_back_unfollowed_and_spends_its_connection(pool: Pool, status: bytes) -> None:
    async with ScriptedUpstream([ok(b"", b"Location: http://127.0.0.1:1/", status=status)]) as upstream:
        for _ in range(2):
            async with post(pool, upstream.url) as answer:
                assert answer.status == int(status[:3])
        assert upstream.connections == 2


async def test_an_answer_before_the_request_was_out_spends_its_connection(pool: Pool) -> None:
    large, judged, over = b"x" * (16 << 20), asyncio.Event(), asyncio.Event()

    async def answers_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ok(b"too large", status=b"413 Content Too Large"))
        await judged.wait()
        writer.transport.abort()
        over.set()

    server = await asyncio.start_server(answers_at_once, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with pool.request("POST", url, {}, large, deadline=5) as answer:  # type: ignore[arg-type]
            assert answer.status == 413
            assert await answer.read_capped(CAP) == b"too large"
        await asyncio.sleep(0.01)
        assert pool.places == 0
        judged.set()
        await over.wait()
        await asyncio.sleep(0)


async def test_what_came_before_a_reset_can_still_be_read(pool: Pool) -> None:
    async with ScriptedUpstream([head(b"Content-Length: 9"), b"half", 0.05, RESET]) as upstream:
        with pytest.raises(UpstreamFault) as caught:
            await halves(pool, upstream.url)
    assert (caught.value.reason, caught.value.sent) == ("broken", True)


async def halves(pool: Pool, url: str) -> None:
    async with post(pool, url) as answer:
        await asyncio.sleep(0.1)
        assert await answer.next_chunk() == b"half"
        await answer.next_chunk()


async def test_no_more_is_read_ahead_than_a_slow_caller_takes(pool: Pool) -> None:
    async with (
        ScriptedUpstream([head(b"Transfer-Encoding: chunked"), b"10000\r\n" + b"a" * 65536 + b"\r\n", FOREVER]) as up,
        post(pool, up.url) as answer,
    ):
        for _ in range(3):
            await asyncio.sleep(0.05)
            assert 0 < answer.buffered <= 8 * READ_AHEAD_BYTES  # the limit, and what one read may bring
            assert await answer.next_chunk()


async def test_a_paused_connection_reads_on_for_the_whole_body_and_for_the_next_caller(pool: Pool) -> None:
    body = b"a" * (4 * READ_AHEAD_BYTES)
    async with ScriptedUpstream([ok(body)], [ok(b"next")]) as upstream:
        async with post(pool, upstream.url) as answer:
            await asyncio.sleep(0.05)
            assert not answer.complete
            assert await answer.read_capped(len(body)) == body
        assert await body_of(pool, upstream.url) == b"next"
        assert upstream.connections == 1
