"""The whole round at npm `oidc-provider`, which is certified and strict: a server whose tokens are JWTs for it alone.

Each way of being a client there, a person who fills in its forms, rotation with reuse found out, revocation, and
clients that act by themselves.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import jwt
import msgspec
import pytest

from control.credentials.upstream_oauth.account import AccountName
from control.credentials.upstream_oauth.client import TokenPlace, UpstreamClient
from control.credentials.upstream_oauth.discovery import discover
from control.credentials.upstream_oauth.revocation import revoke
from control.credentials.upstream_oauth.token_request import Granted, Refused, client_credentials, refresh
from control.providers.asking import Asker
from control.providers.browser_round import BadReturn
from control.registry.credential import ClientCredentials, OAuthCredential
from core.client_keys import ClientKey
from tests.fakes.answering import Answering, Asked, Said, text
from tests.fakes.identity_provider import IdentityProvider
from tests.fakes.upstream_clients import OURS
from tests.fakes.upstream_sign_in import SignedIn, SigningIn

PRM = "/.well-known/oauth-protected-resource/mcp"
WANTED = ["openid", "email", "offline_access", "tools:read"]


class Protected:
    """An MCP server, as far as its door: it takes what the provider signed for it, and asks for a scope to write."""

    def __init__(self, server: Answering, issuer: str, keys: dict[str, Any]) -> None:
        self.url, self._server, self._issuer = f"{server.url}/mcp", server, issuer
        self._keys = {key["kid"]: jwt.PyJWK(key) for key in keys["keys"]}
        server.at(PRM, {"resource": self.url, "authorization_servers": [issuer], "scopes_supported": WANTED})
        server.at("/mcp", self._answer)

    def claims(self, token: str) -> dict[str, Any]:
        """What a token says, if it is for this server."""
        key = self._keys[jwt.get_unverified_header(token)["kid"]]
        return dict(jwt.decode(token, key, audience=self.url, issuer=self._issuer))

    def _answer(self, asked: Asked) -> Said:
        where = f'resource_metadata="{self._server.url}{PRM}"'
        try:
            claims = self.claims(asked.headers["authorization"].removeprefix("Bearer "))
        except (KeyError, jwt.InvalidTokenError):
            return text("", 401, WWW_Authenticate=f"Bearer {where}")
        if "tools:write" in claims["scope"].split():
            return Said("{}")
        return text("", 403, WWW_Authenticate=f'Bearer error="insufficient_scope", scope="tools:write", {where}')


@pytest.fixture
async def protected(oidc_issuer: str, asker: Asker) -> AsyncIterator[Protected]:
    keys = await asker.get(f"{oidc_issuer}/jwks")
    async with Answering() as server:
        yield Protected(server, oidc_issuer, keys)


@pytest.fixture
async def idp(oidc_issuer: str) -> AsyncIterator[IdentityProvider]:
    async with aiohttp.ClientSession() as session:
        yield IdentityProvider(oidc_issuer, session)


def person_at(
    asker: Asker, protected: Protected, idp: IdentityProvider, who: str = "ann", **settings: Any
) -> SigningIn:
    """Somebody with a browser of their own, who fills in the provider's forms."""

    async def browser(url: str) -> str:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            return await idp.sign_in(session, url, "ann")

    return SigningIn(asker, protected.url, OAuthCredential(**settings), OURS, browser=browser)


async def renewed(asker: Asker, signed_in: SignedIn, token: str) -> Any:
    """What a refresh comes to."""
    return await refresh(asker, signed_in.place, token, signed_in.discovered.resource, time.time())


@pytest.mark.parametrize(("registration", "how"), [("auto", "document"), ("dynamic", "dynamic")])
async def test_somebody_signs_in_and_their_token_is_for_this_server_alone(
    asker: Asker, protected: Protected, idp: IdentityProvider, registration: str, how: str
) -> None:
    person = person_at(asker, protected, idp, registration=registration)
    signed_in = await person.signs_in(await person.challenge())
    client, granted = signed_in.place.client, signed_in.granted
    assert client.how == how
    claims = protected.claims(granted.access_token)
    assert (claims["sub"], claims["client_id"]) == ("ann", client.client_id)
    assert granted.expires_at == pytest.approx(time.time() + 300, abs=60)
    assert await person.account(signed_in) == AccountName("ann@corp.test", "ann")


