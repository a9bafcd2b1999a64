"""The one metrics listener: adds the workers' counts up when it is asked, in Prometheus' text format.

Workers write plain numbers into files of their own (proxy/telemetry/slots_file.py owns their format); nothing is sent
per call. A worker's file stays when the worker is replaced and the next one of that number goes on in it, so that
counters do not fall back. A client that asks and does not read is cut off; it costs the workers nothing, and other
clients at most a wait.

Two paths for two readers, a scraper and a probe, need little of HTTP (RFC 9112): one head is read, one answer is
written, the connection ends. A web framework for it would be most of what the supervisor holds in memory.
"""

import asyncio
import json
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.tasks import Tasks
from proxy.telemetry.exposition import gauge
from proxy.telemetry.metrics import PROXY_WORKERS

log = logging.getLogger(__name__)
Render = Callable[[list[Path]], bytes]
"""Files of counts to Prometheus text: `proxy.telemetry.exposition.Exposition`."""
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
AT_ONCE: Final = 8
"""Scrapes that are answered at the same time; the text of each may be a megabyte."""
READ_WITHIN_S: Final = 10.0
_RENDER_WITHIN_S: Final = 5.0
"""From the request to its text, with the wait for others' texts; below the 10 s after which Prometheus would give up
without having heard why."""
_CONNECTIONS: Final = 256
"""So that a few silent clients do not keep the probe out; a connection beyond these is closed at once."""
_HEAD_BYTES: Final = 16 << 10
"""Scrapers send a few hundred bytes; what a proxy before them adds fits too. A reader holds up to two of these, so
that all connections together hold 8 MiB."""
_HEAD_WITHIN_S: Final = 5.0
"""A head comes in one packet; this leaves time to send a lost one again, and frees the place of a silent client."""
_BODY_BYTES: Final = 1 << 20
"""How much of an unwanted body is read and dropped, so that its sender comes to read the answer."""
_READING: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: str
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    more: str = ""
    """Further header lines, each with its end."""

    def head(self) -> bytes:
        """Status line and headers."""
        now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        return (
            f"HTTP/1.1 {self.status}\r\nContent-Type: {self.content_type}\r\n{self.more}"
            f"Content-Length: {len(self.body)}\r\nDate: {now}\r\nConnection: close\r\n\r\n"
        ).encode()


class MetricsListener:
    """Serves GET /metrics and, for the container's probe, /health."""

    def __init__(
        self, folder: Path, workers: Callable[[], int], render: Render, read_within_s: float = READ_WITHIN_S
    ) -> None:
        self._folder, self._workers, self._render = folder, workers, render
        self._read_within_s = read_within_s
        self._tasks = Tasks("metrics")
        self._rendering = asyncio.Lock()
        self._thread: asyncio.Future[bytes] | None = None
        self._scrapes = 0
        self._server: asyncio.Server | None = None

    async def open(self, bound: socket.socket) -> None:
        """Answer on a listening socket, which is the listener's from now on."""
        self._server = await asyncio.start_server(self._came, sock=bound, limit=_HEAD_BYTES)

    async def close(self) -> None:
        """Take no more connections, and end those that are being answered."""
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
        scrape = False
        try:
            async with asyncio.timeout(_HEAD_WITHIN_S):
                method, path = _asked(await reader.readuntil(b"\r\n\r\n"))
            scrape = path == "/metrics" and method in _READING
            self._scrapes += scrape  # until its text is read
            answer = await self._answer(method, path)
            async with asyncio.timeout(self._read_within_s):
                writer.write(answer.head() + (b"" if method == "HEAD" else answer.body))
                if method not in _READING:
                    writer.write_eof()
                    await _read_away(reader)
                writer.close()  # once all is written
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            self._scrapes -= scrape
            writer.transport.abort()  # no matter after an orderly end

    async def _answer(self, method: str, path: str) -> _Answer:
        if path not in {"/metrics", "/health"}:
            return _Answer("404 Not Found", b"There are /metrics and /health.\n")
        if method not in _READING:
            return _Answer("405 Method Not Allowed", b"Only GET and HEAD.\n", more="Allow: GET, HEAD\r\n")
        if path == "/metrics":
            return await self._scraped()
        workers = self._workers()
        status = "200 OK" if workers else "503 Service Unavailable"
        return _Answer(status, json.dumps({"workers": workers}).encode(), "application/json; charset=utf-8")

    async def _scraped(self) -> _Answer:
        if self._scrapes > AT_ONCE:
            return _Answer("503 Service Unavailable", b"Too many scrapes at once.\n")
        try:
            async with asyncio.timeout(_RENDER_WITHIN_S), self._rendering:  # one after the other
                text = await self._rendered()
        except TimeoutError:
            log.warning("the counts were not added up in time", extra={"within_s": _RENDER_WITHIN_S})
            return _Answer("503 Service Unavailable", b"The counts were not added up in time.\n")
        except Exception:
            log.exception("the counts cannot be added up")
            return _Answer("500 Internal Server Error", b"The counts cannot be added up; the proxy's log says why.\n")
        return _Answer("200 OK", text + _own(self._workers()), CONTENT_TYPE)

    async def _rendered(self) -> bytes:
        """The workers' text, made off the loop that keeps them. A thread cannot be ended: a scrape that gives up
        leaves it running, and the next one waits for it, so that there is never a second thread.
        """
        if self._thread is not None:
            await asyncio.wait({self._thread})
        files = sorted(self._folder.glob("worker-*.counts"))
        self._thread = asyncio.get_running_loop().run_in_executor(None, self._render, files)
        await asyncio.wait({self._thread})
        return self._thread.result()


def _asked(head: bytes) -> tuple[str, str]:
    """Method and path, of a request line or of anything."""
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    return method, rest.partition(" ")[0].partition("?")[0]


async def _read_away(reader: asyncio.StreamReader) -> None:
    """Drop what follows the head: a connection that is closed over unread bytes is reset and its answer lost."""
    left = _BODY_BYTES
    while left > 0 and (piece := await reader.read(left)):
        left -= len(piece)


def _own(workers: int) -> bytes:
    return gauge(PROXY_WORKERS, workers)
