"""An overloaded worker's refusals on connections of the fast lane."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

from proxy.edge.fast_connection import FastConnection
from proxy.edge.head_rules import HeadReader
from proxy.limits.overload import Overload
from tests.fakes.overload import overloaded
from tests.fakes.raw_http import read_answer, request_bytes
from tests.unit.proxy.edge.conftest import PING, PONG, Serve, Served, until


def refusals(at: Served) -> float:
    return at.deps.slots.value('archway_refusals_total{reason="overloaded"}')


def test_a_refused_call_keeps_its_connection_and_is_taken_when_it_is_over(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        at.deps.overload = overloaded()
        for _ in range(3):  # the second and third time the head is known
            writer.write(at.post())
            answer = await read_answer(reader)
            assert (answer.status, answer.closed) == (503, False)
            assert answer.header("retry-after") == "1"
        at.deps.overload = Overload()
        writer.write(at.post() * 2)
        assert [(await read_answer(reader)).json for _ in range(2)] == [PONG] * 2
        at.deps.overload = overloaded()  # a head that was accepted before
        writer.write(at.post())
        assert (await read_answer(reader)).status == 503
        assert refusals(at) == 4
        writer.close()

    serve(scenario)


def test_a_body_that_comes_later_is_read_away_however_it_is_cut(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        whole = at.post(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"%s"}}' % (b"x" * 50))
        head = whole.index(b"\r\n\r\n") + 4
        for cut in range(head, len(whole)):
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(whole[:cut])
            assert (await read_answer(reader)).status == 503  # before the body is there
            writer.write(whole[cut:] + whole)
            assert (await read_answer(reader)).status == 503
            writer.write(whole)
            assert (await read_answer(reader)).status == 503
            writer.close()

    serve(scenario)


def test_a_known_head_that_comes_in_two_pieces_is_refused_once(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        whole = at.post()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(whole)
        assert (await read_answer(reader)).status == 503
        for cut in range(1, len(whole)):
            writer.write(whole[:cut])
            await asyncio.sleep(0.001)
            writer.write(whole[cut:] + whole)
            assert [(await read_answer(reader)).status for _ in range(2)] == [503] * 2
        assert refusals(at) == 1 + 2 * (len(whole) - 1)
        writer.close()

    serve(scenario)


def test_pipelined_calls_are_answered_in_order_refused_or_not(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(at.post() * 300)
        for _ in range(300):
            answer = await read_answer(reader)
            assert (answer.status, answer.closed) == (503, False)
        assert refusals(at) == 300
        writer.write(at.post() + at.post(b"x" * 20_000))  # more than is kept without a pause
        assert [(await read_answer(reader)).status for _ in range(2)] == [503] * 2
        writer.write(at.post())  # reading goes on
        assert (await read_answer(reader)).status == 503
        writer.close()

    serve(scenario)


def test_a_body_that_does_not_come_ends_the_connection(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(at.post()[:-1])
        assert (await read_answer(reader)).status == 503
        assert await reader.read() == b""
        writer.close()

    serve(scenario, body_seconds=0.2)


def test_a_body_that_is_long_is_not_waited_for(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(at.post(b"x" * 100_000)[:1000])
        answer = await read_answer(reader)
        assert (answer.status, answer.closed) == (503, True)
        writer.close()

    serve(scenario)


def test_other_verdicts_are_what_they_were(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        elsewhere = [("Host", "other.example"), *at.headers[1:]]
        foreign = [*at.headers, ("Origin", "https://foreign.example")]
        origin = next(iter(at.deps.origins))
        own = [*at.headers, ("Origin", origin)]
        last = [*at.headers, ("Connection", "close")]
        for target, headers, status in (
            ("/v1/mcp/g", elsewhere, 421),
            ("/v1/mcp/g", foreign, 403),
            ("/v1/mcp/G", at.headers, 404),
            ("/v1/mcp/g", own, 503),
            ("/v1/mcp/g", last, 503),
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(request_bytes("POST", target, headers, PING))
            answer = await read_answer(reader)
            assert answer.status == status
            assert answer.closed
            assert answer.header("access-control-allow-origin") == (origin if headers is own else None)
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(request_bytes("GET", "/health", at.headers))
        assert (await read_answer(reader)).status == 200
        writer.close()

    serve(scenario)


def test_a_caller_that_takes_no_refusal_any_more_is_cut_off(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(at.post())
        assert (await read_answer(reader)).status == 503
        (connection,) = at.lane.parts.connections
        connection.pause_writing()
        writer.write(at.post())
        assert (await read_answer(reader)).status == 503
        assert await reader.read() == b""
        writer.close()

    serve(scenario, write_seconds=0.1)


def test_a_caller_that_does_not_read_its_refusals_is_not_read_either(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port, limit=1 << 12)
        calls = 20_000
        writer.write(at.post() * calls)
        await asyncio.sleep(0.3)
        (connection,) = at.lane.parts.connections
        assert isinstance(connection, FastConnection)
        assert connection.transport.get_write_buffer_size() < 1 << 20
        for _ in range(calls):
            assert (await read_answer(reader)).status == 503
        writer.close()

    serve(scenario)


def test_a_call_is_judged_once_and_as_a_strangers_where_its_token_is_not_known(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        asked: list[bool] = []

        def lets_in(_: Overload, address: str, *, stranger: bool) -> bool:
            asked.append(stranger)
            return False

        at.deps.overload.sheds = True
        with patch.object(Overload, "refuses", lets_in):
            for number in range(3):
                writer.write(at.post(PING, ("X-Request-Id", str(min(number, 1)))))
                assert (await read_answer(reader)).json == PONG
            assert asked == [False] * 3
            nobody = [*at.headers[:1], ("Authorization", "Bearer nobody"), *at.headers[2:]]
            writer.write(request_bytes("POST", "/v1/mcp/g", nobody, PING))
            assert (await read_answer(reader)).status == 401
            assert asked[3:] == [True]
        writer.close()

    serve(scenario)


def test_the_head_of_a_refused_call_that_comes_again_is_not_read_again(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(at.post())
        assert (await read_answer(reader)).status == 503
        with patch.object(HeadReader, "read", side_effect=AssertionError("it was read")):
            for _ in range(3):
                writer.write(at.post(PING.replace(b"1}", b"2}")))
                assert (await read_answer(reader)).status == 503
        assert refusals(at) == 4
        writer.close()

    serve(scenario)


def test_a_call_that_comes_again_is_served_once_it_is_let_in(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        for again in (Lenient(), Calm()):
            at.deps.overload = overloaded()
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(at.post())
            assert (await read_answer(reader)).status == 503
            at.deps.overload = again
            for identifier in (7, 8):
                writer.write(at.post(PING.replace(b"1,", b"%d," % identifier)))
                assert (await read_answer(reader)).json == PONG | {"id": identifier}
            writer.close()
            await until(lambda: not at.lane.parts.connections)

    serve(scenario)


def test_another_head_of_the_same_length_is_judged_by_itself(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(at.post())
        assert (await read_answer(reader)).status == 503
        at.deps.overload = Lenient()
        (name, credential), *rest = at.headers[1:]
        stranger = [at.headers[0], (name, credential[:-1] + ("a" if credential[-1] != "a" else "b")), *rest]
        other = request_bytes("POST", "/v1/mcp/g", stranger, PING)
        assert len(other) == len(at.post())
        writer.write(other)
        assert (await read_answer(reader)).status == 401
        writer.close()

    serve(scenario)


def test_whether_the_token_of_a_call_that_comes_again_is_known_is_asked_again(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        asked: list[bool] = []

        def refuses(_: Overload, address: str, *, stranger: bool) -> bool:
            asked.append(stranger)
            return True

        at.deps.overload.sheds = True
        with patch.object(Overload, "refuses", refuses):
            for known in (True, False):
                with patch.object(type(at.deps.authority), "remembers", lambda *_, known=known: known):
                    writer.write(at.post())
                    assert (await read_answer(reader)).status == 503
        assert asked == [False, True]
        writer.close()

    serve(scenario)


def test_the_head_of_a_refused_call_is_kept_where_its_length_stands_as_usual(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        for call in (at.post(), at.post().replace(b"Content-Length", b"CONTENT-LENGTH")):
            writer.write(call)
            assert (await read_answer(reader)).status == 503
            assert len(at.lane.parts.memory._known) == 1
        writer.close()

    serve(scenario)


def test_a_call_that_comes_again_while_the_worker_ends_is_refused_as_any(serve: Serve) -> None:
    async def scenario(at: Served) -> None:
        at.deps.overload = overloaded()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(at.post())
        assert (await read_answer(reader)).closed is False
        at.deps.draining = True
        writer.write(at.post())
        answer = await read_answer(reader)
        assert (answer.status, answer.closed) == (503, True)
        writer.close()

    serve(scenario)


class Calm(Overload):
    """Not overloaded, and so not to be asked."""

    def refuses(self, address: str, *, stranger: bool = False) -> bool:
        raise AssertionError("it was asked")


class Lenient(Overload):
    """Overloaded, and yet it has room for everybody."""

    def __init__(self) -> None:
        super().__init__()
        self.sheds = True

    def refuses(self, address: str, *, stranger: bool = False) -> bool:
        return False
