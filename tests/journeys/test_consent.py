"""A client of this machine signs a person in, in a real browser: the consent page, and the way back to the client."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
from playwright.async_api import expect

from control.store.pool import transaction
from tests.console.serving import Console
from tests.control import seeded
from tests.fixtures_browser import LOOKS, Visits, overflows, serious_findings, shot

PAGE = b'<!doctype html><link rel="icon" href="data:,"><h1>Signed in</h1>'
"""It names an icon, or a browser asks for one when nobody listens any more."""


@asynccontextmanager
async def a_client():
    """Listens on loopback as a client does; its redirect address, and what comes back there."""
    came_back = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = urlsplit((await reader.readline()).split()[1].decode())
        if path.path == "/callback" and not came_back.done():
            came_back.set_result(parse_qs(path.query))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + PAGE)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback", came_back
    finally:
        server.close()


async def asked_by(console: Console, redirect: str) -> str:
    """The path of the request of a client that has registered by itself."""
    async with transaction(console.pool) as connection:
        await seeded.gateway(connection, "sales", name="Sales")
    told = {"client_name": "Claude Code", "redirect_uris": [redirect], "token_endpoint_auth_method": "none"}
    async with aiohttp.ClientSession() as program, program.post(f"{console.url}/oauth/register", json=told) as made:
        client_id = (await made.json())["client_id"]
    asked = {
        "response_type": "code", "client_id": client_id, "redirect_uri": redirect, "state": "s-1", "scope": "mcp",
        "code_challenge": "c" * 43, "code_challenge_method": "S256",
        "resource": "https://mcp.example.com/v1/mcp/sales",
    }  # fmt: skip
    return f"/oauth/authorize?{urlencode(asked)}"


@pytest.mark.parametrize("look", LOOKS)
async def test_the_consent_page_can_be_used_by_everybody_and_leads_back(
    visits: Visits, console: Console, look: str
) -> None:
    bea = await console.person("Bea Bell")
    async with a_client() as (redirect, came_back):
        page = await visits.page(bea, look)
        await page.goto(await asked_by(console, redirect))
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Claude Code")
        await expect(page.get_by_role("note")).to_contain_text("this machine")
        await shot(page, f"consent-{look}")
        assert not await serious_findings(page)
        assert not await overflows(page)
        await page.get_by_role("button", name="Allow", exact=True).click()
        await expect(page.get_by_role("heading", name="Signed in")).to_be_visible()
        async with asyncio.timeout(30):
            given = await came_back
    assert given["state"] == ["s-1"]
    assert given["iss"] == [console.url]
    assert given["code"]


async def test_a_stranger_signs_in_first_and_then_agrees(visits: Visits, console: Console) -> None:
    async with a_client() as (redirect, _):
        page = await visits.page(None)
        await page.goto(await asked_by(console, redirect))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        await shot(page, "sign-in-wide-light")
        assert not await serious_findings(page)
