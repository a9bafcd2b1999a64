"""A far side that is a list of bytes: a raw TCP (or TLS) server which plays one script per request it reads.

    async with ScriptedUpstream([ok(b"hello")], [b"HTTP/1.1 200 OK\\r\\n", 0.2, HANG]) as upstream:
        ...                       # first request, second request; the last script answers all that follow
        upstream.requests         # the raw bytes of each request (head and Content-Length body)
        upstream.connections      # how many connections were accepted

A script's steps: bytes are written, a number is a pause in seconds, and the words below do what they say. When a
script ends the connection stays open for the next request, unless the script said otherwise. A script may also be a
function of the raw request that it answers. Calls that only prepare the proxy (`mcp_answers.PREPARES`) are answered
well and forgotten.
"""

import asyncio
import contextlib
import enum
import re
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import orjson

from tests.fakes.mcp_answers import PREPARES


class Act(enum.Enum):
    """What a script can do besides writing and waiting."""

    HANG = "say nothing more, keep the connection open"
    CLOSE = "end the connection in order (FIN)"
    RESET = "end it rudely (RST)"
    FOREVER = "repeat the step before without end"


HANG, CLOSE, RESET, FOREVER = Act.HANG, Act.CLOSE, Act.RESET, Act.FOREVER
Step = bytes | float | Act
Script = Sequence[Step]
Replies = Script | Callable[[bytes], Script]

MAX_REQUEST_BYTES = 8 * 1024 * 1024
_PREPARES = b'"arguments":' + orjson.dumps(PREPARES)


def ok(body: bytes, *extra: bytes, status: bytes = b"200 OK") -> bytes:
    """A complete answer with Content-Length; `extra` are whole header lines without line ends."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *extra, b"", body]
    return b"\r\n".join(lines)


def head(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    """A status line and header lines, with the empty line; the body is the script's business."""
    return b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", b""])


class ScriptedUpstream:
    """See the module. `on_accept` is played on each new connection before anything is read (for RESET, CLOSE).
    `port` 0 takes any free one."""

    def __init__(
        self,
        *scripts: Replies,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        on_accept: Script = (),
    ) -> None:
        self._scripts = scripts
        self._host = host
        self._tls = tls
        self._on_accept = on_accept
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._news = asyncio.Event()
        self._hanging = asyncio.Event()
        self._played = 0
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = port

    @property
    def url(self) -> str:
        """The base URL by address, without a path."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    async def seen(self, count: int, within: float = 30.0) -> None:
        """Wait until `count` requests have been read; TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while len(self.requests) < count:
                self._news.clear()
                await self._news.wait()

    async def played(self, count: int, within: float = 30.0) -> None:
        """Wait until `count` scripts are at their end, and the client had a moment to read what they wrote."""
        async with asyncio.timeout(within):
            while self._played < count:
                self._news.clear()
                await self._news.wait()
        await asyncio.sleep(0.01)

    async def hangs(self, within: float = 30.0) -> None:
        """Wait until a script has come to its HANG."""
        async with asyncio.timeout(within):
            await self._hanging.wait()

    def write_to_all(self, data: bytes) -> None:
        """Bytes that nobody asked for, on every open connection; they are in the client's kernel on return."""
        for writer in self._writers:
            writer.write(data)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            await self._converse(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            self._open.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        going_on = await self._play(self._on_accept, writer)
        while going_on:
            request = await _one_request(reader)
            if _PREPARES in request:
                writer.write(_prepared(request))
                continue
            self.requests.append(request)
            self._news.set()
            turn = min(len(self.requests), len(self._scripts)) - 1
            script = self._scripts[turn]
            going_on = await self._play(script(self.requests[-1]) if callable(script) else script, writer)
            self._played += 1
            self._news.set()

    async def _play(self, script: Script, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may carry another request."""
        before: Step = b""
        for step in script:
            if step is HANG:
                self._hanging.set()
            if isinstance(step, Act):
                return await _act(step, before, writer)
            await _plain(step, writer)
            before = step
        return True


async def _plain(step: bytes | float, writer: asyncio.StreamWriter) -> None:
    if isinstance(step, bytes):
        writer.write(step)
        await writer.drain()
    else:
        await asyncio.sleep(step)


async def _act(act: Act, before: Step, writer: asyncio.StreamWriter) -> bool:
    if act is HANG:
        await asyncio.Event().wait()
    if act is FOREVER:
        while isinstance(before, bytes):
            await _plain(before, writer)
    if act is RESET:
        # Linger of zero seconds makes close() send RST instead of FIN.
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    if act is CLOSE:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return False


def _prepared(request: bytes) -> bytes:
    message = orjson.loads(request.partition(b"\r\n\r\n")[2])
    result = {"content": [], "resultType": "complete"}
    body = orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result})
    return ok(body, b"Content-Type: application/json")


async def _one_request(reader: asyncio.StreamReader) -> bytes:
    """A request's head and its body by Content-Length; chunked requests are not understood."""
    request_head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", request_head)
    if length is None:
        return request_head
    assert int(length[1]) <= MAX_REQUEST_BYTES
    return request_head + await reader.readexactly(int(length[1]))
