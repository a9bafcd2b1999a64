"""The metrics listener: two paths, one answer a connection; who is slow is cut off, and holds up nobody for long."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from archway.supervisor import metrics_listener
from archway.supervisor.metrics_listener import CONTENT_TYPE, MetricsListener, Render
from archway.supervisor.sockets import address, listen

BIG = b"archway_x 1\n" * 2_000_000


@asynccontextmanager
async def listener(
    folder: Path,
    text: bytes = b"archway_x 1\n",
    read_within_s: float = 10.0,
    workers: Callable[[], int] = lambda: 1,
    render: Render | None = None,
) -> AsyncIterator[int]:
    """Its port."""
    metrics = MetricsListener(folder, workers, render or (lambda _: text), read_within_s)
    bound = listen("test", "127.0.0.1", 0)
    await metrics.open(bound)
    try:
        yield address(bound)[1]
    finally:
        await metrics.close()


async def ask(port: int, path: str = "/metrics", method: str = "GET") -> tuple[int, str, bytes]:
    """Status, content type and body of the answer."""
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, answer.headers["Content-Type"], await answer.read()


@asynccontextmanager
async def saying(port: int, words: bytes) -> AsyncIterator[socket.socket]:
    """Somebody who says this and reads nothing."""
    with socket.socket() as scraper:
        scraper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        scraper.connect(("127.0.0.1", port))
        scraper.sendall(words)
        yield scraper


GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


def read_to_the_end(scraper: socket.socket) -> bytes:
    """What comes until the other side ends or resets the connection."""
    scraper.settimeout(5)
    pieces = []
    try:
        while piece := scraper.recv(1 << 20):
            pieces.append(piece)
    except ConnectionError:
        pass
    return b"".join(pieces)


def talk(port: int, words: bytes) -> bytes:
    """The answer to somebody who reads only when all is said; raises ConnectionError where it cannot all be said."""
    with socket.socket() as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # else the kernel would take it for said
        sender.settimeout(5)
        sender.connect(("127.0.0.1", port))
        sender.sendall(words)
        return read_to_the_end(sender)


def say_on(sender: socket.socket) -> None:
    """Raises ConnectionError when the other side has had enough."""
    sender.settimeout(5)
    for _ in range(1000):
        sender.sendall(b"x" * 100_000)


async def test_a_scraper_gets_the_text_and_the_supervisors_own_line(tmp_path: Path) -> None:
    async with listener(tmp_path) as port:
        status, content_type, body = await ask(port, "/metrics?name=archway")

    assert (status, content_type) == (200, CONTENT_TYPE)
    assert body == b"archway_x 1\n" + metrics_listener._own(1)


@pytest.mark.parametrize(("workers", "status"), [(2, 200), (0, 503)])
async def test_a_probe_learns_whether_workers_run(tmp_path: Path, workers: int, status: int) -> None:
    async with listener(tmp_path, workers=lambda: workers) as port:
        assert await ask(port, "/health") == (
            status,
            "application/json; charset=utf-8",
            b'{"workers": %d}' % workers,
        )


async def test_head_is_answered_without_the_text(tmp_path: Path) -> None:
    async with listener(tmp_path) as port, saying(port, b"HEAD /metrics HTTP/1.1\r\n\r\n") as scraper:
        said = await asyncio.to_thread(read_to_the_end, scraper)

    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(b'archway_x 1' + metrics_listener._own(1)) + 1}\r\n".encode() in said
    assert said.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 405), ("DELETE", "/health", 405)]
)
async def test_nothing_else_is_there(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with listener(tmp_path) as port:
        assert (await ask(port, path, method))[0] == status


async def test_who_sends_a_body_hears_that_nobody_wanted_it(tmp_path: Path) -> None:
    asks = b"POST /metrics HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000
    async with listener(tmp_path) as port:
        assert (await asyncio.to_thread(talk, port, asks)).startswith(b"HTTP/1.1 405 ")


async def test_who_sends_a_body_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_listener, "_BODY_BYTES", 1000)
    async with listener(tmp_path) as port, saying(port, b"POST /metrics HTTP/1.1\r\n\r\n") as sender:
        with pytest.raises(ConnectionError):
            await asyncio.to_thread(say_on, sender)


@pytest.mark.parametrize(
    ("words", "answer"),
    [(b"G" * 100_000, b""), (b"\x16\x03\x01\r\n\r\n", b"HTTP/1.1 404 Not Found"), (b"GET /met", b"")],
    ids=["long", "TLS", "slow"],
)
async def test_who_says_no_request_gets_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: bytes, answer: bytes
) -> None:
    monkeypatch.setattr(metrics_listener, "_HEAD_WITHIN_S", 0.2)
    async with listener(tmp_path) as port:
        async with saying(port, words) as scraper:
            assert (await asyncio.to_thread(read_to_the_end, scraper)).partition(b"\r\n")[0] == answer
        assert (await ask(port))[0] == 200


async def test_who_does_not_read_is_cut_off(tmp_path: Path) -> None:
    async with listener(tmp_path, BIG, read_within_s=0.2) as port, saying(port, GET) as scraper:
        await asyncio.sleep(0.5)
        assert len(await asyncio.to_thread(read_to_the_end, scraper)) < len(BIG)


async def test_a_text_that_cannot_be_made_is_an_error_with_its_reason_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: list[Path]) -> bytes:
        raise ValueError("a torn file")

    async with listener(tmp_path, render=broken) as port:
        assert [(await ask(port))[0] for _ in range(2)] == [500, 500]
    assert "a torn file" in caplog.text
    assert {record.name for record in caplog.records} == {"archway.supervisor.metrics_listener"}


async def test_stuck_scrapes_are_told_so_and_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_listener, "AT_ONCE", 2)
    monkeypatch.setattr(metrics_listener, "_RENDER_WITHIN_S", 0.2)
    go_on, calls = threading.Event(), []

    def stuck(_: list[Path]) -> bytes:
        calls.append(threading.get_ident())
        go_on.wait(10)
        return b""

    late = (503, b"The counts were not added up in time.\n")
    async with listener(tmp_path, render=stuck) as port:
        try:
            for _ in range(2):
                answers = await asyncio.gather(ask(port), ask(port))
                assert [(status, body) for status, _, body in answers] == [late, late]
            assert len(calls) == 1, "the next wait for the thread that is stuck"
        finally:
            go_on.set()
        monkeypatch.setattr(metrics_listener, "_RENDER_WITHIN_S", 5.0)
        assert (await ask(port))[0] == 200


async def test_beyond_the_bound_a_scrape_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_listener, "AT_ONCE", 1)
    async with listener(tmp_path, BIG, read_within_s=3.0) as port:
        async with saying(port, GET):
            await asyncio.sleep(0.3)
            assert (await ask(port))[0] == 503
            await asyncio.sleep(3.0)
        status, _, body = await ask(port)
        assert (status, len(body)) == (200, len(BIG + metrics_listener._own(1)))


async def test_beyond_the_bound_a_connection_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_listener, "_CONNECTIONS", 1)
    async with listener(tmp_path) as port, saying(port, b"GET"):
        await asyncio.sleep(0.1)
        async with saying(port, GET) as second:
            assert await asyncio.to_thread(read_to_the_end, second) == b""
