"""Streams that end before the answer: when they are asked for again, how often, and where that ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.mcp.event_stream import EventReader
from proxy.upstream import answers, taken_up
from proxy.upstream.taken_up import FAILURES, LEAST_S, USUAL_S, StreamPosition, take_up
from proxy.upstream.transport import Transport, UpstreamAnswer

URL = PublicUrl("http://127.0.0.1/mcp")
BROKEN = UpstreamFault("broken", sent=True)
ANSWER = {"jsonrpc": "2.0", "id": 1, "result": {}}
Answers = list[dict[str, object] | UpstreamFault | int | None]


class Server:
    """Answers one poll after the other: with a message, a fault, a status, or a stream that ends once more."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[dict[str, str]] = []
        self.waited: list[float] = []

    @asynccontextmanager
    async def request(self, method: str, url: PublicUrl, headers: dict[str, str]) -> AsyncIterator[Any]:
        assert (method, url) == ("GET", URL)
        self.asked.append(dict(headers))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, UpstreamFault):
            raise answer
        self.status = answer if isinstance(answer, int) else 200
        self._says = answer
        yield self

    def header(self, name: str) -> str:
        return {"content-type": "text/event-stream; charset=utf-8"}[name]

    async def read(self, response: UpstreamAnswer) -> dict[str, object] | None:
        return cast("dict[str, object] | None", self._says)

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)


async def polled(server: Server, position: StreamPosition, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setattr(asyncio, "sleep", server.sleep)
    headers = {"content-type": "application/json", "accept": "x", "mcp-session-id": "s"}
    return await take_up(cast("Transport", server), URL, headers, position, server.read)


async def test_a_stream_is_asked_for_from_its_last_event_on_until_the_answer_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(None, None, ANSWER)
    assert await polled(server, StreamPosition("e-1", 2.0), monkeypatch) == ANSWER
    assert server.asked == [{"accept": "text/event-stream", "mcp-session-id": "s", "last-event-id": "e-1"}] * 3
    assert server.waited == [2.0] * 3


async def test_what_may_pass_is_tried_again_a_few_times_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = UpstreamFault("refused", sent=False)
    server = Server(BROKEN, 503, None, refused, BROKEN, None, ANSWER)
    assert await polled(server, StreamPosition("e-1"), monkeypatch) == ANSWER
    for what in (BROKEN, 503, refused):
        server = Server(what)
        with pytest.raises(UpstreamFault):
            await polled(server, StreamPosition("e-1"), monkeypatch)
        assert len(server.asked) == FAILURES


@pytest.mark.parametrize(
    "final",
    [404, 405, 400, 202, UpstreamFault("too_large", sent=True), UpstreamFault("broken", sent=True, whole=True)],
)
async def test_a_server_that_says_no_is_not_asked_again(
    final: int | UpstreamFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(final)
    with pytest.raises(UpstreamFault):
        await polled(server, StreamPosition("e-1"), monkeypatch)
    assert len(server.asked) == 1


async def test_a_stream_is_not_taken_up_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taken_up, "MOST_TIMES", 5)
    server = Server(None)
    with pytest.raises(UpstreamFault, match="broken"):
        await polled(server, StreamPosition("e-1"), monkeypatch)
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    ("stream", "last_id", "wait_s"),
    [
        (b"id: a\n\n", "a", USUAL_S),
        (b"id: a\nretry: 500\ndata: x\n\nid: b\ndata: y\n\n", "b", 0.5),
        (b"retry: 0\n\n", "", LEAST_S),
        (b"id: a\n\nid: b c\n\n", "", USUAL_S),
        (b"id: a\n\nid: " + b"b" * 1025 + b"\n\n", "", USUAL_S),
        (b"id: a\n\nid: \xff\n\n", "", USUAL_S),
    ],
)
def test_a_position_is_the_last_id_that_a_header_can_carry(stream: bytes, last_id: str, wait_s: float) -> None:
    position, reader = StreamPosition(), EventReader()
    reader.feed(stream)
    position.reached(reader)
    assert (position.last_id, position.wait_s) == (last_id, wait_s)
    assert position.is_resumable_after(BROKEN) is bool(last_id)


def test_a_stream_that_says_nothing_new_leaves_its_position() -> None:
    position = StreamPosition("a", 3.0)
    position.reached(EventReader())
    assert (position.last_id, position.wait_s) == ("a", 3.0)


class Flood:
    """A stream of six notifications."""

    def __init__(self) -> None:
        self._left = [b"id: e-1\ndata: " + b'{"jsonrpc":"2.0","method":"m"}' + b"\n\n"] * 6

    def header(self, name: str) -> str | None:
        return "text/event-stream" if name == "content-type" else None

    async def next_chunk(self) -> bytes:
        return self._left.pop() if self._left else b""

    def may_be_left(self, *, all_read: bool) -> None:
        """Nothing to do."""


async def test_a_flood_in_pieces_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_EVENTS", 10)
    position = StreamPosition()

    async def read() -> int:
        response = cast("UpstreamAnswer", Flood())
        return len([one async for one in answers.messages(response, cap_bytes=1000, position=position)])

    assert await read() == 6
    with pytest.raises(UpstreamFault, match="too_large"):
        await read()
