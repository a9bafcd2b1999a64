"""A real OpenID provider on loopback (npm `oidc-provider`, in `idp.mjs`), and a person who signs in there.

    async def test_something(idp):                      # from fixtures_idp
        back = await idp.sign_in(session, address, "ann")   # the address that the browser is sent back to
        await idp.rotate(); await idp.outage(on=True); token = await idp.token({"sub": "ann", "aud": "..."})

Needs `make tools`. The person fills the provider's own forms over plain HTTP, as a browser does.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urljoin

import aiohttp

CLIENT_ID = "archway"
CLIENT_SECRET = "a secret: with + and %"
EXCHANGER, EXCHANGER_SECRET = "exchanger", "another secret"
"""The client that exchanges tokens; it shows its secret in the header."""
POSTER, POSTER_SECRET = "poster", "in the body"
"""Another, which shows it in the form; it takes assertions, and exchanges where `exchanges(clients=...)` lets it."""
AT_SERVER, AT_SERVER_SECRET = "at-server", "of the server"
"""The client that takes identity assertions to the provider, where that acts as a server's own."""
_MOST_STEPS = 12


class IdentityProvider:
    """The provider as the test sees it: where it is, and what it is told to do."""

    def __init__(self, issuer: str, session: aiohttp.ClientSession) -> None:
        self.issuer, self._session = issuer, session

    async def reset(self) -> None:
        """As it was when it began, but for its key and for what it gave."""
        await self._order("reset")

    async def rotate(self, *, keep: bool = False) -> str:
        """Another signing key; the old one is not published any more, unless it is kept. The new one's name."""
        return str((await self._order("rotate", keep=keep))["kid"])

    async def outage(self, *, on: bool) -> None:
        """Nothing but 503 comes, or everything as before."""
        await self._order("outage", on=on)

    async def person(self, name: str, claims: dict[str, Any] | None) -> None:
        """Somebody is different from now on; None: they are gone."""
        await self._order("person", id=name, claims=claims)

    async def token(self, claims: dict[str, Any], **header: Any) -> str:
        """A token with these claims, over the usual ones, signed with the provider's key of now."""
        return str((await self._order("token", claims=claims, header=header))["token"])

    async def says(self, **claims: Any) -> None:
        """What it tells Archway of whoever signs in has these claims over the usual ones from now on."""
        await self._order("say", claims=claims)

    async def knows(self, token: str) -> dict[str, Any]:
        """Whether it would take this token now (`active`), and whose it is (`person`)."""
        return await self._order("knows", token=token)

    async def counts(self) -> dict[str, int]:
        """How often each of its addresses was asked."""
        return await self._order("counts")

    async def foreign_keys(self) -> str:
        """Its metadata names another origin than its own for its keys, which are there too; that origin."""
        return str((await self._order("foreign"))["origin"])

    async def signed_in(self, person: str, **order: Any) -> dict[str, Any]:
        """What it gives its client `archway` when a person signs in, as its token endpoint says it; no browser."""
        return await self._order("signed-in", id=person, **order)

    async def exchanges(self, **how: Any) -> None:
        """It exchanges tokens like this from now on: see `usual` in exchange_grants.mjs."""
        await self._order("exchange", **how)

    async def exchanged(self) -> list[dict[str, Any]]:
        """What it was asked to exchange, and which assertions were brought: parameters without tokens, `answer`."""
        return list((await self._order("exchanged"))["asked"])

    async def trust(self, issuer: str) -> None:
        """As a server's own authorization server it takes the identity assertions of this issuer."""
        await self._order("trust", issuer=issuer)

    async def sign_in(self, browser: aiohttp.ClientSession, address: str, person: str) -> str:
        """Follow an address at the provider as a person does who signs in and agrees; where the browser is sent then.

        `browser` keeps the provider's cookies: who signed in before is not asked again.
        """
        form: dict[str, str] | None = None
        for _ in range(_MOST_STEPS):
            send = browser.post(address, data=form, allow_redirects=False) if form else browser.get(
                address, allow_redirects=False
            )  # fmt: skip
            async with send as answer:
                if answer.status in {302, 303}:
                    address, form = urljoin(address, answer.headers["Location"]), None
                    if not address.startswith(self.issuer):
                        return address
                    continue
                page = await answer.text()
            assert answer.status == 200, page
            address, form = urljoin(address, _action(page)), _filled(page, person)
        raise AssertionError("the provider did not send the browser back")

    async def _order(self, word: str, **order: Any) -> dict[str, Any]:
        async with self._session.post(f"{self.issuer}/test/{word}", json=order) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())


def _action(page: str) -> str:
    found = re.search(r'<form[^>]*action="([^"]+)"', page)
    assert found is not None, page[:500]
    return unescape(found[1])


def _filled(page: str, person: str) -> dict[str, str]:
    """What the person sends: their name where it asks who they are, and that they agree."""
    prompt = re.search(r'name="prompt"\s+value="(\w+)"', page)
    assert prompt is not None, page[:500]
    return {"prompt": prompt[1], "login": person, "password": "any"}
