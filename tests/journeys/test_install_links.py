"""A call that is refused with a link, the link in a real browser, a sign-in at a provider, and the same call again.

One deployment as a person starts it, a hosted MCP server that lets nobody in without a token, its provider, Chromium.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, expect

from tests.fakes.guarded_server import GuardedServer
from tests.fakes.identity_provider import IdentityProvider
from tests.fixtures_archway import RunningArchway
from tests.fixtures_browser import LOOKS, WITHIN_MS, overflows, serious_findings, shot

CALL = {"name": "hosted__whoami", "arguments": {}}


async def looked_at(page: Page, name: str) -> None:
    """The page in every look: pictures for people, and nothing that keeps somebody from using it."""
    for look, settings in LOOKS.items():
        await page.set_viewport_size(settings["viewport"])
        await page.emulate_media(color_scheme=settings["color_scheme"], reduced_motion="reduce")
        await shot(page, f"{name}-{look}")
        assert not await serious_findings(page), look
        assert not await overflows(page), look


async def person_in(browser: Browser, api: Any, user_id: str, purpose: str) -> Page:
    """A page of a new browser in which this person is signed in."""
    made = await asyncio.to_thread(api.post, f"/users/{user_id}/links", {"purpose": purpose})
    context = await browser.new_context()
    page = await context.new_page()
    page.set_default_timeout(WITHIN_MS)
    await page.goto(made["url"])
    if purpose == "invitation":
        for label in ("Password", "The same again"):
            await page.get_by_label(label, exact=True).fill("correct horse battery staple")
    await page.get_by_role("button").last.click()
    await expect(page).to_have_url(re.compile(r"^http://127\.0\.0\.1:\d+/(?!sign-in)"))
    return page


async def connects(page: Page, link: str, as_whom: str, pictures: bool = False) -> None:
    """Follow an install link, sign in at the provider, and connect."""
    await page.goto(link)
    button = page.get_by_role("button", name="Sign in at")
    await expect(button).to_be_visible()
    if pictures:
        await looked_at(page, "install-link")
    await button.click()
    await page.locator("input[name=login]").fill(as_whom)
    await page.locator("input[name=password]").fill("any")
    await page.locator("button[type=submit]").click()
    await page.locator("button[type=submit]").click()  # it agrees
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Connect Hosted as {as_whom}@corp.test?")
    if pictures:
        await looked_at(page, "install-confirm")
    await page.get_by_role("button", name="Connect", exact=True).click()
    await expect(page.get_by_text("1 tool found")).to_be_visible()
    if pictures:
        await looked_at(page, "install-done")


async def called(url: str, token: str) -> dict[str, Any]:
    """What a tool call of this bearer comes to."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def sent(message: dict[str, Any], **more: str) -> tuple[dict[str, Any], str]:
            async with session.post(url, json={"jsonrpc": "2.0", **message}, headers=more) as answer:
                text = await answer.text()
                line = next((one[5:] for one in text.splitlines() if one.startswith("data:")), text)
                return json.loads(line or "{}"), answer.headers.get("Mcp-Session-Id", "")

        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        _, session_id = await sent({"id": 1, "method": "initialize", "params": hello})
        more = {"Mcp-Session-Id": session_id, "MCP-Protocol-Version": "2025-06-18"}
        await sent({"method": "notifications/initialized"}, **more)
        found, _ = await sent({"id": 2, "method": "tools/call", "params": CALL}, **more)
        return dict(found["result"])


async def test_a_refused_call_leads_to_a_sign_in_and_then_succeeds(
    archway: RunningArchway, browser: Browser, upstream_idp: IdentityProvider
) -> None:
    api = archway.api

    async def asked(method: str, path: str, body: Any) -> dict[str, Any]:
        return dict(await asyncio.to_thread(getattr(api, method), path, body))

    async with GuardedServer(upstream_idp) as server:
        entry = await asked(
            "post",
            "/entries",
            {"slug": "hosted", "name": "Hosted", "url": server.url, "credential_model": "oauth"},
        )
        me = (await asyncio.to_thread(api.get, "/me"))["user"]
        root = await person_in(browser, api, me["id"], "sign_in")
        pages = root.url.split("/", 3)
        await connects(root, f"{pages[0]}//{pages[2]}/install/hosted", "bob")
        gateway = await asked("post", "/gateways", {"slug": "work", "name": "Work"})
        await asked("post", f"/gateways/{gateway['id']}/assignments", {"entry": entry["id"], "tools": ["*"]})
        ann = await asked("post", "/users", {"name": "Ann", "email": "ann@example.com", "role": "member"})
        token = await asked("post", "/tokens", {"name": "test", "kind": "user", "user_id": ann["id"]})
        url = f"{archway.up['proxy_url']}/v1/mcp/work"
        refused = await called(url, token["secret"])
        assert refused["isError"]
        link = re.search(r"http://\S+/install/hosted\?as=\S+", refused["content"][0]["text"])
        assert link is not None, refused
        page = await person_in(browser, api, ann["id"], "invitation")
        await root.goto(link[0])
        await expect(root.get_by_role("heading", level=1)).to_have_text("This link is not for you")
        await connects(page, link[0], "ann", pictures=True)
        answer = await called(url, token["secret"])
        assert answer["content"][0]["text"] == "called as ann", answer
        assert server.calls[-1] == ("ann", "whoami")
        server.needs = "write"  # its server asks for more: the person is led to a sign-in that asks for all of it
        refused = await called(url, token["secret"])
        link = re.search(r"http://\S+/install/hosted\?as=\S+", refused["content"][0]["text"])
        assert refused["isError"], refused
        assert link is not None, refused
        await page.goto(link[0])
        for scope in ("read", "write"):
            await expect(page.get_by_text(scope, exact=True)).to_be_visible()
        await page.get_by_role("button", name="Sign in at").click()
        await page.locator("button[type=submit]", has_text="Continue").click()  # the provider knows who it is
        await page.get_by_role("button", name="Connect", exact=True).click()
        await expect(page.get_by_text("1 tool found")).to_be_visible()
        answer = await called(url, token["secret"])
        assert answer["content"][0]["text"] == "called as ann", answer
        placed = {"slug": "placed", "name": "Placed", "url": server.url.replace("/mcp", "/{place}")}
        asks = {"credential_model": "oauth", "fields": [{"name": "place", "title": "Place", "type": "string"}]}
        await asked("post", "/entries", placed | asks)
        await page.goto(link[0].partition("/install/")[0] + "/install/placed")
        await page.get_by_label("Place").fill("mcp")
        await page.get_by_role("button", name="Continue").click()  # which leads nowhere yet
        await expect(page.get_by_role("button", name="Sign in at")).to_be_visible()
        await expect(page.locator("#server-url")).to_have_text(server.url)
        await looked_at(page, "install-link-with-answers")
