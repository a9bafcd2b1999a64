"""Event streams that answer a call which was sent at once: the first message is the answer, or somebody must wait."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import proxy.upstream.sent_call as sent_call_module
from core.mcp.versions import MODERN
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.conversation import Upstreams
from proxy.upstream.pool.connection import PoolConnection
from proxy.upstream.pool.head import KnownHeads
from proxy.upstream.sent_call import SentCall
from tests.fakes.call_parts import installation
from tests.fakes.pool_calls import nothing_finishes
from tests.fakes.scripted_upstream import HANG, Script, head
from tests.fakes.sent_calls import FINE, ID, RESULT, met, outbound, ready, upstreams
from tests.plugins.moved_clock import MovedClock

STREAM = head(b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked")
END = b"0\r\n\r\n"
PROGRESS = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}}
ANOTHER = RESULT | {"id": ID + 1}


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def event(message: object) -> bytes:
    return b"event: message\r\ndata: " + orjson.dumps(message) + b"\r\n\r\n"


@pytest.mark.parametrize(
    "script",
    [
        [STREAM + chunk(event(RESULT)) + END],
        [STREAM, 0.01, chunk(event(RESULT)), 0.01, END],
        [STREAM, chunk(b": hello\n\nid: 1\nretry: 5\ndata:\n\n" + event(RESULT)) + END],
    ],
    ids=["in one piece", "its end after a moment", "between what is no message"],
)
async def test_a_streams_first_message_is_read_and_its_connection_is_used_again(script: Script) -> None:
    async with upstreams(script) as (made, to):
        await met(made, to)
        for _ in range(3):
            sent = await ready(made.sent.begin(to, outbound(), "p", None))
            assert made.sent.received(sent) == RESULT
            await nothing_finishes(made._transport)  # type: ignore[arg-type]  # the pool
        assert made._transport.opened == 1
        assert not made._deadlines._running


async def test_an_answer_is_handed_over_while_its_stream_goes_on_and_a_reset_behind_it_is_too_late() -> None:
    async with upstreams([STREAM + chunk(event(RESULT)), HANG]) as (made, to):
        await met(made, to)
        sent = await ready(made.sent.begin(to, outbound(), "p", None))
        sent.strike()
        assert made.sent.received(sent) == RESULT
        assert not made.health.breakers.doubts(to.installation_id)


@pytest.fixture
def noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that can be referred to weakly."""
    monkeypatch.setattr(sent_call_module, "SentCall", type("Noticed", (SentCall,), {}))


@pytest.mark.usefixtures("noticed")
@pytest.mark.parametrize("script", [[STREAM + chunk(event(RESULT)) + END], [FINE]], ids=["stream", "JSON"])
async def test_a_call_that_is_answered_leaves_nothing_to_the_garbage_collector(script: Script) -> None:
    async with upstreams(script) as (made, to):
        await met(made, to)
        sent = await ready(made.sent.begin(to, outbound(), "p", None))
        assert made.sent.received(sent) == RESULT
        gone = weakref.ref(sent)
        with no_collector():
            del sent
            assert gone() is None


@pytest.mark.usefixtures("noticed")
async def test_a_call_that_is_abandoned_leaves_nothing_to_the_garbage_collector() -> None:
    async with upstreams([STREAM, HANG]) as (made, to):
        await met(made, to)
        sent = made.sent.begin(to, outbound(), "p", None)
        assert sent is not None
        sent.then(lambda: None)
        gone = weakref.ref(sent)
        with no_collector():
            sent.abandon()
            del sent
            assert gone() is None


@contextmanager
def no_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def test_what_came_behind_the_answer_before_that_was_taken_spends_the_connection() -> None:
    script = [STREAM + chunk(event(RESULT)), 0.02, chunk(event(ANOTHER)) + END]
    async with upstreams(script, [FINE]) as (made, to):
        await met(made, to)
        sent = await ready(made.sent.begin(to, outbound(), "p", None))
        for _ in range(600):
            await asyncio.sleep(0 if sent.answer.complete else 0.005)
        assert made.sent.received(sent) == RESULT
        await met(made, to)
        assert made._transport.opened == 2


@pytest.mark.parametrize(
    "first",
    [
        event(PROGRESS),
        event(ANOTHER),
        event({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
        event({}),
        b"data: {\n\n",
    ],
    ids=["progress", "another answer", "a request", "no message", "no JSON"],
)
async def test_a_stream_that_begins_with_anything_else_is_left_to_who_waits_with_all_its_bytes(first: bytes) -> None:
    async with upstreams([STREAM + chunk(first), 0.01, chunk(event(RESULT)) + END]) as (made, to):
        await met(made, to)
        sent = await ready(made.sent.begin(to, outbound(), "p", None))
        assert made.sent.received(sent) is None
        read = b""
        while piece := await sent.answer.next_chunk():
            read += piece
        assert read == first + event(RESULT)
        sent.abandon()


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        (b"data: " + b"x" * 1200, False),
        (b": keep-alive\n\n" * 100, False),
        (b": nothing\n\n", True),
    ],
    ids=["an event beyond the cap", "nothing but comments", "an end without a message"],
)
async def test_a_stream_in_which_no_message_was_found_is_left_to_who_waits(body: bytes, ends: bool) -> None:
    async with upstreams([STREAM + chunk(body) + (END if ends else b"")]) as (made, to):
        await met(made, to)
        sent = await ready(made.sent.begin(to, outbound(), "p", None))
        assert made.sent.received(sent) is None
        assert await sent.answer.next_chunk() == body
        sent.abandon()


