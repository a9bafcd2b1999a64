"""Large answers that many ask for and do not read: another caller's calls do not wait for them.

What is counted is who waits, not for how long: the thread that reads large answers is held in the middle of one, and
meanwhile others' calls must be served.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import orjson
import pytest

from core.mcp.large_answer_json import LARGE, read_large
from proxy.upstream import answers
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.fixtures_program import eventually
from tests.fixtures_system import modern_request
from tests.proxy.conftest import Rig

READERS = 30
SIZE = 2 * LARGE


@contextmanager
def asking(rig: Rig, tool: str) -> Iterator[socket.socket]:
    """A caller of their own who asks for an answer and reads nothing of it."""
    body, headers = modern_request("tools/call", {"name": tool, "arguments": {}}, rig.control.token())
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", rig.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        length = f"Content-Length: {len(body)}\r\n"
        connection.sendall(f"POST /v1/mcp/g HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}{head}\r\n".encode() + body)
        yield connection


async def serve(rig: Rig, server: McpUpstream, how: str) -> None:
    async def big(_: Received) -> Answer:
        if how == "structured":
            rows = [{"number": number, "text": "x" * 100} for number in range(SIZE // 120)]
            return Answer(result={"content": [], "structuredContent": {"rows": rows}})
        if how == "many items":
            return Answer(result={"content": [{"type": "text", "text": "x" * 100} for _ in range(SIZE // 130)]})
        return Answer(text="x" * SIZE, stream=how == "stream")

    async def echo(received: Received) -> Answer:
        return Answer(text="back")

    server.tool("big", big)
    server.tool("echo", echo)
    connection = rig.control.installation(server.url)
    await rig.serve([rig.control.tool("big", "big", connection), rig.control.tool("echo", "echo", connection)])


async def is_served(rig: Rig) -> bool:
    reply = await rig.modern("tools/call", {"name": "echo", "arguments": {}})
    return bool(orjson.loads(reply.body)["result"]["content"][0]["text"] == "back")


@pytest.mark.parametrize("how", ["text", "stream", "structured", "many items"])
async def test_others_are_served_while_many_large_answers_wait_for_their_turn(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    gate, begun = threading.Event(), threading.Event()

    def held(raw: bytes) -> object:
        begun.set()
        assert gate.wait(60), "nobody else was served, so nobody let it go on"
        return read_large(raw)

    monkeypatch.setattr(answers, "read_large", held)
    large = rig.worker.deps.upstreams.large
    async with McpUpstream(era="modern") as server:
        await serve(rig, server, how)
        assert await is_served(rig)
        with ExitStack() as callers:
            readers = [callers.enter_context(asking(rig, "big")) for _ in range(READERS)]

            async def all_wait() -> bool:
                return begun.is_set() and len(large) == READERS

            await eventually(all_wait, 60, "one answer is being read and the others wait for their turn")
            for _ in range(10):
                assert await is_served(rig)
            assert len(large) == READERS
            gate.set()

            async def all_done() -> bool:
                return len(large) == 0

            await eventually(all_done, 60, "every large answer had its turn")
            for _ in range(10):  # and while all of them stay unread
                assert await is_served(rig)
            loop = asyncio.get_running_loop()
            for reader in readers:
                reader.setblocking(False)
                async with asyncio.timeout(60):
                    assert await loop.sock_recv(reader, 12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("how", ["text", "stream", "structured", "many items"])
async def test_a_large_answer_arrives_whole(rig: Rig, how: str) -> None:
    async with McpUpstream(era="modern") as server:
        await serve(rig, server, how)
        reply = await rig.modern("tools/call", {"name": "big", "arguments": {}})
    result = orjson.loads(reply.body)["result"]
    assert len(reply.body) > SIZE * 0.9
    if how == "structured":
        assert len(result["structuredContent"]["rows"]) == SIZE // 120
    else:
        assert sum(len(item["text"]) for item in result["content"]) >= SIZE // 2


@pytest.mark.parametrize("how", ["text", "stream", "structured", "many items"])
async def test_large_answers_that_wait_hold_room_and_one_without_room_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    gate, begun = threading.Event(), threading.Event()

    def held(raw: bytes) -> object:
        begun.set()
        assert gate.wait(60)
        return read_large(raw)

    monkeypatch.setattr(answers, "read_large", held)
    usage, large = rig.worker.deps.usage, rig.worker.deps.upstreams.large
    async with McpUpstream(era="modern") as server:
        await serve(rig, server, how)
        with ExitStack() as callers:
            for _ in range(2):
                callers.enter_context(asking(rig, "big"))

            async def both_wait() -> bool:
                return begun.is_set() and len(large) == 2

            await eventually(both_wait, 60, "one waits behind another")
            assert usage.bytes_in_flight > 1.8 * SIZE
            most = rig.worker.deps.settings.bytes_in_flight
            left = most - usage.bytes_in_flight - SIZE // 2
            assert usage.held.take("user:else", left, most=most, share=most)
            try:
                reply = await rig.modern("tools/call", {"name": "big", "arguments": {}})
            finally:
                gate.set()
                usage.held.give_back("user:else", left)
            assert "larger than" in orjson.loads(reply.body)["result"]["content"][0]["text"]

        async def nothing_is_held() -> bool:
            return usage.bytes_in_flight == 0

        await eventually(nothing_is_held, 60, "all room was given back")


async def test_small_answers_take_no_turn(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = []
    monkeypatch.setattr(type(rig.worker.deps.upstreams.large), "in_turn", lambda *_, **__: turns.append(1))
    async with McpUpstream(era="modern") as server:
        await serve(rig, server, "text")
        assert await is_served(rig)
    assert turns == []


async def test_a_caller_who_leaves_gives_the_turn_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun = threading.Event(), threading.Event()

    def held(raw: bytes) -> object:
        begun.set()
        assert gate.wait(60)
        return read_large(raw)

    monkeypatch.setattr(answers, "read_large", held)
    large = rig.worker.deps.upstreams.large
    async with McpUpstream(era="modern") as server:
        await serve(rig, server, "text")
        with ExitStack() as callers:
            for _ in range(3):
                callers.enter_context(asking(rig, "big"))

            async def some_wait() -> bool:
                return begun.is_set() and len(large) == 3

            await eventually(some_wait, 60, "two wait behind one")
        gate.set()

        async def none() -> bool:
            return len(large) == 0

        await eventually(none, 60, "all have left")
        reply = await rig.modern("tools/call", {"name": "big", "arguments": {}})
        assert len(orjson.loads(reply.body)["result"]["content"][0]["text"]) == SIZE
