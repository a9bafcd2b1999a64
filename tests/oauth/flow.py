"""An OAuth client and the person whom it signs in, step by step or all at once.

    async def test_something(flow):                     # a gateway `work`, Ann in her browser, no client yet
        client = await flow.register()                  # a public client, by itself
        tokens = await flow.signed_in(client)           # authorize, the consent page, the token endpoint
        again = await flow.refresh(client, tokens["refresh_token"])
        assert again.status == 200; again.json["access_token"]

A program keeps no cookies and follows no redirect. Every step takes changes of its parameters; None leaves one out.
"""

from __future__ import annotations

import base64
import json as json_format
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import pytest

from control.changes import gateways
from control.changes.write import changing
from control.registry.gateway import Gateway
from control.store.pool import Pool
from tests.fakes.registry import gateway_fields
from tests.fixtures_people import ISSUER, NOBODY, PASSWORD, Browser, People

REDIRECT = "https://client.example.com/callback"
LOOPBACK = "http://127.0.0.1:3000/cb"
"""Of a program on the person's machine, which hears of each refusal."""
RESOURCE = f"{ISSUER}/v1/mcp/work"
VERIFIER = "a" * 43
CHALLENGE = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
STATE = "s-1"


@dataclass(slots=True)
class Answered:
    """What an endpoint for programs answered, read to its end."""

    status: int
    headers: Any
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json_format.loads(self.body)

    @property
    def error(self) -> str:
        """The protocol's word; '' where nothing was refused."""
        return str(self.json.get("error", "")) if self.body else ""


class Flow:
    """A client's way through the authorization server."""

    def __init__(self, people: People, program: aiohttp.ClientSession, browser: Browser) -> None:
        self.people, self.program, self.browser = people, program, browser
        self.ann: dict[str, Any] = {}

    @property
    def pool(self) -> Pool:
        return self.people.pool

    async def send(self, method: str, path: str, **sent: Any) -> Answered:
        url = self.people.url + path
        async with self.program.request(method, url, allow_redirects=False, **sent) as response:
            return Answered(response.status, response.headers, await response.read())

    async def gateway(self, slug: str, **changes: Any) -> Gateway:
        async with changing(self.pool, NOBODY) as write:
            return await gateways.create(write, gateway_fields(slug=slug, name=slug.title(), **changes))

    async def change_gateway(self, named: str, **changes: Any) -> None:
        found = await self.people.rows("select id from gateways where slug = $1", named)
        fields = {"slug": named, "name": named.title(), **changes}
        async with changing(self.pool, NOBODY) as write:
            await gateways.change(write, found[0]["id"], lambda _: gateway_fields(**fields))

    async def registration(self, **changes: Any) -> Answered:
        metadata = {"client_name": "Test client", "redirect_uris": [REDIRECT], **changes}
        return await self.send("POST", "/oauth/register", json=without_none(metadata))

    async def register(self, **changes: Any) -> dict[str, Any]:
        """A client that registered by itself."""
        answer = await self.registration(**changes)
        assert answer.status == 201, answer.body
        return dict(answer.json)

    def authorize_path(self, client_id: str, **changes: Any) -> str:
        asked = {
            "response_type": "code", "client_id": client_id, "redirect_uri": REDIRECT, "state": STATE,
            "code_challenge": CHALLENGE, "code_challenge_method": "S256", "resource": RESOURCE, "scope": "mcp",
            **changes,
        }  # fmt: skip
        return f"/oauth/authorize?{urlencode(without_none(asked), doseq=True)}"

    async def consent_path(self, client_id: str, browser: Browser | None = None, **changes: Any) -> str:
        """The consent page that the person is led to."""
        page = await (browser or self.browser).get(self.authorize_path(client_id, **changes))
        assert page.status == 302, page.words
        assert page.to.startswith("/consent/"), page.to
        return page.to

    async def authorized(self, client_id: str, browser: Browser | None = None, **changes: Any) -> dict[str, str]:
        """What the client is told after the person has agreed."""
        path = await self.consent_path(client_id, browser, **changes)
        answer = await (browser or self.browser).fill_in(path, decision="allow")
        assert answer.status == 303, answer.words
        return told(answer.to)

    async def token(self, **fields: Any) -> Answered:
        headers = fields.pop("headers", {})
        return await self.send("POST", "/oauth/token", data=without_none(fields), headers=headers)

    async def redeem(self, client: dict[str, Any], code: str, **changes: Any) -> Answered:
        asked = {
            "grant_type": "authorization_code", "code": code, "client_id": client["client_id"],
            "client_secret": client.get("client_secret"), "redirect_uri": REDIRECT, "code_verifier": VERIFIER,
            "resource": RESOURCE, **changes,
        }  # fmt: skip
        return await self.token(**asked)

    async def refresh(self, client: dict[str, Any], refresh_token: str, **changes: Any) -> Answered:
        asked = {
            "grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": client["client_id"],
            "client_secret": client.get("client_secret"), **changes,
        }  # fmt: skip
        return await self.token(**asked)

    async def signed_in(self, client: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """All steps: the answer of the token endpoint."""
        code = (await self.authorized(client["client_id"], **changes))["code"]
        redirect = changes.get("redirect_uri", REDIRECT)
        answer = await self.redeem(client, code, redirect_uri=redirect, resource=changes.get("resource", RESOURCE))
        assert answer.status == 200, answer.body
        return dict(answer.json)

    async def living_families(self) -> int:
        rows = await self.people.rows(
            """select count(*) as families from oauth_refresh_tokens r join oauth_grants g on g.id = r.grant_id
               where g.revoked_at is null"""
        )
        return int(rows[0]["families"])


def told(location: str) -> dict[str, str]:
    """The query of the address that the person is sent back to; each name once."""
    pairs = parse_qsl(urlsplit(location).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def new_verifier() -> tuple[str, str]:
    """A verifier and its challenge."""
    verifier = secrets.token_urlsafe(32)
    return verifier, base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def claims_of(token: str) -> dict[str, Any]:
    """What a token says; its signature is not looked at."""
    part = token.split(".")[1]
    return dict(json_format.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


@pytest.fixture
async def flow(people: People) -> AsyncIterator[Flow]:
    """A gateway `work` that everybody sees, and Ann, who has signed in with her browser."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as program:
        made = Flow(people, program, await people.browser())
        made.ann = await people.person("Ann", PASSWORD)
        assert (await made.browser.sign_in(made.ann["email"], PASSWORD)).status == 303
        await made.gateway("work")
        yield made
