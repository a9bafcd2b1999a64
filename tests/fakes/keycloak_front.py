"""A reverse proxy on loopback before Keycloak, as many have one: it may go down, and may keep hosts' names to itself.

async with KeycloakFront(keycloak_url) as front:
    connect_to(front.url)
    front.is_down = True        # from now on each connection breaks off
    front.tells_host = False    # Keycloak sees its own host, and names it for the endpoints that servers ask
"""

from __future__ import annotations

from typing import Self

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

_NOT_PASSED_ON = {"connection", "content-length", "content-encoding", "date", "server", "transfer-encoding"}


class KeycloakFront:
    """The proxy; `url` is its origin."""

    def __init__(self, keycloak_url: str) -> None:
        self._behind = keycloak_url
        self.url = ""
        self.is_down = False
        self.tells_host = True
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner
        assert self._session
        await self._runner.cleanup()
        await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        assert self._session
        if self.is_down:
            assert request.transport
            request.transport.abort()
            return web.Response(status=503)  # to nobody
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON]
        if not self.tells_host:
            headers = [(name, value) for name, value in headers if name.lower() != "host"]
        async with self._session.request(
            request.method, self._behind + str(request.rel_url), data=await request.read(), headers=headers,
            allow_redirects=False,
        ) as answer:  # fmt: skip
            passed_on = CIMultiDict(
                (name, value) for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON
            )
            return web.Response(status=answer.status, body=await answer.read(), headers=passed_on)
