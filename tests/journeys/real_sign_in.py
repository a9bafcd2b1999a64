"""A deployment that people sign in to with real clients, and a person with a real browser who does it.

    async def test_something(desk, person):                # `archway up` with a gateway, and somebody with a password
        async with started([...], tmp_path) as program:         # a client, which asks its person to open an address
            await person.allows(await program.address(desk))    # sign-in page, consent page, back to the client
            assert "..." in await program.ended()

Imported by the conftest beside it. Each person has a browser of their own, which knows nobody yet.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from archway.up.ports import free_port
from core.identifiers import new_id
from tests.browser_complaints import Complaints
from tests.fixtures_archway import RunningArchway, archway_up
from tests.fixtures_browser import WITHIN_MS
from tests.fixtures_own_documents import OwnDocuments
from tests.fixtures_people import PASSWORD, People
from tests.fixtures_program import eventually
from tests.fixtures_upstreams import ROOT, answering, running

TOOL, ASKED = "stub__echo", {"text": "as Ann"}
WITHIN_S = 120.0
"""Longer than any client takes to start on a slow machine."""


@dataclass(frozen=True)
class Desk:
    """A deployment with the gateway `desk`, which shows the tools of a server that repeats what it is told."""

    archway: RunningArchway
    url: str
    documents: OwnDocuments

    @property
    def origin(self) -> str:
        """The public URL: of the gateways, of the pages, and of the authorization server."""
        return str(self.archway.up["proxy_url"])

    def client(self, grant: dict[str, Any]) -> dict[str, Any]:
        """The OAuth client to which a person gave this."""
        found = self.archway.api.get("/oauth-clients?limit=200")["items"]
        return next(one for one in found if grant["client_id"] in (one["id"], one["client_id"]))


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, own_documents: OwnDocuments) -> Iterator[Desk]:
    """One for the session. It believes the host of clients' own documents."""
    folder, port = tmp_path_factory.mktemp("desk"), free_port()
    command, log = [sys.executable, "-P", "-m", "bench.stub_upstream", str(port)], folder / "stub.log"
    with (
        running(command, {"PYTHONPATH": str(ROOT)}, log) as process,
        archway_up(folder / "state", ARCHWAY_CA_BUNDLE=own_documents.pem) as archway,
    ):
        stub = archway.entry("stub", answering(f"http://127.0.0.1:{port}/mcp", process, log))
        yield Desk(archway, archway.gateway("desk", stub), own_documents)


@dataclass
class Person:
    """Somebody at a browser in which they have not signed in yet."""

    desk: Desk
    name: str
    email: str
    id: str
    context: BrowserContext
    complaints: Complaints
    is_in: bool = False

    async def opens(self, address: str) -> Page:
        """Open what a client asks to open, sign in if that is asked, and stand before the consent page."""
        page = await self.context.new_page()
        page.set_default_timeout(WITHIN_MS)
        self.complaints.follow(page)
        await page.goto(address)
        if not self.is_in:
            await page.get_by_label("Email").fill(self.email)
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Sign in", exact=True).click()
            self.is_in = True
        await expect(page).to_have_url(re.compile(re.escape(self.desk.origin) + "/consent/.+"))
        return page

    async def allows(self, address: str, client: str = "") -> Page:
        """Open it and allow the client, which the page names so; the page that the person ends at."""
        page = await self.opens(address)
        await expect(page.get_by_role("heading", level=1)).to_contain_text(client)
        await page.get_by_role("button", name="Allow", exact=True).click()
        await page.wait_for_url(lambda url: not url.startswith(self.desk.origin))
        return page

    def grants(self) -> list[dict[str, Any]]:
        """What they have allowed."""
        return list(self.desk.archway.api.get(f"/grants?user_id={self.id}")["items"])


@pytest.fixture
async def person(desk: Desk, browser: Browser) -> AsyncIterator[Person]:
    """A new member with a password; what their browser complains of on pages of ours fails the test."""
    email = f"{new_id()[-12:]}@example.com"
    made = desk.archway.api.post("/users", {"name": "Ann Bell", "email": email})
    link = desk.archway.api.post(f"/users/{made['id']}/links", {"purpose": "invitation"})["url"]
    async with AsyncExitStack() as ending:
        elsewhere = await People(None, desk.origin, ending).browser()  # type: ignore[arg-type] # asks no database
        chosen = await elsewhere.fill_in(link.removeprefix(desk.origin), password=PASSWORD, repeated=PASSWORD)
        assert chosen.status == 303, chosen.words
        context = await browser.new_context()
        ending.push_async_callback(context.close)
        at_browser = Person(desk, "Ann Bell", email, made["id"], context, Complaints(desk.origin))
        yield at_browser
    assert not at_browser.complaints.told, f"the browser says: {at_browser.complaints.told}"


@dataclass
class Program:
    """A client that runs by itself; it writes its output to a file."""

    log: Path
    process: asyncio.subprocess.Process | None = None

    @property
    def said(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text(errors="replace")

    async def address(self, desk: Desk) -> str:
        """The address that it asks its person to open."""
        wanted = re.compile(re.escape(desk.origin) + r"/oauth/authorize\?[^\s\x07\x1b]+(?=\s)")

        async def is_told() -> bool:
            assert self.process is None or self.process.returncode is None, self.said
            return wanted.search(self.said) is not None

        await eventually(is_told, WITHIN_S, f"an address to open; it said: {self.log}")
        found = wanted.search(self.said)
        assert found is not None
        return found[0]

    async def ended(self) -> str:
        """What it printed, when it has ended well."""
        assert self.process is not None
        async with asyncio.timeout(WITHIN_S):
            assert await self.process.wait() == 0, self.said
        return self.said


def environment(home: Path, **more: str) -> dict[str, str]:
    """A client's: it may not read or write a person's own settings, and finds no browser to open."""
    nobody = shutil.which("true") or "true"
    return {"PATH": os.environ["PATH"], "HOME": str(home), "BROWSER": nobody, "NO_COLOR": "1", **more}


@asynccontextmanager
async def started(command: Sequence[str], home: Path, **more: str) -> AsyncIterator[Program]:
    """Run a client with its home in a folder; its process group is ended at the end."""
    log = home / f"{Path(command[1]).name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment(home, **more), cwd=home, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield Program(log, process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
