"""A client's way in, broken at each of its seven steps: the page and the command line name the step, and what helps.

One deployment as `archway up` starts it: a real proxy, which passes pages on, and a real control. A client goes all
the way first, so that each step is seen to go well when nothing is broken.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.fixtures_people import Browser
from tests.oauth.flow import CHALLENGE, VERIFIER, told
from tests.up.conftest import Up

REDIRECT = "https://client.example.com/callback"
CALL = {
    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {
        "name": "time__get_current_time", "arguments": {"timezone": "UTC"},
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                  "io.modelcontextprotocol/clientCapabilities": {}},
    },
}  # fmt: skip
HEADERS = {
    "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call",
    "Mcp-Name": "time__get_current_time",
}  # fmt: skip


@dataclass
class Way:
    """A client at a deployment, and the admin in their browser."""

    up: Up
    http: aiohttp.ClientSession
    admin: Browser
    client: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.up.file["proxy_url"])

    async def command(self, *words: str) -> str:
        done = await asyncio.to_thread(self.up.run, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def send(self, method: str, path: str, **sent: Any) -> tuple[int, Any]:
        async with self.http.request(method, self.url + path, allow_redirects=False, **sent) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text

    async def registers(self, redirect: str = REDIRECT) -> tuple[int, Any]:
        told = {"client_name": "Claude", "redirect_uris": [redirect], "token_endpoint_auth_method": "none"}
        return await self.send("POST", "/oauth/register", json=told)

    async def asks(self, gateway: str = "demo") -> Any:
        """The client sends the admin to the authorize endpoint; where they are led to."""
        asked = {
            "response_type": "code", "client_id": self.client["client_id"], "redirect_uri": REDIRECT, "state": "s",
            "scope": "mcp", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
            "resource": f"{self.url}/v1/mcp/{gateway}",
        }  # fmt: skip
        return await self.admin.get(str(URL("/oauth/authorize").with_query(asked)))

    async def code(self, gateway: str = "demo") -> str:
        page = await self.asks(gateway)
        if page.to.startswith("/consent/"):  # else the person agreed to the same before
            page = await self.admin.fill_in(page.to, decision="allow")
        return told(page.to)["code"]

    async def redeems(self, code: str, verifier: str = VERIFIER) -> tuple[int, Any]:
        form = {
            "grant_type": "authorization_code", "code": code, "client_id": self.client["client_id"],
            "redirect_uri": REDIRECT, "code_verifier": verifier,
        }  # fmt: skip
        return await self.send("POST", "/oauth/token", data=form)

    async def calls(self, token: str, gateway: str = "demo") -> int:
        headers = HEADERS | {"Authorization": f"Bearer {token}"}
        return (await self.send("POST", f"/v1/mcp/{gateway}", json=CALL, headers=headers))[0]


@pytest.fixture
async def way(running: Up) -> AsyncIterator[Way]:
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as cookies,
    ):
        made = Way(running, http, Browser(cookies, str(running.file["proxy_url"]), ""), {})
        link = (await made.command("users", "sign-in-link", "admin@localhost")).split()[0]
        entered = await made.admin.fill_in(URL(link).path)
        assert entered.status == 303, entered.words
        made.client = (await made.registers())[1]
        yield made


async def noted(way: Way, step: str, outcome: str) -> dict[str, Any]:
    """The newest note of this step with this outcome, once there is one: what proxies tell comes within a second."""
    for _ in range(60):
        found = json.loads(await way.command("sign-ins", "--step", step, "--outcome", outcome, "--json"))
        if found:
            return dict(found[0])
        await asyncio.sleep(0.5)
    raise AssertionError(f"nothing is noted of {step}")


async def break_challenge(way: Way) -> None:
    """A name that is no gateway's."""
    assert (await way.send("POST", "/v1/mcp/dmeo", json=CALL, headers=HEADERS))[0] == 401


