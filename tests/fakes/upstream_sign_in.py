"""Somebody who signs in at the provider of an upstream, by the pieces of `control/credentials/upstream_oauth/` alone.

What a page and the database do between the pieces, a test does here in memory:

    person = SigningIn(asker, url, OAuthCredential(), OURS, browser=follow)
    signed_in = await person.signs_in(await person.challenge())
    signed_in.granted.access_token; signed_in.place    # where the next tokens come from

`browser` goes to an address and tells the one that it was sent back to.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import msgspec

from control.credentials.upstream_oauth.account import AccountName, account_of
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.authorize import Begun, authorize_url, begin, code_of, wanted_scopes
from control.credentials.upstream_oauth.challenge import Challenge, bearer_challenge
from control.credentials.upstream_oauth.client import TokenPlace, UpstreamClient, place_at
from control.credentials.upstream_oauth.discovery import Discovered, discover
from control.credentials.upstream_oauth.registration import (
    OurClient,
    document_client,
    how_to_register,
    own_client,
    register,
)
from control.credentials.upstream_oauth.token_request import Granted, Outcome, redeem
from control.providers.asking import Asker
from control.registry.credential import OAuthCredential

Browser = Callable[[str], Awaitable[str]]


@dataclass(frozen=True)
class SignedIn:
    """What came of it."""

    discovered: Discovered
    place: TokenPlace
    outcome: Outcome
    sent_to: str
    """Where the browser was sent."""
    asked_scopes: tuple[str, ...]

    @property
    def granted(self) -> Granted:
        """The tokens; an assertion where there are none."""
        assert isinstance(self.outcome, Granted), self.outcome
        return self.outcome

    @property
    def scopes(self) -> tuple[str, ...]:
        """What was granted, as whoever keeps it reads that."""
        return self.asked_scopes if self.granted.scopes is None else self.granted.scopes


class SigningIn:
    """A person with a browser, before one server."""

    def __init__(
        self,
        asker: Asker,
        server_url: str,
        settings: OAuthCredential,
        ours: OurClient,
        *,
        browser: Browser,
        client_secret: str = "",
    ) -> None:
        self._asker, self._url, self._settings, self._ours = asker, server_url, settings, ours
        self._browser, self._secret = browser, client_secret
        self._clients: dict[str, UpstreamClient] = {}
        """Those that were registered, by issuer."""

    async def challenge(self, token: str = "") -> Challenge:
        """What the server refuses with; an empty one where it lets somebody in."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self._asker.ask("POST", self._url, headers, b"{}")
        return bearer_challenge(answer.challenges)

    async def signs_in(self, challenge: Challenge | None = None, before: tuple[str, ...] = ()) -> SignedIn:
        """All steps from what the server says to tokens. `before`: what was granted so far."""
        needed = challenge.scopes if challenge and challenge.wants_more_scopes else ()
        discovered = await discover(self._asker, self._url, self._settings, challenge)
        scopes = wanted_scopes(discovered, self._settings, challenge, (*before, *needed))
        client = await self._client(discovered, scopes)
        begun = begin(discovered, client, self._ours.redirect_uri, scopes, time.time())
        sent_to = authorize_url(discovered.server, begun, self._settings.authorize_parameters)
        back = await self._browser(sent_to)
        kept = self._kept(begun)
        code = code_of(dict(parse_qsl(urlsplit(back).query)), kept, time.time())
        place = place_at(discovered.server, client)
        outcome = await redeem(self._asker, place, kept, code, time.time())
        return SignedIn(discovered, place, outcome, sent_to, scopes)

    async def account(self, signed_in: SignedIn) -> AccountName:
        """Whose account it is."""
        server, client_id = signed_in.discovered.server, signed_in.place.client.client_id
        return await account_of(self._asker, server, self._settings, client_id, signed_in.granted, time.time())

    def _kept(self, begun: Begun) -> Begun:
        """As whoever keeps it in between has it afterwards."""
        return msgspec.json.decode(msgspec.json.encode(begun), type=Begun)

    async def _client(self, discovered: Discovered, scopes: tuple[str, ...]) -> UpstreamClient:
        server = discovered.server
        if server.issuer not in self._clients:
            self._clients[server.issuer] = await self._made(server, scopes)
        return self._clients[server.issuer]

    async def _made(self, server: AuthorizationServer, scopes: tuple[str, ...]) -> UpstreamClient:
        match how_to_register(server, self._settings, self._ours):
            case "own":
                return own_client(server, self._settings, self._secret)
            case "document":
                return document_client(server, self._ours)
            case "dynamic":
                return await register(self._asker, server, self._ours, scopes)


async def agrees_at_once(url: str) -> str:
    """A browser at a provider that asks nothing: where it is sent back to."""
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as answer:
        assert answer.status in {302, 303, 307}, (answer.status, await answer.text())
        return answer.headers["Location"]
