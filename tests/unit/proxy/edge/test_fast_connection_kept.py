"""What a fast lane's connection keeps and reads again: heads that drip in, bytes before their turn, and who left."""

from __future__ import annotations

import asyncio
from unittest.mock import create_autospec, patch

import pytest

from proxy.deps import Deps
from proxy.edge import fast_connection, request_reader
from proxy.edge.head_rules import HeadReader
from proxy.edge.listener import Connection
from proxy.edge.served_request import ServedRequest
from proxy.exchange import Answer, Exchange
from tests.fakes.raw_http import exchange, read_answer
from tests.unit.proxy.edge.conftest import LATER, PONG, WORKS, Serve, Served, until

LARGEST_READ = 256 << 10
"""Of uvloop, and of asyncio."""


@pytest.mark.parametrize(
    ("more", "pieces"),
    [(b"", 60), (b"".join(b"X-%d: %b\r\n" % (number, b"a" * 600) for number in range(90)), 60)],
    ids=["small", "large"],
)
def test_a_head_that_drips_in_is_read_a_few_times_and_then_handed_over(
    serve: Serve, more: bytes, pieces: int
) -> None:
    looked_at: list[int] = []
    judge = HeadReader.may_become_plain

    def counts(reader: HeadReader, begun: bytes) -> bool:
        looked_at.append(len(begun))
        return judge(reader, begun)

    async def scenario(at: Served) -> None:
        first, rest = at.post().split(b"\r\n", 1)
        begun = first + b"\r\n" + more
        drops = [rest[place : place + 1] for place in range(pieces)]
        with patch.object(HeadReader, "may_become_plain", counts):
            answer = await exchange(at.port, begun, *(drop for one in drops for drop in (0.002, one)), rest[pieces:])
        assert answer.json == PONG
        assert not answer.closed  # what it says is usual, and its next may drip as well
        assert len(looked_at) < request_reader.MOST_SEGMENTS
        assert all(size <= request_reader.MOST_BEGUN for size in looked_at)

    serve(scenario)


def test_a_head_in_two_pieces_is_served_here_each_time(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        whole = at.post()
        end = whole.index(b"\r\n\r\n")
        for cut in [*range(end, end + 5), 10, 20]:
            writer.write(whole[:cut])
            await asyncio.sleep(0.02)
            writer.write(whole[cut:])
            answer = await read_answer(reader)
            assert (answer.json, answer.closed) == (PONG, False)
        assert at.handed_over == 0
        writer.close()

    serve(scenario)


def test_a_head_that_was_handed_over_while_it_dripped_keeps_its_deadline(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: h\r\nx: ")
        began = asyncio.get_running_loop().time()
        while not at.handed_over:
            writer.write(b"a")
            await asyncio.sleep(0.1)
        answer = await read_answer(reader)
        assert answer.status == 408
        assert asyncio.get_running_loop().time() - began < 4
        writer.close()

    serve(scenario, header_seconds=2)


def test_what_comes_before_its_turn_is_bounded(serve: Serve) -> None:
    done = asyncio.Event()

    async def waits(x: Exchange, deps: Deps) -> Answer:
        await done.wait()
        return Answer(200, b"{}")

    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        with patch(WORKS, waits):
            writer.write(at.post(LATER))
            flood = at.post() * 20_000
            writer.write(flood)
            await until(lambda: any(connection._paused for connection in at.lane.parts.connections))
            (connection,) = at.lane.parts.connections
            assert len(connection.reader.kept) <= request_reader.MOST_KEPT + LARGEST_READ
            done.set()
            assert (await read_answer(reader)).body == b"{}"
        for _ in range(20_000):
            assert (await read_answer(reader)).status == 200
        writer.close()

    serve(scenario)


def test_one_large_read_behind_a_call_is_followed_by_no_other(serve: Serve) -> None:
    done = asyncio.Event()

    async def waits(x: Exchange, deps: Deps) -> Answer:
        await done.wait()
        return Answer(200, b"{}")

    async def scenario(at: Served) -> None:
        connection = at.lane()
        transport = create_autospec(asyncio.Transport, instance=True)
        transport.get_extra_info.return_value = None
        transport.is_closing.return_value = False
        connection.connection_made(transport)
        with patch(WORKS, waits):
            connection.data_received(at.post(LATER) + at.post() * 500)
            assert len(connection.reader.kept) > request_reader.MOST_KEPT
            transport.pause_reading.assert_called_once()
            done.set()
            await until(lambda: transport.resume_reading.called)
        assert len(connection.reader.kept) <= request_reader.MOST_KEPT
        connection.connection_lost(None)

    serve(scenario)


@pytest.mark.parametrize("leaves", ["write_eof", "abort"])
def test_a_caller_that_leaves_ends_its_call_while_nothing_is_read_from_it(serve: Serve, leaves: str) -> None:
    seen: list[str] = []

    async def waits(x: Exchange, deps: Deps) -> Answer:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return Answer(200, b"{}")

    looked_at_often = patch.object(fast_connection, "LOOK_S", 0.02)

    async def scenario(at: Served) -> None:
        with patch(WORKS, waits), looked_at_often, patch.object(Exchange, "outlives_caller", False):
            _, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.post(LATER) + at.post() * 150)
            await until(lambda: any(connection._paused for connection in at.lane.parts.connections))
            await asyncio.sleep(0.1)
            assert seen == []  # it was looked at, and it was there
            getattr(writer.transport, leaves)()
            await until(lambda: seen == ["cancelled"] and at.lane.open_connections == 0)
            writer.close()

    serve(scenario)


@pytest.mark.parametrize("together", [True, False], ids=["with it", "after it"])
def test_a_caller_that_sends_much_behind_its_stream_is_cut_off(serve: Serve, together: bool) -> None:
    async def scenario(at: Served) -> None:
        much = b"A" * (request_reader.MOST_BEHIND_STREAM + 1)
        with at.session_known():
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.get_stream() + (much if together else b""))
            if not together:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(much)
            await until(lambda: at.lane.open_connections == len(at.lane.parts.sweep) == len(at.deps.streams) == 0)
            writer.close()

    serve(scenario)