async def test_a_stream_without_its_message_in_time_is_refused_as_slow(clock: MovedClock) -> None:
    async with upstreams([STREAM + chunk(b": wait\n\n"), HANG]) as (made, to):
        await met(made, to)
        sent = made.sent.begin(to, outbound(), "p", None)
        assert sent is not None
        await asyncio.sleep(0.05)
        clock.pass_by(60)
        with pytest.raises(Refusal, match="upstream_slow"):
            made.sent.received(await ready(sent))
        assert made.health.breakers.doubts(to.installation_id)


class Wire(asyncio.Transport):
    """The transport of a connection whose bytes a test cuts, and the keeper of that connection."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = self.idle = self.waits = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Nobody reads."""

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.closing, self.idle, self.waits = True, False, False

    def give_back(self, installation: PoolConnection, idle_seconds: float) -> None:
        self.idle, self.waits = True, False

    def finishing(self, installation: PoolConnection) -> None:
        self.waits = True

    def lost(self, installation: PoolConnection) -> None:
        """Its place is nobody's concern here."""


ANY_STREAM = {
    "the answer alone": (chunk(event(RESULT)) + END, RESULT, "idle"),
    "in two chunks": (chunk(event(RESULT)[:20]) + chunk(event(RESULT)[20:]) + END, RESULT, "idle"),
    "comments first": (chunk(b": a\n\n" * 20 + event(RESULT)) + END, RESULT, "idle"),
    "another answer behind": (chunk(event(RESULT)) + chunk(event(ANOTHER)) + END, RESULT, "closing"),
    "a comment behind": (chunk(event(RESULT)) + chunk(b": keep-alive\n\n") + END, RESULT, "closing"),
    "an id behind": (chunk(event(RESULT) + b"id: 3\n\n") + END, RESULT, "closing"),
    "half a message behind": (chunk(event(RESULT) + b"data: {") + END, RESULT, "closing"),
    "the answer twice": (chunk(event(RESULT) + event(RESULT)), RESULT, "closing"),
    "no end": (chunk(event(RESULT)), RESULT, "waits"),
    "half an end": (chunk(event(RESULT)) + END[:-1], RESULT, "waits"),
    "bytes behind": (chunk(event(RESULT)) + END + FINE, RESULT, "closing"),
    "a byte behind": (chunk(event(RESULT)) + END + b"\n", RESULT, "closing"),
    "garbage behind": (chunk(event(RESULT)) + FINE, RESULT, "closing"),
    "progress first": (chunk(event(PROGRESS)) + chunk(event(RESULT)) + END, None, ""),
    "another answer first": (chunk(event(ANOTHER) + event(RESULT)) + END, None, ""),
    "no message": (chunk(b": nothing\n\n") + END, None, ""),
    "garbage first": (FINE, "upstream_broken", "closing"),
    "garbage inside": (chunk(b": half\n") + FINE, "upstream_broken", "closing"),
}


@pytest.mark.parametrize("kind", ANY_STREAM)
@given(cuts=st.sets(st.integers(1, 700), max_size=8) | st.just(set(range(700))))
async def test_wherever_a_stream_is_cut_it_comes_to_the_same(kind: str, cuts: set[int]) -> None:
    body, outcome, end = ANY_STREAM[kind]
    wire, raw, got = Wire(), STREAM + body, list[object]()
    installation = PoolConnection(wire, None, KnownHeads())
    installation.connection_made(wire)
    tasks = Tasks("test")
    made = Upstreams(
        None, None, None, tasks, to_listen=None, list_news=None,  # type: ignore[arg-type]  # nothing is sent
        call_seconds=1, ceiling_seconds=1, max_answer=1000,
    )  # fmt: skip
    answer = installation.send(b"request")
    sent = SentCall(made.sent, to_nobody(), outbound(), "p", None, answer, time.monotonic() + 1)

    def read() -> None:
        try:
            got.append(made.sent.received(sent))
        except Refusal as refusal:
            got.append(refusal.reason)

    sent.then(read)
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(raw)), len(raw)]
    for start, stop in pairwise(places):
        if not wire.closing:
            installation.data_received(raw[start:stop])
    assert got == [outcome]
    if outcome is None:
        assert sent.answer.peek(0) == b"".join(contents(body))
    else:
        assert (wire.closing, wire.idle, wire.waits) == tuple(end == one for one in ("closing", "idle", "waits"))


def contents(body: bytes) -> Iterator[bytes]:
    """Of the chunks."""
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]


def to_nobody() -> ResolvedInstallation:
    return installation("http://127.0.0.1:1/mcp", protocol=MODERN)
