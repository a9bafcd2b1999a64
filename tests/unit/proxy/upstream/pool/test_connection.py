"""When a connection of the pool carries the next call, when it is spent, and how much it reads ahead.

What holds of either transport is in `test_transport.py`.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.egress.faults import UpstreamFault
from proxy.upstream.pool.awaited_answer import READ_AHEAD_BYTES
from tests.fakes.pool_calls import CAP, Pool, body_of, nothing_finishes, post
from tests.fakes.scripted_upstream import CLOSE, FOREVER, RESET, Script, ScriptedUpstream, head, ok


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
        await upstream.played(1)
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


STREAM = head(b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked")
EVENT, END = b"9\r\ndata: x\n\n\r\n", b"0\r\n\r\n"


async def left(pool: Pool, url: str) -> bytes:
    """What came first, from a caller that has enough of it."""
    async with post(pool, url) as answer:
        answer.may_be_left(all_read=True)
        return bytes(await answer.next_chunk())


ENDS_WELL: dict[str, Script] = {
    "in one piece": [STREAM + EVENT + END],
    "its end after a moment": [STREAM, 0.01, EVENT, 0.01, END],
    "its end in pieces": [STREAM + EVENT, 0.01, b"0", 0.01, b"\r\n", 0.01, b"\r\n"],
    "the rest of a line end, its end": [STREAM + b"9\r\ndata: x\n\r\r\n", 0.01, b"1\r\n\n\r\n", 0.01, END],
    "in one piece, by length": [ok(b"data: x\n\n")],
}


@pytest.mark.parametrize("script", ENDS_WELL.values(), ids=ENDS_WELL.keys())
async def test_a_stream_that_was_left_and_then_ends_leaves_its_connection_to_the_next_caller(
    pool: Pool, script: Script
) -> None:
    async with ScriptedUpstream(script, [ok(b"yours")]) as upstream:
        assert (await left(pool, upstream.url)).startswith(b"data: x\n")
        await nothing_finishes(pool)
        assert await body_of(pool, upstream.url) == b"yours"
        assert upstream.connections == 1


ENDS_BADLY: dict[str, Script] = {
    "nothing": [STREAM + EVENT],
    "bytes behind its end": [STREAM + EVENT, 0.02, END + ok(b"mine")],
    "a line end behind its end": [STREAM + EVENT, 0.02, END + b"\r\n"],
    "an answer in the place of a chunk": [STREAM + EVENT, 0.02, ok(b"mine")],
    "bytes behind its end, later": [STREAM + EVENT, 0.01, END, 0.01, ok(b"mine")],
    "more content": [STREAM + EVENT, 0.01, EVENT, 0.01, END],
    "more content with its end": [STREAM + EVENT, 0.01, EVENT + END],
    "more content by length": [head(b"Content-Length: 18"), b"data: x\n\n", 0.01, b"data: y\n\n"],
    "frames without content": [STREAM + EVENT, 0.01, b"1;" + b"e" * 70_000 + b"\r\nx\r\n", 0.01, END],
    "the end of the connection": [STREAM + EVENT, 0.01, CLOSE],
    "a reset": [STREAM + EVENT, 0.01, RESET],
    "an end, and Connection: close": [STREAM[:-2] + b"Connection: close\r\n\r\n" + EVENT, 0.01, END],
    "an end, and no second left by Keep-Alive": [STREAM[:-2] + b"Keep-Alive: timeout=1\r\n\r\n" + EVENT, 0.01, END],
    "no frame": [head(b"Content-Type: text/event-stream"), b"data: x\n\n", 0.01, CLOSE],
}


@pytest.mark.parametrize("script", ENDS_BADLY.values(), ids=ENDS_BADLY.keys())
async def test_a_stream_that_was_left_and_does_not_end_soundly_spends_its_connection(
    pool: Pool, script: Script
) -> None:
    async with ScriptedUpstream(script, [ok(b"yours")]) as upstream:
        assert await left(pool, upstream.url) == b"data: x\n\n"
        await upstream.played(1)
        assert await body_of(pool, upstream.url) == b"yours"
        assert upstream.connections == 2


async def test_a_stream_that_was_left_for_something_wrong_spends_its_connection(pool: Pool) -> None:
    async with ScriptedUpstream([STREAM + EVENT, 0.02, END], [ok(b"yours")]) as upstream:
        with pytest.raises(UpstreamFault):
            await left_as_wrong(pool, upstream.url)
        async with post(pool, upstream.url) as answer:
            answer.may_be_left(all_read=True)
            answer.never_reuse()
        async with post(pool, upstream.url) as answer:
            answer.never_reuse()
            answer.may_be_left(all_read=True)
        assert await body_of(pool, upstream.url) == b"yours"
        assert upstream.connections == 4


async def left_as_wrong(pool: Pool, url: str) -> None:
    async with post(pool, url) as answer:
        answer.may_be_left(all_read=True)
        raise UpstreamFault("broken", sent=True)


async def test_a_stream_that_was_left_before_all_that_had_come_was_read_spends_its_connection(pool: Pool) -> None:
    async with ScriptedUpstream([STREAM + EVENT, 0.01, EVENT + END], [ok(b"yours")]) as upstream:
        async with post(pool, upstream.url) as answer:
            await answer.next_chunk()
            answer.may_be_left(all_read=True)
            for _ in range(600):
                await asyncio.sleep(0 if answer.complete else 0.005)
            assert answer.complete
        assert await body_of(pool, upstream.url) == b"yours"
        assert upstream.connections == 2


async def test_a_paused_stream_that_was_left_reads_on_to_its_end(pool: Pool) -> None:
    many = READ_AHEAD_BYTES + 1
    large = b"%x\r\n%b\r\n" % (many, b"x" * many)
    async with ScriptedUpstream([STREAM + large, 0.1, END], [ok(b"yours")]) as upstream:
        async with post(pool, upstream.url) as answer:
            for _ in range(600):
                await asyncio.sleep(0 if answer.buffered >= many else 0.005)
            answer.fetch()  # as a caller without a task does, who reads on by leaving
            answer.may_be_left(all_read=True)
        await nothing_finishes(pool)
        assert await body_of(pool, upstream.url) == b"yours"
        assert upstream.connections == 1
