"""A real OpenID provider as the registry has it, and people's way through it and back.

async def test_something(corp):                            # from the conftest.py of this folder
    page = await corp.sign_in(await corp.people.browser(), "ann")
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from control.changes import identity_providers as changes
from control.changes import users
from control.changes.write import changing
from control.public.deps import PublicDeps
from control.registry.identity_provider import IdentityProvider
from control.registry.user import NewUser
from tests.fakes.identity_provider import CLIENT_SECRET
from tests.fakes.identity_provider import IdentityProvider as Idp
from tests.fakes.providers import provider_fields
from tests.fixtures_idp import CALLBACK
from tests.fixtures_people import ISSUER, NOBODY, Browser, People, Shown

SCOPES = ("openid", "profile", "email", "offline_access")


@dataclass
class Corp:
    """The provider, as it is and as the registry has it, and a way through it."""

    idp: Idp
    people: People
    deps: PublicDeps
    provider: IdentityProvider

    async def change(self, **fields: Any) -> None:
        async with changing(self.people.pool, NOBODY) as write:
            self.provider = await changes.change(
                write, self.provider.id, lambda now: replace(now, **fields), None, self.deps.safeguards
            )

    async def there_and_back(self, browser: Browser, person: str, return_to: str = "/my/access") -> str:
        """Off to the provider, where the person signs in: the path and query with which the browser comes back."""
        off = await browser.get(f"/sign-in/oidc/corp?return_to={return_to}")
        assert off.status == 303, off.words
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as at_provider:
            back = await self.idp.sign_in(at_provider, off.to, person)
        assert back.startswith(ISSUER + CALLBACK)
        return back.removeprefix(ISSUER)

    async def sign_in(self, browser: Browser, person: str, return_to: str = "/my/access") -> Shown:
        return await browser.get(await self.there_and_back(browser, person, return_to))

    async def why(self) -> list[tuple[str, str]]:
        """The reasons that an admin is told of, each with whether there is a cure."""
        rows = await self.people.rows("select reason, cure from sign_in_attempts where reason <> '' order by id")
        return [(row["reason"], row["cure"]) for row in rows]

    async def ann(self, role: Any = "member") -> str:
        """Ann is somebody here; her id."""
        async with changing(self.people.pool, NOBODY) as write:
            return (await users.create(write, NewUser(name="Ann", email="ann@corp.test", role=role))).id


@pytest.fixture
async def corp(idp: Idp, people: People, public_deps: PublicDeps) -> Corp:
    async with changing(people.pool, NOBODY) as write:
        wanted = provider_fields(issuer=idp.issuer, scopes=SCOPES)
        provider = await changes.create(write, wanted, CLIENT_SECRET, public_deps.safeguards)
    return Corp(idp, people, public_deps, provider)
