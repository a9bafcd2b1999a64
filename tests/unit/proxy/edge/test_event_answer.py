"""An answer as an event stream: nothing comes between the pieces of an event, and nothing behind the end."""

from __future__ import annotations

import asyncio
from typing import cast

from core.mcp.event_stream import COMMENT_KEEPALIVE, encode_event
from core.tasks import Tasks
from proxy.edge.answer_bytes import LAST_CHUNK, chunk
from proxy.edge.caller import Caller
from proxy.edge.event_answer import EventAnswer
from proxy.edge.writing import PIECE

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
COMMENT = chunk(COMMENT_KEEPALIVE)


class SlowCaller:
    """A connection that takes a piece of a stream, and the next one only when the first was read."""

    def __init__(self) -> None:
        self.written = b""
        self.full = False
        self.read = asyncio.Event()

    def put(self, head: bytes, body: bytes) -> bool:
        self.written += head + body
        return True

    async def put_chunk(self, data: bytes) -> None:
        self.written += data
        await self.read.wait()

    def cut(self) -> None:
        self.written += b"cut"

    def end_stream(self, last: bytes = b"") -> None:
        self.written += (chunk(last) if last else b"") + LAST_CHUNK


def begun() -> tuple[SlowCaller, EventAnswer]:
    caller = SlowCaller()
    return caller, EventAnswer(cast("Caller", caller), HEAD)


async def test_the_head_comes_once_before_whatever_is_first() -> None:
    caller, answer = begun()
    answer.keep_alive()
    answer.keep_alive()
    answer.end(b"[1]")
    assert caller.written == HEAD + COMMENT * 2 + chunk(encode_event(b"[1]")) + LAST_CHUNK

    caller, answer = begun()
    answer.end(None)
    assert caller.written == HEAD + LAST_CHUNK


async def test_neither_a_comment_nor_an_event_comes_into_an_event_that_is_being_written() -> None:
    caller, answer = begun()
    long, tasks = b"x" * 2 * PIECE, Tasks("test")
    first = tasks.spawn("first", answer.send(long))
    second = tasks.spawn("second", answer.send(b"{}"))
    await asyncio.sleep(0)
    answer.keep_alive()
    caller.read.set()
    await asyncio.gather(first, second)
    data = encode_event(long)
    pieces = b"".join(chunk(data[start : start + PIECE]) for start in range(0, len(data), PIECE))
    assert caller.written == HEAD + pieces + chunk(encode_event(b"{}"))


async def test_a_caller_that_has_not_read_what_was_written_gets_no_comment() -> None:
    caller, answer = begun()
    caller.full = True
    answer.keep_alive()
    assert caller.written == b""


async def test_nothing_comes_behind_the_end() -> None:
    caller, answer = begun()
    caller.read.set()
    answer.end(b"[1]")
    written = caller.written
    await answer.send(b"{}")
    answer.keep_alive()
    assert caller.written == written


async def test_an_event_that_was_given_up_half_way_is_followed_by_nothing() -> None:
    caller, answer = begun()
    sending = Tasks("test").spawn("send", answer.send(b"x" * 2 * PIECE))
    await asyncio.sleep(0)
    sending.cancel()
    await asyncio.wait([sending])
    answer.keep_alive()
    answer.end(b"[1]")
    assert caller.written == HEAD + chunk(encode_event(b"x" * 2 * PIECE)[:PIECE]) + b"cut"
