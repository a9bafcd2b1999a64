from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from unittest.mock import patch

import msgspec
import pytest
from aiohttp import HttpVersion11, web

from core.resolve import TokenProof
from core.tasks import Tasks
from core.tokens import digest
from proxy.deps import Deps
from proxy.edge import body_rules
from proxy.edge.aiohttp_lane import AiohttpLane, AiohttpOutlet
from proxy.edge.listener import Listener
from proxy.edge.stream_sweep import StreamSweep
from proxy.exchange import Answer, Exchange
from proxy.room import reserve
from tests.fakes.proxy_parts import gateway, hold, known_token, proxy_parts, user
from tests.fakes.raw_http import RawAnswer, exchange, read_answer, request_bytes

ORIGIN = "https://app.example"
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
PONG = {"jsonrpc": "2.0", "id": 1, "result": {}}
Headers = list[tuple[str, str]]


@pytest.fixture
async def deps() -> AsyncIterator[Deps]:
    async with proxy_parts(allowed_origins=(ORIGIN,), max_body=1000) as parts:
        hold(parts, gateway())
        yield parts


@pytest.fixture
async def port(deps: Deps) -> AsyncIterator[int]:
    async for number in serving(deps):
        yield number


async def serving(deps: Deps) -> AsyncIterator[int]:
    listener = Listener(
        AiohttpLane(deps, StreamSweep(deps)), deps, access_log=None, auto_decompress=False, lingering_time=0.2
    )
    server = await asyncio.get_running_loop().create_server(listener, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await listener.shutdown(0.2)


@pytest.fixture
def headers(deps: Deps) -> Headers:
    token = known_token(deps, user())
    return [("Host", "gw.example"), ("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")]


def post(headers: Headers, body: bytes = PING) -> bytes:
    return request_bytes("POST", "/v1/mcp/g", headers, body)


async def test_every_answer_has_its_id_and_says_little_else(port: int, headers: Headers) -> None:
    served, refused = await exchange(port, post(headers)), await exchange(port, post(headers[:1]))
    assert served.json == PONG
    for answer in (served, refused):
        assert answer.header("X-Request-Id")
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("Cache-Control") == "no-store"
        assert answer.header("Server") == "archway"
        assert answer.header("Access-Control-Allow-Origin") is None
        assert answer.header("Vary") is None


async def test_a_named_origin_may_read_the_answer_a_refusal_too(port: int, headers: Headers) -> None:
    for sent in (headers, headers[:1]):
        answer = await exchange(port, post([*sent, ("Origin", ORIGIN)]))
        assert answer.header("Access-Control-Allow-Origin") == ORIGIN
        assert "WWW-Authenticate" in (answer.header("Access-Control-Expose-Headers") or "")
        assert answer.header("Vary") == "Origin"
    foreign = await exchange(port, post([*headers, ("Origin", "https://evil.example")]))
    assert foreign.header("Access-Control-Allow-Origin") is None


async def test_a_body_may_come_in_pieces(port: int, headers: Headers) -> None:
    whole = post(headers)
    assert (await exchange(port, whole[:-20], 0.01, whole[-20:-5], 0.01, whole[-5:])).json == PONG
    chunked = post([*headers, ("Transfer-Encoding", "chunked")], b"")
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in PING)
    assert (await exchange(port, chunked + chunks + b"0\r\n\r\n")).json == PONG


@pytest.mark.parametrize("size", [1000, 1001])
async def test_the_cap_of_a_body_is_exact(port: int, headers: Headers, size: int) -> None:
    body = PING.ljust(size)
    chunked = post([*headers, ("Transfer-Encoding", "chunked")], b"") + b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
    for request in (post(headers, body), chunked):
        assert (await exchange(port, request)).status == (200 if size == 1000 else 413)


async def test_a_body_that_waits_to_be_asked_for_is_asked_for_once_its_caller_is_known(
    port: int, headers: Headers
) -> None:
    expecting = [("Expect", "100-continue"), ("Content-Length", str(len(PING)))]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(post([*headers, *expecting], b""))
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(PING)
    assert (await read_answer(reader)).json == PONG
    writer.close()
    assert (await exchange(port, post([*headers[:1], *expecting], b""))).status == 401  # and a stranger is not
    assert (await exchange(port, post([*headers, *expecting]))).json == PONG  # nor one who did not wait


