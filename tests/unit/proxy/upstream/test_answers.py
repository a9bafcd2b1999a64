import asyncio
from typing import Any

import pytest

from core.egress.client import UpstreamFault
from core.tasks import Tasks
from proxy.upstream.answers import Json, answer_in, is_answer_to, is_success, messages
from proxy.upstream.large_answers import LargeAnswers, Turns
from tests.fakes.pool_calls import Pool, nothing_finishes, post
from tests.fakes.scripted_upstream import ScriptedUpstream, head, ok

JSON_TYPE, SSE_TYPE = b"Content-Type: application/json; charset=utf-8", b"Content-Type: text/event-stream"


async def read(body: bytes, media_type: bytes, cap: int = 1000) -> list[Json]:
    async with (
        ScriptedUpstream([ok(body, media_type)]) as server,
        Pool() as pool,
        post(pool, server.url) as response,
    ):
        return [message async for message in messages(response, cap_bytes=cap)]


async def test_a_json_answer_is_one_message() -> None:
    assert await read(b'{"jsonrpc":"2.0","id":1,"result":{}}', JSON_TYPE) == [
        {"jsonrpc": "2.0", "id": 1, "result": {}}
    ]


async def test_a_stream_is_its_events_in_order_without_the_empty_ones() -> None:
    stream = b': hi\n\ndata: {"jsonrpc":"2.0","id":1}\n\nid: 7\ndata:\n\ndata: {"jsonrpc":"2.0",\ndata: "id":2}\n\n'
    assert [message["id"] for message in await read(stream, SSE_TYPE)] == [1, 2]


ONE = b'data: {"jsonrpc":"2.0","id":1}\n\n'


@pytest.mark.parametrize(
    "odd",
    [
        b"event: ping\ndata: 2026-11-28 09:00:00\n\n",
        b"event: heartbeat\ndata: {}\n\n",
        b"event: endpoint\ndata: /messages?id=1\n\n",
        b'event: MESSAGE\ndata: {"jsonrpc":"2.0","id":9}\n\n',
        b"data: hello\n\n",
        b"data: {\n\n",
        b'data: {"hello":1}\n\n',
        b'data: [{"jsonrpc":"2.0","id":9}]\n\n',
        b"data: null\n\n",
        b"event: message\ndata: NaN\n\n",
    ],
)
async def test_events_that_are_no_messages_are_passed_over(odd: bytes) -> None:
    stream = odd + ONE.replace(b"data", b"event: message\ndata") + ONE
    async with ScriptedUpstream([ok(stream, SSE_TYPE)]) as server, Pool() as pool, post(pool, server.url) as response:
        found = messages(response, cap_bytes=1000)
        assert [await anext(found), await anext(found)] == [{"jsonrpc": "2.0", "id": 1}] * 2


async def test_where_nothing_answers_it_is_told_what_was_passed_over() -> None:
    with pytest.raises(UpstreamFault) as fault:
        await read(ONE + b'event: x\ndata: y\n\ndata: {"a":NaN}\n\n', SSE_TYPE)
    assert fault.value.reason == "broken"
    assert "unexpected character" in fault.value.detail


@pytest.mark.parametrize(
    "body",
    [
        b'[{"jsonrpc":"2.0","id":7,"result":{}}]',
        b'[{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":8,"result":{}},{"jsonrpc":"2.0","id":7,"result":{}}]',
        b'[1,{"jsonrpc":"1.0","id":7,"result":{"not":"ours"}},{"jsonrpc":"2.0","id":"7","result":{}}]',
        b'[{"jsonrpc":"2.0","id":7,"result":{}},{"jsonrpc":"2.0","id":7,"result":{"second":1}}]',
    ],
)
def test_of_a_list_of_messages_the_first_that_answers_is_taken(body: bytes) -> None:
    assert answer_in(body, 7)["result"] == {}


@pytest.mark.parametrize("body", [b"[]", b'[{"jsonrpc":"2.0","id":8,"result":{}}]', b"[[]]", b'["7"]'])
def test_a_list_of_others_answers_is_none(body: bytes) -> None:
    with pytest.raises(UpstreamFault, match="broken"):
        answer_in(body, 7)


