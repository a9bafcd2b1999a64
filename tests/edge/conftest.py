"""Requests as bytes and whole connections, for what is told of the listener: in each lane, on a running proxy."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tests.fakes.mcp_answers import PREPARES
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.raw_answers import WholeAnswer, answers_in
from tests.fakes.raw_http import request_bytes
from tests.proxy.conftest import (  # noqa: F401
    Rig,
    _session_redis,
    breakable_redis,
    make_rig,
    modern_request,
    redis_server,
    rig,
    upstream,
    way,
)

GATEWAY = "/v1/mcp/g"
WITHIN_S = 5.0
Pairs = Iterable[tuple[str, str]]
HEALTH = request_bytes("GET", "/health", [("Host", "127.0.0.1")])
HEALTHY = b'{"status":"ok"}'
FAREWELL = request_bytes("GET", "/health", [("Host", "127.0.0.1"), ("Connection", "close")])
"""The last request of a connection whose every answer is wanted."""


async def serve_echo(rig: Rig, upstream: McpUpstream, *others: str) -> None:  # noqa: F811
    """Gateway `g` with the tool `echo`, and others; calls of `echo` as `call_bytes` makes them go by a plan, where
    there are plans."""
    installation = rig.control.installation(upstream.url)
    tools = [rig.control.tool(name, name, installation) for name in ("echo", *others)]
    await rig.serve(tools, client_auth_beside=["oauth"])
    if rig.prepared is not None:
        with rig.prepared.without_records():
            call = call_bytes(rig, "", arguments=PREPARES)
            await conversation(rig.port, call, call, call, FAREWELL)


def call_bytes(
    rig: Rig,  # noqa: F811
    marker: str,
    *,
    tool: str = "echo",
    without: Iterable[str] = (),
    extra: Pairs = (),
    framing: Pairs | None = None,
    chunks: bytes | None = None,
    version: str = "HTTP/1.1",
    arguments: dict[str, Any] | None = None,
) -> bytes:
    """A modern call that says `marker`. `without` names headers to leave out, `extra` follow the usual ones;
    `framing` stands for Content-Length, and `chunks` for the body."""
    message, named = modern_request("tools/call", {"name": tool, "arguments": arguments or {"marker": marker}})
    usual = {
        "Host": f"127.0.0.1:{rig.port}",
        "Authorization": f"Bearer {rig.token}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        **named,
    }
    body = json.dumps(message).encode()
    headers = [(name, value) for name, value in usual.items() if name not in set(without)]
    headers += [("Content-Length", str(len(body)))] if framing is None else framing
    return request_bytes("POST", GATEWAY, [*headers, *extra], version=version) + (body if chunks is None else chunks)


def body_of(marker: str) -> bytes:
    """The body of the call that says `marker`."""
    return json.dumps(modern_request("tools/call", {"name": "echo", "arguments": {"marker": marker}})[0]).encode()


def says(answer: WholeAnswer, marker: str) -> bool:
    """Whether it is the good answer to the call that said `marker`."""
    assert answer.status == 200, (answer.status, answer.body)
    return json.loads(answer.json["result"]["content"][0]["text"]) == {"marker": marker}


async def is_healthy(rig: Rig) -> bool:  # noqa: F811
    """Whether a new connection is served."""
    answers = await conversation(rig.port, FAREWELL)
    return [(one.status, one.body) for one in answers] == [(200, HEALTHY)]


class RawConnection:
    """A socket to 127.0.0.1 whose two ways are apart: who cannot send any more can still read what came."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.kept = b""
        """Read and not yet given out."""

    async def send(self, piece: bytes) -> bool:
        """Whether the server took it; False once it has hung up. It is given the time to read it by itself."""
        try:
            await asyncio.get_running_loop().sock_sendall(self.socket, piece)
        except ConnectionError:
            return False
        for _ in range(2):  # the proxy is in this process
            await asyncio.sleep(0)
        return True

    async def answer(self, within: float = WITHIN_S) -> WholeAnswer:
        """The next whole answer; AssertionError where the server closes before."""
        async with asyncio.timeout(within):
            while True:
                answers, rest = answers_in(self.kept)
                if answers:
                    self.kept = rest
                    assert len(answers) == 1, "one answer was waited for"
                    return answers[0]
                more = await self._receive()
                assert more, f"closed within an answer: {self.kept!r}"
                self.kept += more

    async def to_the_end(self, within: float = WITHIN_S) -> bytes:
        """All that the server sends until it closes; TimeoutError where it does not."""
        parts = [self.kept]
        async with asyncio.timeout(within):
            while part := await self._receive():
                parts.append(part)
        self.kept = b""
        return b"".join(parts)

    async def answers(self, within: float = WITHIN_S) -> list[WholeAnswer]:
        """Every answer until the server closes; the last must be whole."""
        found, rest = answers_in(await self.to_the_end(within))
        assert rest == b"", rest
        return found

    async def _receive(self) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self.socket, 1 << 16)
        except ConnectionError:
            return b""


@asynccontextmanager
async def connected(port: int, *, receive_buffer: int = 0) -> AsyncIterator[RawConnection]:
    """A connection, closed at the end."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        yield RawConnection(sock)


async def conversation(port: int, *pieces: bytes | float, within: float = WITHIN_S) -> list[WholeAnswer]:
    """Write the pieces (numbers are pauses in seconds) until the server has enough, and read until it closes."""
    async with connected(port) as connection:
        for piece in pieces:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            elif not await connection.send(piece):
                break
        return await connection.answers(within)