async def break_metadata(way: Way) -> None:
    """Asked at a host name that is not ours."""
    path = "/.well-known/oauth-protected-resource/v1/mcp/demo"
    assert (await way.send("GET", path, headers={"Host": "tools.internal"}))[0] == 421


async def break_registered(way: Way) -> None:
    """A redirect that would carry codes over plain http."""
    assert (await way.registers("http://somewhere.example/cb"))[0] == 400


async def break_authorised(way: Way) -> None:
    """The gateway names another client."""
    await way.command(
        "gateways", "create", "--slug", "strict", "--name", "Strict", "--allow-client", "https://c.ai/x"
    )
    assert "access_denied" in (await way.asks("strict")).to


async def break_token(way: Way) -> None:
    """Somebody else brings the code: without the verifier."""
    assert (await way.redeems(await way.code(), "b" * 43))[0] == 400


async def break_first_call(way: Way) -> None:
    """A token for one gateway is brought to another."""
    _, tokens = await way.redeems(await way.code())
    await way.command("gateways", "create", "--slug", "other", "--name", "Other")
    assert await way.calls(tokens["access_token"], "other") == 401


async def break_signed_in(way: Way) -> None:
    """An address of mail that nobody has."""
    stranger = Browser(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)), way.url, "")
    try:
        assert (await stranger.sign_in("nobody@example.com", "not a password")).status == 422
    finally:
        await stranger._session.close()


async def test_a_client_that_goes_all_the_way_leaves_every_step_in_order(way: Way) -> None:
    assert (await way.send("POST", "/v1/mcp/demo", json=CALL, headers=HEADERS))[0] == 401
    await way.send("GET", "/.well-known/oauth-protected-resource/v1/mcp/demo")
    await way.send("GET", "/.well-known/oauth-authorization-server")
    _, tokens = await way.redeems(await way.code())
    assert await way.calls(tokens["access_token"]) == 200
    for step in ("challenge", "metadata", "registered", "authorised", "token", "first_call", "signed_in"):
        assert (await noted(way, step, "ok"))["cure"] == ""
    first_call = await noted(way, "first_call", "ok")
    assert (first_call["client"], first_call["gateway"]) == ("Claude", "demo")
    assert first_call["user_name"]


@pytest.mark.parametrize(
    ("step", "name", "breaks", "reason", "helps"),
    [
        ("challenge", "Challenge", break_challenge, "There is no gateway of this name.", "/v1/mcp/NAME"),
        ("metadata", "Metadata", break_metadata, "It asked at a host name that this deployment does not answer to.",
         "ARCHWAY_PUBLIC_URL"),
        ("registered", "Registration", break_registered, "None of the redirect_uris can be allowed",
         "register an https redirect"),
        ("authorised", "Consent", break_authorised, "The gateway strict lets in only the clients that it names",
         "archway gateways update strict --add-client"),
        ("token", "Token", break_token, "The code_verifier does not fit the code.", "sign in again with the client"),
        ("first_call", "First call", break_first_call, "Its token was made for another gateway.",
         "sign in to this gateway too"),
        ("signed_in", "Sign-in page", break_signed_in, "Nobody here has the address of mail that was typed.",
         "archway users invite"),
    ],
)  # fmt: skip
async def test_a_step_that_is_broken_is_named_with_what_helps_on_the_page_and_by_the_command(
    way: Way, step: str, name: str, breaks: Callable[[Way], Awaitable[None]], reason: str, helps: str
) -> None:
    await breaks(way)
    found = await noted(way, step, "failed")
    assert reason in found["reason"]
    assert helps in found["cure"]

    words = await way.command("sign-ins", "--step", step, "--outcome", "failed")
    page = (await way.admin.get(f"/sign-ins?step={step}&outcome=failed")).words

    for told_there in (words, page):
        assert reason in told_there
        assert helps in told_there
    assert re.search(rf"\bfailed\b.*{name}", page)
    assert re.search(rf"^{re.escape(found['at'])} {step}\b", words, re.MULTILINE)