@pytest.mark.parametrize(("status", "success"), [(200, True), (201, True), (202, True), (299, True), (300, False)])
def test_what_a_success_is(status: int, success: bool) -> None:
    assert is_success(status) is success


async def test_a_stream_that_is_left_with_a_message_may_come_to_its_end() -> None:
    event = b'data: {"jsonrpc":"2.0","id":1}\n\n'
    begun = head(SSE_TYPE, b"Transfer-Encoding: chunked") + b"%x\r\n%b\r\n" % (len(event), event)
    async with ScriptedUpstream([begun, 0.02, b"0\r\n\r\n"]) as server, Pool() as pool:
        for _ in range(3):
            async with post(pool, server.url) as response:
                assert await anext(messages(response, cap_bytes=1000)) == {"jsonrpc": "2.0", "id": 1}
            await nothing_finishes(pool)
        assert server.connections == 1


@pytest.mark.parametrize(("read", "connections"), [(1, 3), (2, 1)])
async def test_a_stream_that_is_left_with_another_message_at_hand_spends_its_connection(
    read: int, connections: int
) -> None:
    event = b'data: {"jsonrpc":"2.0","id":1}\n\n'
    async with ScriptedUpstream([ok(event + event, SSE_TYPE)]) as server, Pool() as pool:
        for _ in range(3):
            async with post(pool, server.url) as response:
                stream = messages(response, cap_bytes=1000)
                for _ in range(read):
                    await anext(stream)
        assert server.connections == connections


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", JSON_TYPE),
        (b"{", JSON_TYPE),
        (b"[[]]", JSON_TYPE),
        (b'[{"jsonrpc":"1.0","id":1,"result":{}}]', JSON_TYPE),
        (b'{"id":1,"result":{}}', JSON_TYPE),
        (b"[" * 100 + b"]" * 100, JSON_TYPE),
        (b"data: nonsense\n\n", SSE_TYPE),
        (b"<html>", b"Content-Type: text/html"),
    ],
)
async def test_what_is_no_message_is_broken(body: bytes, media_type: bytes) -> None:
    with pytest.raises(UpstreamFault) as fault:
        await read(body, media_type)
    assert fault.value.reason == "broken"


@pytest.mark.parametrize("media_type", [JSON_TYPE, SSE_TYPE])
async def test_an_answer_beyond_its_cap_is_too_large(media_type: bytes) -> None:
    body = b'data: {"jsonrpc":"2.0","x":"' + b"x" * 100 + b'"}\n\n'
    with pytest.raises(UpstreamFault) as fault:
        await read(body, media_type, cap=50)
    assert (fault.value.reason, fault.value.figure) == ("too_large", 50)


async def test_a_stream_of_too_many_short_events_is_not_said_to_have_too_many_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("proxy.upstream.answers.MAX_EVENTS", 3)
    with pytest.raises(UpstreamFault) as fault:
        await read(b'data: {"jsonrpc":"2.0"}\n\n' * 4, SSE_TYPE)
    assert (fault.value.reason, fault.value.figure, fault.value.unit) == ("too_large", 3, "events")


@pytest.mark.parametrize(
    ("message", "ours"),
    [
        ({"id": 1, "result": {}}, True),
        ({"id": 1, "error": {}}, True),
        ({"id": True, "result": {}}, False),
        ({"id": "1", "result": {}}, True),
        ({"id": 1.0, "result": {}}, True),
        ({"id": "01", "result": {}}, False),
        ({"id": "1 ", "result": {}}, False),
        ({"id": "2", "result": {}}, False),
        ({"id": ["1"], "result": {}}, False),
        ({"id": None, "result": {}}, False),
        ({"id": 2, "result": {}}, False),
        ({"id": 1, "result": []}, False),
        ({"id": 1}, False),
        ({"id": 1, "method": "ping", "result": {}}, False),
    ],
)
def test_only_the_result_or_error_of_our_request_is_our_answer(message: Json, ours: bool) -> None:
    assert is_answer_to(message, 1) is ours