async def test_a_refresh_token_is_good_once_and_whoever_brings_it_twice_ends_them_all(
    asker: Asker, protected: Protected, idp: IdentityProvider
) -> None:
    person = person_at(asker, protected, idp, registration="dynamic")
    signed_in = await person.signs_in(await person.challenge())
    first = signed_in.granted
    second = await renewed(asker, signed_in, first.refresh_token)
    assert isinstance(second, Granted)
    assert second.refresh_token not in ("", first.refresh_token)
    assert protected.claims(second.access_token)["sub"] == "ann"
    again = await renewed(asker, signed_in, first.refresh_token)
    assert isinstance(again, Refused)
    assert again.is_invalid_grant
    assert (await renewed(asker, signed_in, second.refresh_token)).is_invalid_grant


async def test_more_scopes_are_asked_for_when_the_server_wants_them_and_none_is_lost(
    asker: Asker, protected: Protected, idp: IdentityProvider
) -> None:
    person = person_at(asker, protected, idp)
    first = await person.signs_in(await person.challenge())
    more = await person.challenge(first.granted.access_token)
    assert (more.wants_more_scopes, more.scopes) == (True, ("tools:write",))
    second = await person.signs_in(more, first.asked_scopes)
    assert set(protected.claims(second.granted.access_token)["scope"].split()) >= {"tools:read", "tools:write"}
    assert (await person.challenge(second.granted.access_token)).error == ""


async def test_what_is_given_back_is_good_no_more(asker: Asker, protected: Protected, idp: IdentityProvider) -> None:
    person = person_at(asker, protected, idp, registration="dynamic")
    signed_in = await person.signs_in(await person.challenge())
    token = signed_in.granted.refresh_token
    place, endpoint = signed_in.place, signed_in.discovered.server.revocation_endpoint
    assert (await revoke(asker, place, endpoint, [("refresh_token", token)], time.time())).done
    assert (await renewed(asker, signed_in, token)).is_invalid_grant
    assert (await revoke(asker, place, endpoint, [("refresh_token", token)], time.time())).done  # as RFC 7009 has it


async def test_a_code_is_worth_nothing_with_another_proof(
    asker: Asker, protected: Protected, idp: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = person_at(asker, protected, idp)
    monkeypatch.setattr(SigningIn, "_kept", lambda _, begun: msgspec.structs.replace(begun, verifier="v" * 64))
    outcome = (await person.signs_in(await person.challenge())).outcome
    assert isinstance(outcome, Refused)
    assert outcome.is_invalid_grant


async def test_whoever_does_not_agree_is_told_so(asker: Asker, protected: Protected, oidc_issuer: str) -> None:
    async def says_no(url: str) -> str:
        state = dict(part.split("=") for part in url.partition("?")[2].split("&"))["state"]
        return f"{OURS.redirect_uri}?error=access_denied&state={state}&iss={oidc_issuer}"

    person = SigningIn(asker, protected.url, OAuthCredential(), OURS, browser=says_no)
    with pytest.raises(BadReturn) as bad:
        await person.signs_in()
    assert bad.value.why == "denied"


@pytest.mark.parametrize(
    ("client_id", "method"),
    [("machine", "client_secret_basic"), ("machine", "client_secret_post"), ("signer", "private_key_jwt")],
)
async def test_a_client_gets_a_token_for_itself(
    asker: Asker, protected: Protected, client_key: ClientKey, client_id: str, method: Any
) -> None:
    found = await discover(asker, protected.url, ClientCredentials())
    client = UpstreamClient(
        issuer=found.server.issuer, client_id=client_id, client_secret="a secret: with + and %", authentication=method
    )
    place = TokenPlace(endpoint=found.server.token_endpoint, client=client, key=client_key)
    outcome = await client_credentials(asker, place, found.resource, ("tools:read",), time.time())
    assert isinstance(outcome, Granted), outcome
    claims = protected.claims(outcome.access_token)
    assert (claims["client_id"], claims["scope"], outcome.refresh_token) == (client_id, "tools:read", "")


async def test_a_client_with_another_secret_or_key_gets_none(asker: Asker, protected: Protected) -> None:
    found = await discover(asker, protected.url, ClientCredentials())
    client = UpstreamClient(
        issuer=found.server.issuer, client_id="machine", client_secret="x", authentication="client_secret_basic"
    )
    place = TokenPlace(endpoint=found.server.token_endpoint, client=client)
    wrong = await client_credentials(asker, place, found.resource, (), time.time())
    assert isinstance(wrong, Refused)
    assert (wrong.error, wrong.is_invalid_grant) == ("invalid_client", False)
    stranger = replace(place, client=msgspec.structs.replace(client, client_id="nobody"))
    assert isinstance(await client_credentials(asker, stranger, found.resource, (), time.time()), Refused)
