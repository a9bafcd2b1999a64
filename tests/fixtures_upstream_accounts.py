"""A hosted MCP server behind a real provider, an entry of it, and what people do to connect their accounts.

    async def test_something(hosted, people):                # both from here
        browser = await hosted.person("Ann")                 # signed in to Archway
        page = await browser.connect("ann")                  # by the install link, as `ann` at the provider

Imported by the conftest.py of folders that need it. Needs `make tools`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import pytest

from control.accounts.revocations import Revocations
from control.accounts.unended import UnendedSignIns
from control.changes import entries
from control.changes.write import changing
from control.public.deps import PublicDeps
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry
from tests.fakes.guarded_server import GuardedServer
from tests.fakes.identity_provider import IdentityProvider
from tests.fakes.registry import a_wanted_entry
from tests.fixtures_people import NOBODY, PASSWORD, Browser, People, Shown
from tests.fixtures_program import eventually


class HasPages(Protocol):
    """A provider at which people sign in."""

    async def sign_in(self, session: aiohttp.ClientSession, address: str, as_whom: str, /) -> str:
        """Fill in its forms: the address that the browser is sent back to."""


@dataclass
class AtTheProvider:
    """Somebody who is signed in to Archway in a browser, which they also use at the provider."""

    user: dict[str, Any]
    browser: Browser
    idp: HasPages
    jar: aiohttp.ClientSession
    link: str
    """The install link of the entry."""

    async def begin(self, path: str = "", **fields: str) -> Shown:
        """Load the install page and send its form: off to the provider."""
        path = path or self.link
        page = await self.browser.get(path)
        assert page.status == 200, page.words
        seen = {"seen": page.value_of("seen")} if 'name="seen"' in page.text else {}
        return await self.browser.post(path, {"csrf": page.value_of("csrf"), "whose": "personal", **seen, **fields})

    async def sign_in_there(self, address: str, as_whom: str) -> str:
        """What the provider sends the browser back to: a path of ours."""
        back = urlsplit(await self.idp.sign_in(self.jar, address, as_whom))
        return f"{back.path}?{back.query}"

    async def come_back(self, as_whom: str, path: str = "", **fields: str) -> str:
        """To the provider and back: the path of the page that asks whose account it is."""
        begun = await self.begin(path, **fields)
        assert begun.status == 303, begun.words
        returned = await self.browser.get(await self.sign_in_there(begun.to, as_whom))
        assert returned.status == 303, returned.words
        return returned.to

    async def answer(self, question: str, word: str) -> Shown:
        """Press a button of that page: `connect`, `another` or `cancel`."""
        page = await self.browser.get(question)
        assert page.status == 200, page.words
        return await self.browser.post(f"{question}/{word}", {"csrf": page.value_of("csrf")})

    async def connect(self, as_whom: str, path: str = "", **fields: str) -> str:
        """Connect an account, the whole way; the identifier of the installation that has it."""
        done = await self.answer(await self.come_back(as_whom, path, **fields), "connect")
        found = re.fullmatch(r"/install/done/([0-9a-f-]{36})", done.to)
        assert found, (done.status, done.words)
        return found[1]


@dataclass
class Hosted:
    """The server, its provider, and the entry."""

    deps: PublicDeps
    people: People
    idp: IdentityProvider
    server: GuardedServer
    entry: Entry
    ending: AsyncExitStack

    async def person(self, name: str, role: Any = "member") -> AtTheProvider:
        """Somebody who is signed in to Archway, in a browser of their own."""
        user = await self.people.person(name, PASSWORD, role=role)
        browser = await self.people.browser()
        assert (await browser.sign_in(user["email"], PASSWORD)).status == 303
        jar = await self.ending.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
        return AtTheProvider(user, browser, self.idp, jar, f"/install/{self.entry.slug}")

    async def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """What the database says."""
        return [dict(row) for row in await self.people.rows(statement, *values)]

    async def discovered(self, installation_id: str) -> None:
        """Once the server of an installation was asked what it offers, which begins by itself."""

        async def over() -> bool:
            return not await self.deps.discoveries.goes_on(installation_id)

        await eventually(over, 60, "its server is still being asked")

    @property
    def unended(self) -> UnendedSignIns:
        """What ends sign-ins that nobody brought to an end."""
        return UnendedSignIns(self.deps.pool, self.deps.seals)

    @property
    def revocations(self) -> Revocations:
        """What tells providers of tokens that are used no more."""
        return Revocations(self.deps.pool, self.deps.account_sign_ins.providers.asker, self.deps.seals)


@pytest.fixture
async def hosted(people: People, public_deps: PublicDeps, upstream_idp: IdentityProvider) -> AsyncIterator[Hosted]:
    """A hosted server, with an entry that people sign in to."""
    async with GuardedServer(upstream_idp) as server, AsyncExitStack() as ending:
        async with changing(public_deps.pool, NOBODY) as write:
            wanted = a_wanted_entry(server.url, slug="hosted", name="Hosted", credential=OAuthCredential())
            entry = await entries.create(write, public_deps.safeguards, wanted)
        yield Hosted(public_deps, people, upstream_idp, server, entry, ending)
