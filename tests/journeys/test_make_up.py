"""The whole product as `make up` starts it: newcomers come by the public URL, click what is there, and call a tool.

`archway up` in a fresh folder; the browser opens what it prints, and goes nowhere else but by links and buttons.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser_complaints import Complaints
from tests.fixtures_browser import LOOKS, NARROW, WIDE, WITHIN_MS, overflows, serious_findings, shot
from tests.up.conftest import Up

WITHIN_S = 90
PASSWORD = "four words of mine"
TOOL = "time__get_current_time"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = Up(tmp_path_factory.mktemp("make-up") / "state")
    started.up()
    yield started
    started.down()


class Desk:
    """Somebody at a computer: a browser, in which they open what they are given, and a terminal."""

    def __init__(self, context: BrowserContext, folder: Path, origin: str) -> None:
        self.context, self._folder = context, folder
        self.complaints = Complaints(origin)

    async def opens(self, url: str) -> Page:
        page = await self.context.new_page()
        page.set_default_timeout(WITHIN_MS)
        self.complaints.follow(page)
        await page.goto(url)
        return page

    async def copies(self, page: Page, text: str) -> str:
        """What stands in the clipboard after a click on the button beside the shown code with this text in it."""
        code = page.locator("figure", has_text=text).locator("visible=true").first
        await code.get_by_role("button", name="Copy").click()
        await expect(code.get_by_role("button", name="Copied")).to_be_visible()
        return str(await page.evaluate("navigator.clipboard.readText()"))

    async def begins(self, *command: str) -> asyncio.subprocess.Process:
        """A program of theirs, which knows nothing of this test."""
        return await asyncio.create_subprocess_exec(
            *command, cwd=self._folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder), "BROWSER": "true", "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip


@pytest.fixture
async def desks(up: Up, browser: Browser, tmp_path: Path) -> AsyncIterator[dict[str, Desk]]:
    """An admin's with a wide window, a newcomer's with a narrow one."""
    async with AsyncExitStack() as ending:
        made = {}
        for name, look in (("admin", "wide-light"), ("newcomer", "narrow-dark")):
            context = await browser.new_context(
                reduced_motion="reduce", permissions=["clipboard-read", "clipboard-write"], **LOOKS[look]
            )
            ending.push_async_callback(context.close)
            (tmp_path / name).mkdir()
            made[name] = Desk(context, tmp_path / name, up.file["proxy_url"])
        yield made
    assert not [one for desk in made.values() for one in desk.complaints.told]


async def looked_at(page: Page, name: str) -> None:
    """The page is kept as a picture in both widths, and nobody is kept from using it in either."""
    before = page.viewport_size
    for width, size in (("wide", WIDE), ("narrow", NARROW)):
        await page.set_viewport_size(size)  # type: ignore[arg-type]  # a dict is what it takes
        await shot(page, f"make-up-{name}-{width}")
        assert not await serious_findings(page), name
        assert not await overflows(page), name
    await page.set_viewport_size(before)  # type: ignore[arg-type]


async def ended_well(program: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(WITHIN_S):
        out, _ = await program.communicate()
    assert program.returncode == 0, out.decode()
    return out.decode()


async def goes_to_connect(page: Page) -> None:
    """From wherever a person is after they signed in."""
    await expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    await page.get_by_role("link", name="Connect to Demo").click()
    await expect(page.locator(".light.waiting")).to_be_visible()


async def calls_with_a_token(desk: Desk, page: Page) -> None:
    """Takes the command of curl as the page shows it."""
    await page.locator("label", has_text="curl").click()
    await page.get_by_role("button", name="Make a token for curl").click()
    await expect(page.locator("#secret")).to_contain_text("arch_")
    await looked_at(page, "token-made")
    command = await desk.copies(page, "tools/call")
    assert TOOL in await ended_well(await desk.begins("bash", "-c", await desk.copies(page, "tools/list")))
    assert "Europe/Paris" in await ended_well(await desk.begins("bash", "-c", command))


async def calls_after_signing_in(desk: Desk, page: Page, folder: Path) -> None:
    """Takes the program of the Python SDK as the page shows it; it opens the browser, where the person agrees."""
    await page.locator("label", has_text="Python").click()
    (folder / "tools.py").write_text(await desk.copies(page, "OAuthClientProvider"))
    program = await desk.begins(sys.executable, "tools.py")
    assert program.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        line = (await program.stdout.readline()).decode()
    assert line.startswith("Sign in at "), line + (await program.stdout.read()).decode()
    consent = await desk.opens(line.removeprefix("Sign in at ").strip())
    await expect(consent.get_by_role("heading", level=1)).to_contain_text("My program")
    await looked_at(consent, "consent")
    await consent.get_by_role("button", name="Allow", exact=True).click()
    await expect(consent.locator("body")).to_contain_text("Signed in. You may close this window.")
    said = await ended_well(program)
    assert TOOL in said
    assert "Europe/Paris" in said


async def is_invited(admin: Page) -> str:
    """The link that an admin gets for a newcomer."""
    await admin.get_by_role("navigation", name="Console").get_by_role("link", name="People", exact=True).click()
    await admin.get_by_role("link", name="Invite somebody").click()
    await admin.get_by_label("Name", exact=True).fill("Ann Bell")
    await admin.get_by_label("Email").fill("ann@example.com")
    await admin.get_by_role("button", name="Invite").click()
    link = await admin.locator("#link").text_content()
    assert link is not None
    return link


async def test_newcomers_sign_in_connect_and_see_the_light_turn_green_by_itself(
    up: Up, desks: dict[str, Desk], tmp_path: Path
) -> None:
    (link,) = re.findall(r"Sign in +(\S+)", up.said)
    assert link.startswith(up.file["proxy_url"])
    admin = await desks["admin"].opens(link)
    await looked_at(admin, "first-link")
    await admin.get_by_role("button", name="Sign in").click()
    await looked_at(admin, "first-page")
    await goes_to_connect(admin)
    await looked_at(admin, "connect")
    await calls_with_a_token(desks["admin"], admin)
    await expect(admin.locator(".light.ok")).to_contain_text(TOOL)
    await looked_at(admin, "green")

    newcomer = await desks["newcomer"].opens(await is_invited(admin))
    await looked_at(newcomer, "invitation")
    await newcomer.get_by_label("Password", exact=True).fill(PASSWORD)
    await newcomer.get_by_label("The same again").fill(PASSWORD)
    await newcomer.get_by_role("button", name="Set the password and sign in").click()
    await looked_at(newcomer, "first-page-of-a-member")
    await goes_to_connect(newcomer)
    await calls_after_signing_in(desks["newcomer"], newcomer, tmp_path / "newcomer")
    await expect(newcomer.locator(".light.ok")).to_contain_text(TOOL)
    await looked_at(newcomer, "green-after-signing-in")
    await newcomer.get_by_role("button", name="You: Ann Bell").click()
    await newcomer.get_by_role("link", name="My access").click()
    allowed = newcomer.get_by_role("table").filter(has_text="Withdraw")
    await expect(allowed.filter(has_text="My program")).to_contain_text("demo")
    await looked_at(newcomer, "my-access")
