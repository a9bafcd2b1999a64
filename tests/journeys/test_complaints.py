"""A browser's complaint fails a journey where it is about Archway, and not where it is about somebody else's page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from archway.up.ports import free_port
from tests.browser_complaints import Complaints
from tests.console.serving import Console
from tests.fixtures_browser import Visits
from tests.fixtures_program import eventually

PICTURE = "document.body.append(Object.assign(new Image(), {{src: '{}'}}))"


@asynccontextmanager
async def a_client_that_has_its_person_back() -> AsyncIterator[str]:
    """Where its page is; its script fails, and it wants a picture of a program that has ended."""
    text = f"<h1>Signed in</h1><img src='http://127.0.0.1:{free_port()}/favicon.ico'><script>gone()</script>"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n{text}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
    finally:
        server.close()


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (PICTURE.format("/static/gone.png"), "404"),
        (PICTURE.format("http://127.0.0.1:9/gone.png"), "Content Security Policy"),
        ("console.error('of ours')", "of ours"),
        ("console.warn('of ours')", "of ours"),
        ("setTimeout(() => gone())", "gone is not defined"),
    ],
    ids=["missing", "forbidden", "error", "warning", "script"],
)
async def test_what_is_wrong_on_a_page_of_archway_is_told(
    visits: Visits, console: Console, done: str, said: str
) -> None:
    page = await visits.page(None)
    await page.goto("/sign-in")
    visits.expected = (said,)
    await page.evaluate(done)

    async def is_told() -> bool:
        return any(said in one for one in visits.complaints.told)

    await eventually(is_told, 30, f"a complaint about {done}")


async def test_what_is_wrong_on_a_page_of_somebody_else_is_not(visits: Visits, console: Console) -> None:
    page = await visits.page(None)
    complaints = Complaints(console.url)
    complaints.follow(page)
    async with (
        a_client_that_has_its_person_back() as url,
        asyncio.timeout(60),
        page.expect_console_message(lambda message: "ERR_CONNECTION_REFUSED" in message.text),
        page.context.expect_event("weberror"),
    ):
        await page.goto(url)
    assert not complaints.told
