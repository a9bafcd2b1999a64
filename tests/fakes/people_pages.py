"""Control's listener for people, in memory: keeps what it is asked and answers as a test says.

async with PeoplePages() as pages:
    pages.on("/sign-in", Page(body=b"hello", headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]))
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web
from multidict import CIMultiDictProxy


@dataclass
class Asked:
    """One request as it came to control."""

    method: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes


@dataclass
class Page:
    """One answer."""

    status: int = 200
    body: bytes = b"<p>a page"
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("Content-Type", "text/html")])
    events: int = 0
    """How many events come, one by one, in place of a body; then the stream stays open."""
    cut: bool = False
    """Whether it breaks off in the middle."""


class PeoplePages:
    """The listener; read `asked` and `left` at any time."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.left = 0
        """Event streams whose reader has left."""
        self.next_event = asyncio.Event()
        self.held = asyncio.Event()
        self.port = 0
        self._pages: dict[str, Page | Callable[[Asked], Page]] = {}
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, path: str, page: Page | Callable[[Asked], Page]) -> None:
        """Answer requests for this path so."""
        self._pages[path] = page

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; again on the same port after a `stop`."""
        self._runner = web.ServerRunner(web.Server(self._answer, handler_cancellation=True), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = Asked(request.method, request.raw_path, request.headers, await request.read())
        self.asked.append(asked)
        found = self._pages.get(request.path, Page(404, b"nothing here"))
        page = found(asked) if callable(found) else found
        if page.events:
            return await self._stream(request, page)
        if page.cut:
            response = web.StreamResponse(headers={"Content-Length": "100"})
            await response.prepare(request)
            await response.write(b"the beginning")
            assert request.transport is not None
            request.transport.abort()
            return response
        return web.Response(status=page.status, body=page.body, headers=page.headers)

    async def _stream(self, request: web.BaseRequest, page: Page) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        try:
            for number in range(page.events):
                await self.next_event.wait()
                self.next_event.clear()
                await response.write(b"data: %d\n\n" % number)
            await self.held.wait()
        except asyncio.CancelledError:
            self.left += 1
            raise
        return response
