"""A real browser at our pages, in four looks: Debian's Chromium, driven by Playwright.

    async def test_something(visits):
        page = await visits.page(person, "narrow-dark")     # None: a stranger
        await page.goto("/my/access")
        assert not await serious_findings(page)

What the browser complains of on pages of ours (a script that fails, something that the policy forbids) fails the
test: see `browser_complaints.py`. Pictures of pages are kept in `.journeys/`, for people to look at. Imported by the
conftest of `tests/journeys/`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from control.registry.user import User
from tests.browser_complaints import Complaints
from tests.console.serving import Console

NO_BROWSER = "no Chromium here: on Debian, apt-get install -y chromium"
SHOTS = Path(__file__).resolve().parents[1] / ".journeys"
FLAGS = [
    "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # A page that leads to a client's website leads nowhere: tests stay on this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]  # fmt: skip
WITHIN_MS = 90_000
"""Longer than the slowest machine takes for a page; Playwright's own five seconds are not."""
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LOOKS = {
    f"{width}-{scheme}": {"viewport": viewport, "color_scheme": scheme}
    for width, viewport in (("wide", WIDE), ("narrow", NARROW))
    for scheme in ("light", "dark")
}
"""By name, how a browser is set: two widths by two themes."""


def chromium() -> str | None:
    """The browser of this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip(NO_BROWSER)
    expect.set_options(timeout=WITHIN_MS)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield launched
        await launched.close()


@dataclass  # Playwright remembers a listener on its object, so it cannot have slots
class Visits:
    """Opens pages as somebody, in some look; what the browser complains of on pages of ours fails the test."""

    browser: Browser
    console: Console
    stack: AsyncExitStack
    complaints: Complaints
    expected: tuple[str, ...] = ()
    """Parts of complaints that a test provokes."""

    async def page(self, person: User | None, look: str = "wide-light", **more: Any) -> Page:
        """A page of a new context, signed in as this person."""
        context: BrowserContext = await self.browser.new_context(
            base_url=self.console.url, reduced_motion="reduce", **LOOKS[look], **more
        )
        self.stack.push_async_callback(context.close)
        if person is not None:
            await self.console.sign_in(context, person)
        page = await context.new_page()
        page.set_default_timeout(WITHIN_MS)
        self.complaints.follow(page)
        return page


@pytest.fixture
async def visits(browser: Browser, console: Console) -> AsyncIterator[Visits]:
    async with AsyncExitStack() as stack:
        made = Visits(browser, console, stack, Complaints(console.url))
        yield made
    told = [one for one in made.complaints.told if not any(part in one for part in made.expected)]
    assert not told, f"the browser says: {told}"


async def shot(page: Page, name: str) -> None:
    """Keep what the page looks like, for people to look at."""
    SHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


async def serious_findings(page: Page) -> list[str]:
    """What axe finds that keeps somebody from using the page."""
    found = (await Axe().run(page)).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


async def overflows(page: Page) -> bool:
    """Whether the page is wider than the window, so that it must be pushed aside to be read."""
    return bool(await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
