"""The one metrics listener: adds the workers' counts up when it is asked, in Prometheus' text format.

Workers write plain numbers into files of their own (proxy/slots_file.py owns their format); nothing is sent per call.
A worker's file stays when the worker is replaced and the next one of that number goes on in it, so that counters do
not fall back. Who asks and does not read is cut off; it costs the workers nothing, and others at most a wait.

Two paths for two readers, a scraper and a probe, need little of HTTP (RFC 9112): one head is read, one answer is
written, the connection ends. A web framework for it would be most of what the supervisor holds in memory.
"""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.tasks import Tasks

Render = Callable[[list[Path]], bytes]
"""Files of counts to Prometheus text: `proxy.exposition.Exposition`."""
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
AT_ONCE: Final = 8
"""Scrapes that are answered at the same time; the text of each may be a megabyte."""
READ_WITHIN_S: Final = 10.0
_CONNECTIONS: Final = 256
"""So that a few who say nothing do not keep the probe out; one beyond is hung up on."""
_HEAD_BYTES: Final = 16 << 10
_HEAD_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Answer:
    status: str
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    more: str = ""
    """Further header lines, each with its end."""


class MetricsListener:
    """GET /metrics and, for the container's probe, /health."""

    def __init__(
        self, folder: Path, workers: Callable[[], int], render: Render, read_within_s: float = READ_WITHIN_S
    ) -> None:
        self._folder, self._workers, self._render = folder, workers, render
        self._read_within_s = read_within_s
        self._tasks = Tasks("metrics")
        self._rendering = asyncio.Lock()
        self._scrapes = 0
        self._server: asyncio.Server | None = None

    async def open(self, bound: socket.socket) -> None:
        """Answer on a listening socket, which is the listener's from now on."""
        self._server = await asyncio.start_server(self._came, sock=bound, limit=_HEAD_BYTES)

    async def close(self) -> None:
        """Take no more, and end what is being answered."""
        if self._server is not None:
            self._server.close()
        await self._tasks.close()

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= _CONNECTIONS:
            writer.transport.abort()
            return
        _ = self._tasks.spawn("scrape", self._conversation(reader, writer))

    async def _conversation(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and its answer; whoever is slow with either, or says no request, is cut off."""
        try:
            async with asyncio.timeout(_HEAD_WITHIN_S):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.transport.abort()  # no matter after an orderly end

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        if path == "/metrics" and method in {"GET", "HEAD"}:
            await self._scraped(method, writer)
        else:
            await self._write(writer, method, self._other(method, path))

    async def _scraped(self, method: str, writer: asyncio.StreamWriter) -> None:
        if self._scrapes >= AT_ONCE:
            await self._write(writer, method, _Answer("503 Service Unavailable", b"Too many scrapes at once.\n"))
            return
        self._scrapes += 1
        try:
            async with self._rendering:  # off the loop, which keeps the workers; one after the other
                text = await asyncio.to_thread(self._render, sorted(self._folder.glob("worker-*.counts")))
            await self._write(writer, method, _Answer("200 OK", text + _own(self._workers()), CONTENT_TYPE))
        finally:
            self._scrapes -= 1

    def _other(self, method: str, path: str) -> _Answer:
        if path not in {"/metrics", "/health"}:
            return _Answer("404 Not Found", b"There are /metrics and /health.\n")
        if method not in {"GET", "HEAD"}:
            return _Answer("405 Method Not Allowed", b"Only GET and HEAD.\n", more="Allow: GET, HEAD\r\n")
        workers = self._workers()
        status = "200 OK" if workers else "503 Service Unavailable"
        return _Answer(status, json.dumps({"workers": workers}).encode(), "application/json; charset=utf-8")

    async def _write(self, writer: asyncio.StreamWriter, method: str, answer: _Answer) -> None:
        """Raises TimeoutError for who does not read, and OSError for who left."""
        now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        head = (
            f"HTTP/1.1 {answer.status}\r\nContent-Type: {answer.content_type}\r\n{answer.more}"
            f"Content-Length: {len(answer.body)}\r\nDate: {now}\r\nConnection: close\r\n\r\n"
        )
        async with asyncio.timeout(self._read_within_s):
            writer.write(head.encode() + (b"" if method == "HEAD" else answer.body))
            writer.close()  # once all is written
            await writer.wait_closed()


def _own(workers: int) -> bytes:
    name = "archway_proxy_workers"
    return f"# HELP {name} Workers that run.\n# TYPE {name} gauge\n{name} {workers}\n".encode()
