"""A whole deployment in small at one true address: the authorization server, and a gateway that takes its tokens.

The gateway is a stand-in that does what a client sees of one before its first call: the challenge, the metadata of
the protected resource, and whether a token is good. Real gateways are proxies, which have tests of their own.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from archway.up.ports import free_port
from control.http.listener import listen
from control.public.app import build_app
from control.public.deps import PublicDeps
from control.public_listener import PARTS
from core.egress.client import Egress
from core.jwt import AccessTokenSigner, TokenRefused, verify
from core.keys import new_key, parse_key_ring
from tests.fixtures_people import PASSWORD, Browser, People
from tests.oauth.flow import told


@dataclass
class ServedGateway:
    """The address, the people behind it, and which tokens the gateway was shown."""

    url: str
    people: People
    browser: Browser
    access_tokens: AccessTokenSigner
    seen: list[dict[str, Any]] = field(default_factory=list)

    @property
    def resource(self) -> str:
        return f"{self.url}/v1/mcp/work"

    async def agree(self, authorize_url: str) -> dict[str, str]:
        """A person opens the address in their browser, and agrees; what the client is told."""
        path = authorize_url.removeprefix(self.url)
        page = await self.browser.get(path)
        assert page.to.startswith("/consent/"), (page.status, page.words)
        answer = await self.browser.fill_in(page.to, decision="allow")
        assert answer.status == 303, answer.words
        return told(answer.to)

    def routes(self, _deps: PublicDeps) -> list[web.RouteDef]:
        """The gateway's half."""
        return [
            web.get("/.well-known/oauth-protected-resource/v1/mcp/work", self._metadata),
            web.route("*", "/v1/mcp/work", self._called),
        ]

    async def _metadata(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "resource": self.resource,
                "authorization_servers": [self.url],
                "scopes_supported": ["mcp"],
                "bearer_methods_supported": ["header"],
            }
        )

    async def _called(self, request: web.Request) -> web.Response:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            self.seen.append(dict(verify(bearer, self.access_tokens, self.resource, time.time())))
        except TokenRefused as refused:
            where = f"{self.url}/.well-known/oauth-protected-resource/v1/mcp/work"
            challenge = f'Bearer resource_metadata="{where}", scope="mcp"'
            return web.Response(status=401, text=refused.why, headers={"WWW-Authenticate": challenge})
        return web.json_response({"caller": self.seen[-1]["sub"]})


@asynccontextmanager
async def served_gateway(deps: PublicDeps, egress: Egress | None = None) -> AsyncIterator[ServedGateway]:
    """Serve it, with Ann signed in in her browser."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    signer = AccessTokenSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()), url)
    deps = replace(deps, issuer_url=url, public_url=url, access_tokens=signer, egress=egress or deps.egress)
    async with AsyncExitStack() as ending:
        people = People(deps.pool, url, ending)
        gateway = ServedGateway(url, people, await people.browser(), signer)
        runner, _ = await listen(build_app(deps, [*PARTS, gateway.routes]), "127.0.0.1", port)
        ending.push_async_callback(runner.cleanup)
        ann = await people.person("Ann", PASSWORD)
        assert (await gateway.browser.sign_in(ann["email"], PASSWORD)).status == 303
        yield gateway