class AllAtHand:
    """A stream that has come already: whoever reads it never waits for it."""

    status = 200

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)

    def header(self, name: str) -> str | None:
        return "text/event-stream" if name == "content-type" else None

    async def next_chunk(self) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""

    def may_be_left(self, *, all_read: bool) -> None:
        pass


class Counted(LargeAnswers):
    """Counts what was read beside the loop."""

    taken = 0

    async def in_turn(self, work: Any, *, next_in: bool = False) -> Any:
        self.taken += 1
        return await super().in_turn(work, next_in=next_in)


def turns_of(large: LargeAnswers) -> Turns:
    """The turns of a call whose caller has room for everything."""
    return Turns(large, lambda _: None)


def event(numbers: bytes, size: int) -> bytes:
    """A message of about so many bytes."""
    items = b",".join([numbers] * (size // (len(numbers) + 1)))
    return b'data: {"jsonrpc":"2.0","method":"x","params":{"x":[%b]}}\n\n' % items


@pytest.mark.parametrize(
    ("stream", "steps"),
    [
        ([event(b"1", 60_000) * 20], 18),
        ([event(b"1", 60_000)] * 20, 9),
        ([event(b"1", 100) * 5_000], 7),
        ([b":\n" * 500_000], 15),
        ([b"\n" * 1_000_000], 15),
        ([b"\r\n" * 500_000], 15),
        ([b"x:\n\n" * 250_000], 15),
        ([b"event: ping\ndata: 1\n\n" * 50_000], 15),
    ],
)
async def test_others_run_while_a_stream_that_is_at_hand_is_read(stream: list[bytes], steps: int) -> None:
    others = 0

    async def run() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    other = Tasks("test").spawn("other", run())
    async for _ in messages(AllAtHand(*stream), cap_bytes=1 << 20, large=turns_of(LargeAnswers())):  # type: ignore[arg-type]  # what is read of an answer
        pass
    other.cancel()
    assert others >= steps


@pytest.mark.parametrize(
    ("numbers", "size", "turns"),
    [
        (b"1", 100_000, 0),
        (b"1.25", 250_000, 0),
        (b"1", 300_000, 1),
        (b"[1e999]", 100_000, 1),
        (b"1e-999", 100_000, 1),
        (rb'"\ud800"', 100_000, 1),
        (b'"\xff"', 100_000, 1),
        (b"[" * 300 + b'"%b"' % (b"x" * 3_000) + b"]" * 300, 100_000, 1),
        (b"[1e999]", 1_000, 0),
    ],
)
async def test_what_is_slow_to_read_is_read_beside_the_loop(numbers: bytes, size: int, turns: int) -> None:
    large = Counted()
    answer = AllAtHand(event(numbers, size))
    (message,) = [one async for one in messages(answer, cap_bytes=1 << 20, large=turns_of(large))]  # type: ignore[arg-type]  # what is read of an answer
    assert (message["method"], large.taken) == ("x", turns)


@pytest.mark.parametrize("filling", [b":\n", b"\n", b"\r\n", b": keep-alive\n\n", b"id: 1\n\n", event(b"1", 500)])
async def test_a_stream_without_an_end_is_too_large_whatever_it_is_made_of(
    filling: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.upstream.answers.SMALLEST_CAP", 3000)
    for cap, most in ((600, 3000), (2000, 8000)):
        allowed = filling * (most // len(filling))
        async for _ in messages(AllAtHand(allowed, ONE[: most - len(allowed)]), cap_bytes=cap):  # type: ignore[arg-type]  # what is read of an answer
            pass
        with pytest.raises(UpstreamFault) as fault:
            async for _ in messages(AllAtHand(allowed, filling), cap_bytes=cap):  # type: ignore[arg-type]  # what is read of an answer
                pass
        assert (fault.value.reason, fault.value.figure, fault.value.unit) == ("too_large", most, "bytes")
