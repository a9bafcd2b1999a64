"""The metrics listener: who asks and does not read is cut off, and holds up nobody for long."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from archway.supervisor import counts
from archway.supervisor.counts import metrics_app

BIG = b"archway_x 1\n" * 2_000_000
Ask = Callable[[], Awaitable[tuple[int, int]]]


@asynccontextmanager
async def listener(folder: Path, text: bytes, read_within_s: float = 10.0) -> AsyncIterator[tuple[int, Ask]]:
    """Its port, and a way to ask it: status and length of the answer."""
    app = metrics_app(folder, lambda: 1, lambda _: text, read_within_s)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]

    async def ask() -> tuple[int, int]:
        async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}/metrics") as answer:
            return answer.status, len(await answer.read())

    try:
        yield port, ask
    finally:
        await runner.cleanup()


@asynccontextmanager
async def never_reading(port: int) -> AsyncIterator[socket.socket]:
    with socket.socket() as scraper:
        scraper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        scraper.connect(("127.0.0.1", port))
        scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        yield scraper


def read_to_the_end(scraper: socket.socket) -> int:
    """Bytes until the other side ends or resets the connection."""
    scraper.settimeout(5)
    size = 0
    try:
        while piece := scraper.recv(1 << 20):
            size += len(piece)
    except ConnectionError:
        pass
    return size


async def test_who_does_not_read_is_cut_off(tmp_path: Path) -> None:
    async with listener(tmp_path, BIG, read_within_s=0.2) as (port, _), never_reading(port) as scraper:
        await asyncio.sleep(0.5)
        assert await asyncio.to_thread(read_to_the_end, scraper) < len(BIG)


async def test_beyond_the_bound_a_scrape_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "AT_ONCE", 1)
    async with listener(tmp_path, BIG, read_within_s=1.0) as (port, ask):
        async with never_reading(port):
            await asyncio.sleep(0.3)
            assert (await ask())[0] == 503
            await asyncio.sleep(1.0)
        assert await ask() == (200, len(BIG + counts._own(1)))
