"""Where a client of this machine has its person sent back to: a port of the moment, and what came back there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Loopback:
    """The redirect address, and a future of what the browser brings there."""

    url: str
    given: asyncio.Future[dict[str, str]]


@asynccontextmanager
async def loopback(host: str = "localhost", path: str = "/callback") -> AsyncIterator[Loopback]:
    """Listen on a free port until the block ends; the browser is told that it may close the window."""
    given: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = urlsplit((await reader.readline()).split()[1].decode())
        if asked.path == path and not given.done():
            given.set_result(dict(parse_qsl(asked.query, keep_blank_values=True)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>Signed in</h1>")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield Loopback(f"http://{host}:{server.sockets[0].getsockname()[1]}{path}", given)
    finally:
        server.close()
