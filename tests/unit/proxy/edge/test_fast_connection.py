"""The fast lane's connections on real sockets, on uvloop as in a worker, and on asyncio's own loop."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from unittest.mock import patch

import pytest

from proxy.deps import Deps
from proxy.edge import fast_connection
from proxy.exchange import Answer, Exchange
from proxy.room import reserve
from tests.fakes.certificates import Authority
from tests.fakes.raw_http import exchange, read_answer, request_bytes
from tests.unit.proxy.edge.conftest import LATER, PING, PONG, WORKS, Serve, Served, until


def test_a_request_cut_at_any_place_is_served(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        whole = at.post()
        for cut in range(1, len(whole), 7):
            assert (await exchange(at.port, whole[:cut], 0.001, whole[cut:])).json == PONG
        assert (await exchange(at.port, *(whole[i : i + 1] for i in range(len(whole))))).json == PONG

    serve(scenario)


def test_requests_that_come_together_are_answered_in_order(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        bodies = [PING.replace(b"1,", b"%d," % number, 1) for number in range(300)]
        writer.write(b"".join(at.post(body) for body in bodies))
        answers = [await read_answer(reader) for _ in bodies]
        assert [answer.json["id"] for answer in answers] == list(range(300))
        writer.close()

    serve(scenario)


def test_what_is_not_plain_is_handed_over_once_every_answer_is_sent(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(at.post() * 3 + request_bytes("PUT", "/v1/mcp/g", at.headers))
        answers = [await read_answer(reader) for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 405]
        assert [answer.closed for answer in answers] == [False, False, False, True]
        assert await reader.read() == b""
        writer.close()

    serve(scenario)


def test_a_connection_over_tls_is_served_and_handed_over_alike(serve: Serve, tmp_path: Path) -> None:
    authority, cert, key = Authority(), tmp_path / "cert.pem", tmp_path / "key.pem"
    authority.issue(cert, key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)

    async def scenario(at: Served) -> None:
        server = await asyncio.get_running_loop().create_server(at.lane, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=authority.client(), server_hostname="localhost"
        )
        writer.write(at.post() * 3 + request_bytes("PUT", "/v1/mcp/g", at.headers))
        answers = [await read_answer(reader) for _ in range(4)]
        assert [(answer.status, answer.closed) for answer in answers] == [(200, False)] * 3 + [(405, True)]
        assert await reader.read() == b""
        writer.close()
        server.close()

    serve(scenario)


def test_a_slow_reader_gets_its_answers_whole_before_the_connection_is_handed_over(serve: Serve) -> None:
    body = bytes(range(256)) * 40_000

    async def large(x: Exchange, deps: Deps) -> Answer:
        reserve(x, deps, len(body))
        return Answer(200, body)

    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port, limit=1024)
        with patch(WORKS, large):
            writer.write(at.post(LATER) + request_bytes("PUT", "/v1/mcp/g", at.headers))
            await until(lambda: at.deps.usage.bytes_in_flight >= len(body))
            await asyncio.sleep(0.05)
            assert at.handed_over == 0
            first = await reader.readuntil(b"\r\n\r\n")
            assert b"Content-Length: %d\r\n" % len(body) in first
            assert await reader.readexactly(len(body)) == body
        assert (await read_answer(reader)).status == 405
        assert at.deps.usage.bytes_in_flight == 0
        writer.close()

    serve(scenario)


def test_an_answer_that_nobody_reads_is_dropped_with_its_connection(serve: Serve) -> None:
    size = 30 << 20

    async def large(x: Exchange, deps: Deps) -> Answer:
        reserve(x, deps, size)
        return Answer(200, b"x" * size)

    async def scenario(at: Served) -> None:
        with patch(WORKS, large):
            _, writer = await asyncio.open_connection("127.0.0.1", at.port, limit=1024)
            writer.write(at.post(LATER))
            await until(lambda: at.deps.usage.bytes_in_flight >= size)
            await until(lambda: at.lane.open_connections == 0)
            assert at.deps.usage.bytes_in_flight == 0
            writer.transport.abort()

    serve(scenario, write_seconds=0.3)


def test_a_stream_that_nobody_reads_is_cut_too(serve: Serve) -> None:
    ended: list[bool] = []

    async def streamed(x: Exchange, deps: Deps) -> None:
        await x.outlet.send_event(b"x" * (30 << 20))
        ended.append(x.outlet.gone)

    async def scenario(at: Served) -> None:
        with patch(WORKS, streamed), patch.object(Exchange, "outlives_caller", True):
            _, writer = await asyncio.open_connection("127.0.0.1", at.port, limit=1024)
            writer.write(at.post(LATER))
            await until(lambda: ended == [True])
            writer.transport.abort()

    serve(scenario, write_seconds=0.3)


@pytest.mark.parametrize("modern", [True, False])
def test_a_caller_that_leaves_ends_its_call_unless_it_is_a_legacy_one(serve: Serve, modern: bool) -> None:
    seen: list[str] = []

    async def waits(x: Exchange, deps: Deps) -> Answer:
        seen.append("began")
        try:
            await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        seen.append("ended")
        return Answer(200, b"{}")

    async def scenario(at: Served) -> None:
        with patch(WORKS, waits), patch.object(Exchange, "outlives_caller", not modern):
            _, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.post(LATER))
            await until(lambda: seen == ["began"])
            writer.transport.abort()
            await until(lambda: seen[1:] == (["cancelled"] if modern else ["ended"]))
            await until(lambda: at.lane.open_connections == 0)

    serve(scenario)


def test_what_was_left_of_a_refused_body_is_not_the_next_request(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(request_bytes("POST", "/v1/mcp/g", at.headers[:1], at.post() + b" " * 100)[:-10])
        assert (await read_answer(reader)).status == 401
        writer.write(b" " * 10 + at.post())
        assert await reader.read() == b""
        writer.close()

    serve(scenario)


def test_a_head_that_takes_too_long_is_refused_and_a_silent_caller_is_not(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        silent = await asyncio.open_connection("127.0.0.1", at.port)
        answer = await exchange(at.port, at.post()[:40], 0.1, at.post()[40:60])
        assert (answer.status, answer.closed) == (408, True)
        silent[1].write(at.post())
        assert (await read_answer(silent[0])).json == PONG
        silent[1].close()

    serve(scenario, header_seconds=0.3)


def test_an_idle_connection_is_closed_in_the_end(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        for _ in range(2):  # the first answer leaves it open
            writer.write(at.post())
            assert (await read_answer(reader)).json == PONG
        assert await reader.read() == b""
        writer.close()

    with patch.object(fast_connection, "IDLE_S", 0.2):
        serve(scenario)


def test_a_bug_in_a_stage_is_answered_and_the_connection_lives(serve: Serve) -> None:
    async def breaks(x: Exchange, deps: Deps) -> Answer:
        raise RuntimeError("a bug")

    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        with patch(WORKS, breaks):
            writer.write(at.post(LATER))
            answer = await read_answer(reader)
        assert answer.json["error"]["message"] == "Internal error."
        writer.write(at.post())
        assert (await read_answer(reader)).json == PONG
        writer.close()

    serve(scenario)


def test_a_draining_worker_answers_and_then_closes_but_leaves_idle_callers_be(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(at.post())
        assert not (await read_answer(reader)).closed
        at.deps.draining = True
        await asyncio.sleep(0.05)
        writer.write(at.post())
        assert (await read_answer(reader)).closed
        assert await reader.read() == b""
        writer.close()

    serve(scenario)


def test_the_end_of_the_lane_waits_for_an_answer_and_cuts_what_takes_longer(serve: Serve) -> None:
    async def waits(x: Exchange, deps: Deps) -> Answer:
        await asyncio.sleep(0.1 if x.headers["x-wait"] == "short" else 30)
        return Answer(200, b"{}")

    async def scenario(at: Served) -> None:
        with patch(WORKS, waits):
            short = await asyncio.open_connection("127.0.0.1", at.port)
            long = await asyncio.open_connection("127.0.0.1", at.port)
            short[1].write(at.post(LATER, ("X-Wait", "short")))
            long[1].write(at.post(LATER, ("X-Wait", "long")))
            await until(lambda: sum(connection.busy for connection in at.lane.parts.connections) == 2)
            at.deps.draining = True
            await at.lane.shutdown(1.0)
            assert (await read_answer(short[0])).body == b"{}"
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await read_answer(long[0])
            short[1].close()
            long[1].close()

    serve(scenario)


def test_a_get_stream_is_held_without_a_task_and_ends_with_its_session(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        with at.session_known():
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.get_stream() + at.post())
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"Transfer-Encoding: chunked" in head
            assert (await reader.readuntil(b"\n\n\r\n")).split(b"\r\n", 1)[1].startswith(b":")
            assert len(at.lane.parts.sweep) == len(at.deps.streams) == 1
            assert (await exchange(at.port, at.get_stream())).status == 409
            at.deps.sessions.end_here("jti")
            await reader.readuntil(b"0\r\n\r\n")
        assert len(at.lane.parts.sweep) == len(at.deps.streams) == 0
        assert (await read_answer(reader)).json == PONG  # what came meanwhile has its turn now
        writer.close()

    serve(scenario, grace_seconds=0.4)


def test_an_open_stream_keeps_neither_the_task_that_judged_it_nor_a_timer(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        with at.session_to_ask_for():
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.get_stream())
            await reader.readuntil(b"\n\n\r\n")
            (connection,) = at.lane.parts.connections
            assert connection._served is connection._timer is None
            writer.close()

    serve(scenario)


def test_a_stream_whose_caller_leaves_gives_its_place_back(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        with at.session_known():
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.get_stream())
            await reader.readuntil(b"\r\n\r\n")
            writer.transport.abort()
            await until(lambda: len(at.deps.streams) == 0)

    serve(scenario)


def test_streams_say_goodbye_when_the_worker_drains(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        with at.session_known():
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.get_stream())
            await reader.readuntil(b"\r\n\r\n")
            at.deps.draining = True
            assert b"goodbye" in await reader.readuntil(b"0\r\n\r\n")
            writer.close()

    serve(scenario, grace_seconds=0.4)


def test_a_token_is_judged_again_with_each_request_though_its_head_repeats(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        for _ in range(2):
            writer.write(at.post())
            assert (await read_answer(reader)).json == PONG
        at.deps.authority.verdicts.memory.drop_where(lambda *_: True)
        writer.write(at.post())
        assert (await read_answer(reader)).status == 503  # nobody is there who could be asked
        writer.close()

    serve(scenario)


def test_another_token_on_the_same_connection_is_another_caller(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        for _ in range(2):
            writer.write(at.post())
            assert (await read_answer(reader)).json == PONG
        writer.write(at.post().replace(b"Bearer arch_", b"Bearer arch-"))
        assert (await read_answer(reader)).status == 401
        writer.close()

    serve(scenario)
