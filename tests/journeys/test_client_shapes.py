"""Five real clients, as they were frozen, sign a person in through a proxy with a real browser.

What they send is of `tests/oauth/client_shapes.py`. A browser is led to the very address that the client named: that
of a website, a port of the moment on this machine, or a program's own scheme.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import pytest

from tests.fixtures_system import modern_request
from tests.journeys.loopback import loopback
from tests.journeys.real_sign_in import ASKED, TOOL, WITHIN_S, Desk, Person
from tests.oauth.client_shapes import SHAPES, Shape
from tests.oauth.flow import claims_of, new_verifier, without_none


@dataclass
class FrozenClient:
    """A client that sends what its shape says, to the public URL alone."""

    shape: Shape
    desk: Desk
    http: aiohttp.ClientSession
    client_id: str = ""

    async def make_itself_known(self) -> None:
        """By a document of its own, or by registering, as often as it does."""
        says = dict(self.shape.says)
        if self.shape.by == "document":
            name = self.shape.name.lower().replace(" ", "-").replace(".", "-")
            self.client_id = self.desk.documents.publish(name, **says)
            return
        times = 2 if self.shape.registers_twice else 1
        made = await asyncio.gather(*(self._sent("/oauth/register", json=says) for _ in range(times)))
        (self.client_id,) = {one["client_id"] for one in made}

    def address(self, redirect: str, challenge: str, state: str) -> str:
        """What it opens in its person's browser."""
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": redirect, "state": state,
            "code_challenge": challenge, "code_challenge_method": "S256", "resource": self.desk.url,
            "scope": "mcp offline_access", **self.shape.asks,
        }  # fmt: skip
        return f"{self.desk.origin}/oauth/authorize?{urlencode(without_none(asked))}"

    async def redeemed(self, code: str, redirect: str, verifier: str) -> dict[str, Any]:
        return await self._token(
            grant_type="authorization_code", code=code, redirect_uri=redirect, code_verifier=verifier,
            resource=self.desk.url,
        )  # fmt: skip

    async def refreshed(self, refresh_token: str) -> dict[str, Any]:
        return await self._token(grant_type="refresh_token", refresh_token=refresh_token, resource=self.desk.url)

    async def called(self, access_token: str) -> str:
        """What the tool says to it."""
        body, headers = modern_request("tools/call", {"name": TOOL, "arguments": ASKED}, access_token)
        async with self.http.post(self.desk.url, data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["result"]["content"][0]["text"])

    async def _token(self, **fields: str) -> dict[str, Any]:
        return await self._sent("/oauth/token", data={"client_id": self.client_id, **fields})

    async def _sent(self, path: str, **sent: Any) -> dict[str, Any]:
        async with self.http.post(self.desk.origin + path, **sent) as answer:
            assert answer.status in (200, 201), await answer.text()
            return dict(await answer.json())


async def led_to(person: Person, address: str, client: str) -> str:
    """Where the person's browser is sent when they have allowed the client."""
    page = await person.opens(address)
    assert client in await page.get_by_role("heading", level=1).inner_text()
    # Playwright tells nothing of an answer that leads to a program's own scheme; the browser itself does.
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    protocol = await page.context.new_cdp_session(page)
    await protocol.send("Network.enable")

    def answered(event: dict[str, Any]) -> None:
        if event["statusCode"] == 303 and not told.done():
            told.set_result({name.lower(): value for name, value in event["headers"].items()}["location"])

    protocol.on("Network.responseReceivedExtraInfo", answered)
    await page.get_by_role("button", name="Allow", exact=True).click()
    async with asyncio.timeout(WITHIN_S):
        return await told


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
async def test_a_frozen_client_signs_a_person_in_and_calls(desk: Desk, person: Person, shape: Shape) -> None:
    here = urlsplit(shape.redirect)
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        loopback(here.hostname or "", here.path) as back,
    ):
        on_this_machine = here.hostname in ("localhost", "127.0.0.1")
        redirect = back.url if on_this_machine else shape.redirect
        client, (verifier, challenge), state = FrozenClient(shape, desk, http), new_verifier(), secrets.token_hex(8)
        await client.make_itself_known()

        location = await led_to(person, client.address(redirect, challenge, state), shape.says["client_name"])
        if on_this_machine:
            async with asyncio.timeout(60):
                given = await back.given
        else:
            assert location.startswith(redirect + "?")
            given = dict(parse_qsl(urlsplit(location).query))
        assert (given["state"], given["iss"]) == (state, desk.origin)

        tokens = await client.redeemed(given["code"], redirect, verifier)
        if shape.refreshes_at_once:
            tokens = await client.refreshed(tokens["refresh_token"])
        assert await client.called(tokens["access_token"]) == ASKED["text"]
        assert (await client.refreshed(tokens["refresh_token"]))["access_token"]
        assert claims_of(tokens["access_token"])["client_id"] == client.client_id
        assert len(person.grants()) == 1
