"""The whole product as `make up` starts it, with a browser: a newcomer signs in, makes a token, and sees it work."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.fixtures_archway import RunningArchway
from tests.fixtures_browser import serious_findings, shot

_CALL_WITHIN_S = 60


async def test_a_newcomer_signs_in_makes_a_token_and_the_light_turns_green(
    archway: RunningArchway, time_server: str, browser: Browser
) -> None:
    archway.gateway("demo", archway.entry("time", time_server))
    pages = archway.up["control_public_url"]
    ann = archway.api.post("/users", {"name": "Ann Bell", "email": "ann@example.com"})
    link = archway.api.post(f"/users/{ann['id']}/links", {"purpose": "invitation"})["url"]
    page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await page.goto(pages + link[link.index("/sign-in/") :])
    await page.get_by_label("Password", exact=True).fill("four words of mine")
    await page.get_by_label("The same again").fill("four words of mine")
    await page.get_by_role("button", name="Set the password and sign in").click()
    await page.get_by_role("navigation", name="Console").get_by_role("link", name="Connect").click()
    await page.get_by_role("link", name="Connect to demo").click()
    await page.get_by_text("Codex", exact=True).click()
    await page.get_by_role("button", name="Make a token for Codex").click()
    secret = await page.locator("#secret").text_content()
    assert secret is not None
    environment = {
        "PATH": os.environ["PATH"],
        "ARCHWAY_PROXY_URL": archway.up["proxy_url"],
        "ARCHWAY_TOKEN": secret,
    }
    command = [
        str(Path(sys.executable).with_name("archway")),
        "call",
        "demo",
        "time__get_current_time",
        "timezone=UTC",
    ]
    await asyncio.to_thread(
        subprocess.run, command, env=environment, check=True, capture_output=True, timeout=_CALL_WITHIN_S
    )
    await expect(page.locator(".light.ok")).to_contain_text("time__get_current_time")
    await shot(page, "make-up-green")
    assert not await serious_findings(page)