def test_a_stream_with_a_little_behind_it_gives_its_place_back_when_its_caller_leaves(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        with at.session_known():
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.get_stream() + b"A" * 100)
            await reader.readuntil(b"\r\n\r\n")
            assert len(at.deps.streams) == 1
            writer.write(b"A" * (request_reader.MOST_BEHIND_STREAM - 100))
            writer.write_eof()
            await until(lambda: len(at.deps.streams) == len(at.lane.parts.sweep) == at.lane.open_connections == 0)
            writer.close()

    serve(scenario)


def test_a_head_that_is_handed_over_and_then_goes_silent_keeps_its_deadline(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(b"PUT /health HTTP/1.1\r\nHo")
        assert (await read_answer(reader)).status == 408
        writer.close()

    serve(scenario, header_seconds=0.3)


def test_a_connection_that_was_handed_over_as_it_dripped_has_all_the_time_for_its_next_head(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        whole = at.post()
        await _drip(writer, whole[:40], 0.05)
        await _drip(writer, whole[40:44], 0.01)
        writer.write(whole[44:])
        assert (await read_answer(reader)).json == PONG
        (connection,) = at.lane.parts.listener.connections
        assert isinstance(connection, Connection)
        assert connection._header_seconds == at.deps.settings.header_seconds
        writer.close()

    serve(scenario, header_seconds=2)


async def _drip(writer: asyncio.StreamWriter, data: bytes, pause: float) -> None:
    for piece in (data[:-2], data[-2:-1], data[-1:]):
        writer.write(piece)
        await asyncio.sleep(pause)


def test_nothing_is_begun_for_a_caller_that_left_in_the_round_in_which_it_was_judged(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        judged, asked = asyncio.get_running_loop().create_future(), asyncio.Event()

        async def judging() -> None:
            asked.set()
            await judged

        with (
            patch("proxy.edge.served_request.at_headers", lambda *_: judging()),
            patch.object(ServedRequest, "_judged", autospec=True) as goes_on,
        ):
            _, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.post())
            await asyncio.wait_for(asked.wait(), 30)
            (connection,) = at.lane.parts.connections
            judged.set_result(None)
            connection._served.leave()
            connection.transport.abort()
            await until(lambda: not at.lane.parts.connections)
            assert not goes_on.called
        writer.close()

    serve(scenario)


def test_a_stream_that_is_refused_is_refused_whatever_stands_behind_it(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        sessionless = at.get_stream().replace(b"Mcp-Session-Id: s\r\n", b"")
        writer.write(sessionless + at.post() * 40)
        assert (await read_answer(reader)).status == 400
        for _ in range(40):
            assert (await read_answer(reader)).json == PONG
        writer.close()

    serve(scenario)