async def test_a_trailer_of_a_chunked_body_says_nothing(port: int, headers: Headers) -> None:
    unauthenticated = [pair for pair in headers if pair[0] != "Authorization"]
    request = post([*unauthenticated, ("Transfer-Encoding", "chunked")], b"")
    chunks = b"%x\r\n%b\r\n0\r\nAuthorization: %b\r\n\r\n" % (len(PING), PING, headers[1][1].encode())
    assert (await exchange(port, request + chunks)).status == 401


@pytest.mark.parametrize(("encoding", "status"), [("identity", 200), ("", 200), ("gzip", 415), ("identity, br", 415)])
async def test_only_an_unpacked_body_is_taken(port: int, headers: Headers, encoding: str, status: int) -> None:
    assert (await exchange(port, post([*headers, ("Content-Encoding", encoding)]))).status == status


async def test_answers_on_one_connection_keep_their_order(port: int, headers: Headers) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    bodies = [PING.replace(b"1,", b"%d," % number, 1) for number in range(20)]
    writer.write(b"".join(post(headers, body) for body in bodies))
    answers: list[RawAnswer] = [await read_answer(reader) for _ in bodies]
    writer.close()
    assert [answer.json["id"] for answer in answers] == list(range(20))


async def test_what_was_left_of_a_refused_body_is_not_the_next_request(port: int, headers: Headers) -> None:
    smuggled = post(headers)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(post(headers[:1], smuggled))
    assert (await read_answer(reader)).status == 401
    assert await asyncio.wait_for(reader.read(), 30) == b""
    writer.close()


async def test_a_caller_that_leaves_in_the_middle_of_its_body_frees_what_it_held(
    port: int, headers: Headers, deps: Deps
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(post(headers)[:-5])
    await until(lambda: deps.usage.bytes_in_flight == len(PING) - 5)
    writer.transport.abort()
    await until(lambda: deps.usage.bytes_in_flight == 0)


async def test_bodies_that_are_only_announced_take_no_room(port: int, headers: Headers, deps: Deps) -> None:
    waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
    for _, writer in waiting:
        writer.write(post([*headers, ("Content-Length", "1000")], b"") + b"{")
    await until(lambda: deps.usage.bytes_in_flight == len(waiting))
    assert (await exchange(port, post(headers))).json == PONG
    for _, writer in waiting:
        writer.transport.abort()
    await until(lambda: deps.usage.bytes_in_flight == 0)


async def test_who_has_its_share_of_the_room_is_refused_alone(port: int, headers: Headers, deps: Deps) -> None:
    greedy = known_token(deps, user())
    principal = deps.authority.known(TokenProof(digest(greedy)))
    assert principal is not None
    assert principal.principal is not None
    quarter = deps.settings.bytes_in_flight // 4
    deps.usage.held.take(f"user:{principal.principal.id}", quarter, most=quarter, share=quarter)
    theirs = [headers[0], ("Authorization", f"Bearer {greedy}"), headers[2]]
    assert (await exchange(port, post(theirs))).status == 503
    assert (await exchange(port, post(headers))).json == PONG


async def test_a_body_that_stalls_is_refused_long_before_the_time_of_a_whole_one(
    port: int, headers: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_rules, "SLACK_S", 0.1)
    answer = await exchange(port, post([*headers, ("Content-Length", "1000")], b"") + b"{")
    assert answer.status == 408


async def test_an_answer_that_nobody_reads_is_counted_and_then_dropped_with_its_connection(
    headers: Headers, deps: Deps
) -> None:
    deps.settings = msgspec.structs.replace(deps.settings, write_seconds=0.3)
    size = 30 << 20

    async def large(x: Exchange, deps: Deps) -> Answer:
        reserve(x, deps, size)
        return Answer(200, b"x" * size)

    with patch("proxy.edge.aiohttp_lane.at_message", large):
        async for port in serving(deps):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            writer.write(post(headers))
            await until(lambda: deps.usage.bytes_in_flight >= size)
            await until(lambda: deps.usage.bytes_in_flight == 0)
            writer.transport.abort()


async def test_a_stream_that_nobody_reads_is_cut_too(headers: Headers, deps: Deps) -> None:
    deps.settings = msgspec.structs.replace(deps.settings, write_seconds=0.3)
    ended: list[bool] = []

    async def streamed(x: Exchange, deps: Deps) -> None:
        await x.outlet.send_event(b"x" * (30 << 20))
        ended.append(x.outlet.gone)

    with patch("proxy.edge.aiohttp_lane.at_message", streamed):
        async for port in serving(deps):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            writer.write(post(headers))
            await until(lambda: ended == [True])
            writer.transport.abort()


async def test_a_large_answer_arrives_whole(headers: Headers, port: int) -> None:
    body = bytes(range(256)) * 4096 * 3

    async def large(x: Exchange, deps: Deps) -> Answer:
        return Answer(200, body)

    with patch("proxy.edge.aiohttp_lane.at_message", large):
        answer = await exchange(port, post(headers))
    assert answer.body == body
    assert answer.header("Content-Length") == str(len(body))


async def test_a_draining_worker_closes_after_each_answer(port: int, headers: Headers, deps: Deps) -> None:
    assert not (await exchange(port, post(headers))).closed
    deps.draining = True
    assert (await exchange(port, post(headers))).closed


async def test_a_method_beyond_the_three_is_refused_after_the_token(port: int, headers: Headers) -> None:
    answer = await exchange(port, request_bytes("PUT", "/v1/mcp/g", headers))
    assert (answer.status, answer.header("Allow")) == (405, "GET, POST, DELETE, OPTIONS")


async def test_an_answer_is_the_last_event_of_a_stream_that_a_comment_has_begun(port: int, headers: Headers) -> None:
    async def waits(x: Exchange, deps: Deps) -> Answer:
        for _ in range(2):
            x.outlet.keep_alive()
            await asyncio.sleep(0.01)
        return Answer(404, b"[1]")

    with patch("proxy.edge.aiohttp_lane.at_message", waits):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_bytes("POST", "/v1/mcp/g", [*headers, ("Connection", "close")], PING))
        raw = await asyncio.wait_for(reader.read(), 30)
        writer.close()
    comments = b"e\r\n: keep-alive\n\n\r\n" * 2
    assert raw.startswith(b"HTTP/1.1 200 OK")
    assert raw.endswith(b"\r\n\r\n" + comments + b"b\r\ndata: [1]\n\n\r\n0\r\n\r\n")


