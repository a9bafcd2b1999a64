"""One request of the fast lane, on a connection that only writes down what it is told."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import create_autospec, patch

import pytest

from core.mcp.event_stream import COMMENT_KEEPALIVE
from core.tasks import Tasks
from proxy.deps import Deps
from proxy.edge.answer_bytes import LAST_CHUNK, AnswerHeads, chunk
from proxy.edge.lane_parts import LaneParts
from proxy.edge.listener import Listener
from proxy.edge.overload_refusals import OverloadRefusals
from proxy.edge.request_reader import BODY_CAME, RequestReader
from proxy.edge.served_request import ServedRequest
from proxy.edge.stream_sweep import StreamSweep
from proxy.exchange import NOBODY, Answer, Exchange, Head
from tests.fakes.proxy_parts import gateway, hold, known_token, user
from tests.fakes.raw_http import request_bytes
from tests.unit.proxy.edge.conftest import LATER, PING, WORKS


class Caller:
    """A connection whose transport takes everything at once."""

    full = False

    def __init__(self, deps: Deps) -> None:
        heads = AnswerHeads()
        listener = create_autospec(Listener, instance=True)
        self.parts = LaneParts(deps, listener, StreamSweep(deps), heads, OverloadRefusals(deps, heads))
        self.reader = RequestReader(self.parts.heads, self.parts.memory)
        self.deadline: float | None = None
        self.written_bytes = b""
        self.wants_bytes = self.was_cut = self.held = False
        self.answers = 0
        self.request: ServedRequest | None = None

    def receives(self, data: bytes) -> ServedRequest:
        head = self.reader.feed(data)
        assert isinstance(head, Head)
        self.request = request = ServedRequest(self, self.parts, Exchange(head, NOBODY))
        request.begin()
        return request

    def without_deadline(self) -> None:
        self.deadline = None

    def until(self, when: float) -> None:
        self.deadline = when

    def resume_reading(self) -> None:
        self.wants_bytes = True

    def put(self, head: bytes, body: bytes) -> bool:
        self.written_bytes += head + body
        return True

    async def put_chunk(self, data: bytes) -> None:
        self.written_bytes += data

    def written(self, *, at_once: bool) -> None:
        assert at_once
        self.answers += 1
        assert self.request is not None
        self.request.end()
        self.reader.answered()
        self.request = None

    def end_stream(self, last: bytes = b"") -> None:
        self.written(at_once=self.put((chunk(last) if last else b"") + LAST_CHUNK, b""))

    def hold_stream(self, x: Exchange, head: bytes, first: bytes) -> None:
        self.written_bytes += head
        self.held = True

    def cut(self) -> None:
        self.was_cut = True


@pytest.fixture
def headers(deps: Deps) -> list[tuple[str, str]]:
    hold(deps, gateway())
    token = known_token(deps, user())
    return [("Host", "gw.example"), ("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")]


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def test_a_request_is_answered_and_leaves_nothing_to_the_garbage_collector(
    deps: Deps, headers: list[tuple[str, str]]
) -> None:
    caller = Caller(deps)
    data = request_bytes("POST", "/v1/mcp/g", headers, PING)
    caller.receives(data)  # what is made once is made
    with without_collector():
        caller.receives(data)
        assert gc.collect() == 0
    assert caller.written_bytes.count(b"HTTP/1.1 200 OK\r\n") == 2


async def test_a_body_that_comes_in_parts_has_its_time_until_it_is_whole(
    deps: Deps, headers: list[tuple[str, str]]
) -> None:
    caller = Caller(deps)
    whole = request_bytes("POST", "/v1/mcp/g", headers, PING)
    request = caller.receives(whole[:-10])
    assert (caller.deadline is not None, caller.wants_bytes, caller.answers) == (True, True, 0)
    assert deps.usage.bytes_in_flight == len(PING) - 10
    assert caller.reader.feed(whole[-10:]) is BODY_CAME
    request.body_came()
    assert (caller.deadline, caller.answers) == (None, 1)
    assert deps.usage.bytes_in_flight == 0


async def test_a_body_that_is_late_is_refused_and_the_connection_ends_with_that(
    deps: Deps, headers: list[tuple[str, str]]
) -> None:
    caller = Caller(deps)
    request = caller.receives(request_bytes("POST", "/v1/mcp/g", headers, PING)[:-1])
    request.body_is_late()
    assert caller.written_bytes.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in caller.written_bytes
    assert caller.reader.closes


async def test_a_caller_that_leaves_gets_nothing_and_ends_what_runs_for_it(
    deps: Deps, headers: list[tuple[str, str]]
) -> None:
    seen: list[str] = []

    async def waits(x: Exchange, deps: Deps) -> Answer:
        seen.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("ended")
        return Answer(200)

    caller = Caller(deps)
    with patch(WORKS, waits):
        request = caller.receives(request_bytes("POST", "/v1/mcp/g", headers, LATER))
        request.leave()  # its task has not begun
        await asyncio.sleep(0.01)
    assert seen == ["began", "ended"]
    assert (caller.answers, caller.written_bytes, caller.was_cut) == (0, b"", False)
    assert deps.usage.bytes_in_flight == 0


async def test_an_event_begins_a_stream_and_the_end_of_the_work_ends_it(
    deps: Deps, headers: list[tuple[str, str]]
) -> None:
    async def streams(x: Exchange, deps: Deps) -> None:
        await x.outlet.send_event(b"{}")
        await x.outlet.send_event(b"[]")

    caller = Caller(deps)
    with patch(WORKS, streams):
        caller.receives(request_bytes("POST", "/v1/mcp/g", headers, LATER))
        await asyncio.sleep(0.01)
    head, _, events = caller.written_bytes.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert (events.count(b"data: {}"), events.count(b"data: []")) == (1, 1)
    assert events.endswith(LAST_CHUNK)


async def test_an_answer_is_the_last_event_of_a_stream_that_has_begun(
    deps: Deps, headers: list[tuple[str, str]]
) -> None:
    async def streams(x: Exchange, deps: Deps) -> Answer:
        await x.outlet.send_event(b"{}")
        return Answer(404, b"[1]")

    caller = Caller(deps)
    with patch(WORKS, streams):
        caller.receives(request_bytes("POST", "/v1/mcp/g", headers, LATER))
        await asyncio.sleep(0.01)
    assert caller.written_bytes.endswith(chunk(b"data: {}\n\n") + chunk(b"data: [1]\n\n") + LAST_CHUNK)
    assert caller.written_bytes.count(b"HTTP/1.1") == 1


async def test_a_comment_begins_a_stream_and_more_of_them_go_on(deps: Deps, headers: list[tuple[str, str]]) -> None:
    async def waits(x: Exchange, deps: Deps) -> Answer:
        x.outlet.keep_alive()
        x.outlet.keep_alive()
        return Answer(200, b"[1]")

    caller = Caller(deps)
    with patch(WORKS, waits):
        request = caller.receives(request_bytes("POST", "/v1/mcp/g", headers, LATER))
        await asyncio.sleep(0.01)
    comments = chunk(COMMENT_KEEPALIVE) * 2
    assert caller.written_bytes.endswith(b"\r\n\r\n" + comments + chunk(b"data: [1]\n\n") + LAST_CHUNK)
    written = caller.written_bytes
    request.keep_alive()  # it was answered
    assert caller.written_bytes == written


async def test_a_worker_that_stops_cuts_who_waits_for_an_answer(deps: Deps, headers: list[tuple[str, str]]) -> None:
    async def waits(x: Exchange, deps: Deps) -> Answer:
        await asyncio.Event().wait()
        return Answer(200)

    caller = Caller(deps)
    tasks = Tasks("test")
    with patch(WORKS, waits), patch.object(deps.calls, "_tasks", tasks):
        caller.receives(request_bytes("POST", "/v1/mcp/g", headers, LATER))
        await asyncio.sleep(0.01)
        await tasks.close()
    assert caller.was_cut


async def test_nobody_is_told_anything() -> None:
    await NOBODY.send_event(b"{}")
    assert NOBODY.gone
    assert not NOBODY.streaming
