"""The whole way of a server that Archway runs, by `archway up`: added, installed, watched, broken, read about and
mended; and its tool called with the command that the pages show.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser_complaints import Complaints
from tests.fixtures_browser import LOOKS, NARROW, WIDE, WITHIN_MS, overflows, serious_findings, shot
from tests.up.conftest import Up

WITHIN_S = 90.0
PROGRAM = Path(sys.executable).with_name("mcp-server-time")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = Up(tmp_path_factory.mktemp("ours") / "state")
    started.up()
    yield started
    started.down()


@pytest.fixture
async def page(up: Up, browser: Browser) -> AsyncIterator[Page]:
    """The admin, signed in with the link that was printed."""
    (link,) = re.findall(r"Sign in +(\S+)", up.said)
    context = await browser.new_context(
        base_url=str(up.file["proxy_url"]), reduced_motion="reduce", **LOOKS["wide-light"]
    )
    complaints, opened = Complaints(str(up.file["proxy_url"])), await context.new_page()
    opened.set_default_timeout(WITHIN_MS)
    complaints.follow(opened)
    await opened.goto(link)
    await opened.get_by_role("button", name="Sign in").click()
    await expect(opened.get_by_role("heading", level=1)).to_have_text("Home")
    yield opened
    await context.close()
    assert not complaints.told


async def looked_at(page: Page, name: str) -> None:
    """Kept as a picture, light and wide, dark and narrow; nobody is kept from using it in either."""
    for look, size, scheme in (("wide-light", WIDE, "light"), ("narrow-dark", NARROW, "dark")):
        await page.set_viewport_size(size)  # type: ignore[arg-type]  # a dict is what it takes
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two words
        await shot(page, f"run-by-us-{name}-{look}")
        assert not await serious_findings(page), name
        assert not await overflows(page), name
    await page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    await page.emulate_media(color_scheme="light")


async def adds(page: Page) -> None:
    await page.goto("/registry/new")
    await page.get_by_label("Name", exact=True).first.fill("Clock")
    await page.get_by_label("Short name").fill("clock")
    await page.get_by_label("It runs elsewhere").focus()
    await page.keyboard.press("ArrowRight")
    await page.get_by_label("Command").fill(f"{PROGRAM} --local-timezone UTC")
    await looked_at(page, "typed")
    await page.get_by_label("Short name").press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("The entry is added")


async def installs(page: Page) -> str:
    """Followed until it is ready; the path of its page."""
    await page.get_by_role("link", name="Install", exact=True).press("Enter")
    await page.get_by_label("For", exact=True).select_option("organisation")
    await page.get_by_role("button", name="Install").press("Enter")
    await expect(page.locator(".light strong")).to_have_text("Ready")
    await expect(page.get_by_role("region", name="How it runs")).to_contain_text("as a program of Archway's machine")
    await expect(page.get_by_role("link", name="2 of the entry")).to_be_visible()  # the page says so by itself
    await looked_at(page, "ready")
    return page.url.partition("?")[0]


async def shows(page: Page) -> None:
    """Its tools on a gateway."""
    await page.goto("/gateways/new")
    await page.get_by_label("Name", exact=True).fill("Desk")
    await page.get_by_label("Short name").fill("desk")
    await page.get_by_role("button", name="Make the gateway").click()
    await page.goto("/gateways")
    await page.get_by_role("link", name="Edit Desk").click()
    await page.get_by_role("link", name="Tools", exact=True).click()
    await page.get_by_role("region", name="Clock").get_by_label("get_current_time").check()
    await page.get_by_role("button", name="Update").click()
    await expect(page.get_by_role("status").first).to_contain_text("The tools are saved")


async def has_it_run(page: Page, command: str) -> None:
    """Another command, in the form of the entry."""
    await page.goto("/registry")
    await page.get_by_role("link", name="Clock", exact=True).click()
    await page.get_by_role("link", name="Change", exact=True).click()
    await page.get_by_label("Command").fill(command)
    await page.get_by_role("button", name="Save").last.click()
    await expect(page.get_by_role("status").first).to_contain_text("Saved")


async def calls(page: Page, folder: Path) -> str:
    """With a token and the command that Connect shows, in a shell that knows nothing else."""
    await page.get_by_role("link", name="with a command, at Desk").click()
    await page.locator("label", has_text="curl").click()
    await page.get_by_role("button", name="Make a token for curl").click()
    command = (
        await page.locator("figure", has_text="tools/call").locator("visible=true").first.locator("pre").inner_text()
    )
    program = await asyncio.create_subprocess_exec(
        "bash", "-c", command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )  # fmt: skip
    async with asyncio.timeout(WITHIN_S):
        said, _ = await program.communicate()
    return said.decode()


async def test_a_server_is_added_watched_broken_read_about_mended_and_used(page: Page, tmp_path: Path) -> None:
    await adds(page)
    here = await installs(page)
    await shows(page)
    await has_it_run(page, f"{PROGRAM}-that-is-not-there")
    await page.goto(here)
    await expect(page.locator(".light strong")).to_have_text("Does not run")
    await expect(page.locator(".light")).to_contain_text("The program that its command names is not there.")
    await expect(page.locator(".light")).to_contain_text("Correct the command of the entry")
    await looked_at(page, "broken")
    await page.get_by_role("link", name="Log", exact=True).press("Enter")
    await looked_at(page, "log")
    await has_it_run(page, f"{PROGRAM} --local-timezone UTC")
    await page.goto(here)
    await expect(page.locator(".light strong")).to_have_text("Ready")
    assert "Europe/Paris" in await calls(page, tmp_path)
    await expect(page.locator(".light.ok")).to_contain_text("clock__get_current_time")
    await looked_at(page, "used")
