"""The suite's part for authorization servers: metadata, and a code that is redeemed.

The suite prints an address and waits for somebody who opens it. Here that is a person of the deployment who signs in
by forms, as in a browser without scripts; real browsers are in `tests/journeys/`. The suite takes no list of known
failures for this part, and there is none to know. Called by `run.py`.
"""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import AsyncExitStack

import aiohttp

from archway.up.ports import free_port
from tests.fixtures_archway import RunningArchway
from tests.fixtures_people import PASSWORD, Browser, People
from tests.fixtures_upstreams import NODE, NPM

SUITE = NPM / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
REVISIONS = ("2025-11-25", "2026-07-28")
WITHIN_S = 120.0
_SCENARIOS = 2
_PASSED = re.compile(r"^✓ [a-z-]+: [1-9]\d* passed, 0 failed$", re.MULTILINE)


def judged(archway: RunningArchway, gateway_url: str) -> dict[str, bool]:
    """By revision, whether the authorization server passes; the suite prints what it finds."""
    return asyncio.run(_judged(archway, gateway_url))


async def _judged(archway: RunningArchway, gateway_url: str) -> dict[str, bool]:
    origin = archway.up["proxy_url"]
    async with AsyncExitStack() as ending:
        browser = await People(None, origin, ending).browser()  # type: ignore[arg-type] # asks no database
        await _signed_in(archway, browser)
        return {
            f"the authorization server of {revision}": await _passes(browser, gateway_url, revision)
            for revision in REVISIONS
        }


async def _signed_in(archway: RunningArchway, browser: Browser) -> None:
    """Somebody chooses a password by their invitation, with which they are in."""
    ann = archway.api.post("/users", {"name": "Ann", "email": "ann@example.com"})
    link = archway.api.post(f"/users/{ann['id']}/links", {"purpose": "invitation"})["url"]
    chosen = await browser.fill_in(link.removeprefix(browser.url), password=PASSWORD, repeated=PASSWORD)
    assert chosen.status == 303, chosen.words


async def _passes(browser: Browser, gateway_url: str, revision: str) -> bool:
    port = free_port()
    async with aiohttp.ClientSession() as program:
        client_id = await _registered(program, browser.url, f"http://127.0.0.1:{port}/callback")
        asked = ["--client-id", client_id, "--resource", gateway_url, "--port", str(port), "--spec-version", revision]
        process = await asyncio.create_subprocess_exec(
            str(NODE), str(SUITE), "authorization", "--url", browser.url, *asked,
            env={"PATH": os.environ["PATH"]}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(WITHIN_S):
                said = await _heard(process, browser, program)
                return await process.wait() == 0 and len(_PASSED.findall(said)) == _SCENARIOS
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _registered(program: aiohttp.ClientSession, origin: str, redirect: str) -> str:
    told = {"client_name": "Conformance", "redirect_uris": [redirect], "token_endpoint_auth_method": "none"}
    async with program.post(f"{origin}/oauth/register", json=told) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["client_id"])


async def _heard(process: asyncio.subprocess.Process, browser: Browser, program: aiohttp.ClientSession) -> str:
    """All that the suite says; where it asks for somebody, they agree and are sent back to it."""
    assert process.stdout is not None
    said = ""
    async for line in process.stdout:
        text = line.decode(errors="replace")
        print(text, end="", flush=True)
        said += text
        found = re.match(re.escape(browser.url) + r"/oauth/authorize\?\S+", text)
        if found is None:
            continue
        page = await browser.get(found[0].removeprefix(browser.url))
        answer = await browser.fill_in(page.to, decision="allow")
        async with program.get(answer.to) as back:
            assert back.status == 200, answer.words
    return said
