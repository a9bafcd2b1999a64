"""What internal listeners say to a stranger: a status, and nothing of what they could not read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from core.internal_server import NAMELESS, InternalServer, InternalSite
from tests.fakes.raw_http import exchange

SECRET = "SECRET-BEARER-12345"


async def handler(request: web.BaseRequest) -> web.Response:
    if request.path == "/bug":
        raise ZeroDivisionError(SECRET)
    return web.Response(text="answered", headers=NAMELESS)


@asynccontextmanager
async def without_application() -> AsyncIterator[int]:
    server = InternalServer(handler, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        await server.shutdown(1)


@asynccontextmanager
async def with_application() -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
    await runner.setup()
    try:
        await InternalSite(runner, "127.0.0.1", 0).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


BOTH = pytest.mark.parametrize("listening", [without_application, with_application], ids=["handler", "application"])


@BOTH
async def test_a_request_is_answered(listening) -> None:
    async with listening() as port:
        answer = await exchange(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (answer.status, answer.body) == (200, b"answered")


@BOTH
@pytest.mark.parametrize(
    "line",
    [f"Authorization : Bearer {SECRET}", f"{SECRET}", f"X: \x00{SECRET}", f"Content-Length: {SECRET}"],
    ids=["space before the colon", "no colon", "NUL", "no length"],
)
async def test_what_cannot_be_read_is_repeated_neither_to_the_caller_nor_in_the_log(
    listening, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with listening() as port:
        answer = await exchange(port, f"GET / HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode())
    assert (answer.status, answer.body) == (400, b"")
    assert answer.header("server") == "archway"
    assert SECRET not in caplog.text
    assert not [one for one in caplog.records if one.levelno > logging.DEBUG and one.name != "asyncio"]


@BOTH
async def test_a_bug_gets_a_bare_status_and_is_logged(listening, caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as port:
        answer = await exchange(port, b"GET /bug HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (answer.status, answer.body) == (500, b"")
    assert "an internal question failed inside" in caplog.text