async def test_a_comment_that_is_late_comes_into_no_whole_answer(port: int, headers: Headers) -> None:
    async def answers(x: Exchange, deps: Deps) -> Answer:
        x.outlet.keep_alive()
        return Answer(200, b"[1]")

    with patch("proxy.edge.aiohttp_lane.at_message", answers):
        answer = await exchange(port, post(headers))
    assert (answer.header("Content-Type"), answer.body) == ("application/json", b"[1]")


async def test_a_bug_behind_a_stream_that_has_begun_ends_the_stream(port: int, headers: Headers) -> None:
    async def begin_and_fail(x: object, deps: Deps, sweep: StreamSweep, send: Callable[[bytes], object]) -> None:
        await send(b": begun\n\n")  # type: ignore[misc]
        raise RuntimeError("a bug")

    with patch("proxy.edge.aiohttp_lane.hold_stream", begin_and_fail):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_bytes("GET", "/v1/mcp/g", [*headers, ("Connection", "close")]))
        raw = await asyncio.wait_for(reader.read(), 30)
        writer.close()
    assert raw.startswith(b"HTTP/1.1 200 OK")
    assert raw.endswith(b": begun\n\n\r\n0\r\n\r\n")


async def test_an_outlet_says_nothing_to_a_caller_that_has_left() -> None:
    class Broken(web.StreamResponse):
        async def prepare(self, request: web.BaseRequest) -> None:
            raise ConnectionResetError

    with patch("proxy.edge.aiohttp_lane.web.StreamResponse", Broken):
        outlet = AiohttpOutlet(FakeRequest(), 1.0, lambda work: Tasks("test").spawn("", work))  # type: ignore[arg-type]
        await outlet.send_event(b"{}")
        assert outlet.gone
        await outlet.send_event(json.dumps(PONG).encode())
        assert isinstance(await outlet.end(), Broken)


class FakeRequest:
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody writes to it
    transport = None
    version = HttpVersion11


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - nothing tells when the kernel has told the server
            await asyncio.sleep(0.01)
