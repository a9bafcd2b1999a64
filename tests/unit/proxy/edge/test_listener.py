from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from proxy.deps import Deps
from proxy.edge.listener import Listener
from tests.fakes.proxy_parts import proxy_parts
from tests.fakes.raw_http import exchange, read_answer
from tests.plugins.moved_clock import MovedClock

GET = b"GET / HTTP/1.1\r\nHost: gw\r\n\r\n"


async def lane(request: web.BaseRequest) -> web.StreamResponse:
    if request.path == "/bug":
        raise RuntimeError("words of ours")
    if request.path == "/slow":
        await asyncio.sleep(35)
    return web.Response(text=(await request.read()).decode() or "fine")


@pytest.fixture
async def deps() -> AsyncIterator[Deps]:
    async with proxy_parts(header_seconds=30, body_seconds=100) as parts:
        yield parts


@pytest.fixture
async def port(deps: Deps) -> AsyncIterator[int]:
    listener = Listener(lane, deps, access_log=None, lingering_time=0.2)
    server = await asyncio.get_running_loop().create_server(listener, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await listener.shutdown(0.2)


@pytest.mark.parametrize(
    "broken",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",  # TLS on a plain port
        b"GET / HTTP/1.1\r\nHost: gw\r\nX-Secret : words-of-theirs\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: gw\r\nX-Long: " + b"words-of-theirs" * 1000 + b"\r\n\r\n",
    ],
    ids=["tls", "space before the colon", "two framings", "too long"],
)
async def test_what_is_no_http_is_refused_in_our_words_and_counted(
    port: int, deps: Deps, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await exchange(port, broken)
    assert (answer.status, answer.closed) == (400, True)
    assert (answer.json["id"], answer.json["error"]["code"]) == (None, -32600)
    assert answer.header("X-Request-Id") == answer.json["error"]["data"]["request_id"]
    assert answer.header("Server") == "archway"
    assert b"words-of-theirs" not in answer.body
    assert deps.slots.value('archway_refusals_total{reason="framing"}') == 1
    lines = [record for record in caplog.records if record.name != "asyncio"]
    assert [(line.msg, line.exc_info) for line in lines] == [("request refused", None)]
    assert "words-of-theirs" not in caplog.text


async def test_a_bug_beneath_the_lane_shows_a_request_id_and_is_logged(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await exchange(port, GET.replace(b"/ ", b"/bug "))
    assert answer.status == 500
    assert b"words" not in answer.body
    assert [record.request_id for record in caplog.records] == [answer.header("X-Request-Id")]  # type: ignore[attr-defined]


async def test_an_unfinished_header_block_has_its_time(port: int, deps: Deps, clock: MovedClock) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET[:-2])
    await asyncio.sleep(0.05)
    clock.pass_by(30)
    answer = await read_answer(reader)
    writer.close()
    assert (answer.status, answer.closed) == (408, True)
    assert answer.json["error"]["code"] == -31408
    assert deps.slots.value('archway_refusals_total{reason="header_slow"}') == 1


async def test_a_body_a_slow_answer_and_an_idle_connection_have_more(port: int, clock: MovedClock) -> None:
    async def more_time_than_headers_have() -> None:
        await asyncio.sleep(0.05)
        clock.pass_by(40)
        await asyncio.sleep(0.05)

    slow_body = b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 4\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(slow_body[:20])
    await asyncio.sleep(0.05)
    writer.write(slow_body[20:] + b"ab")
    await more_time_than_headers_have()
    writer.write(b"cd")
    assert (await read_answer(reader)).body == b"abcd"
    for target in (b"/slow", b"/"):
        writer.write(GET.replace(b"/ ", target + b" ", 1))
        await more_time_than_headers_have()
        assert (await read_answer(reader)).body == b"fine"
        await more_time_than_headers_have()
    writer.close()
