"""Renewals at an OpenID provider that nobody here wrote (npm oidc-provider): it rotates refresh tokens, and revokes
all that a person granted when one comes a second time.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from control.accounts import one_renewal
from control.registry.account import AccountTokens
from control.registry.credential import OAuthCredential
from core.resolve import ResolvedInstallation
from tests.fakes.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import RotatingProvider
from tests.fixtures_idp import CALLBACK
from tests.fixtures_people import ISSUER


@pytest.fixture
async def rig(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Renewing]:
    monkeypatch.setattr(one_renewal, "AGAIN_AFTER_S", 0.01)
    async with Renewing(database, RotatingProvider()) as made:
        yield made


async def signed_in(rig: Renewing, idp: IdentityProvider, person: str) -> str:
    """An installation whose account somebody got there, with an access token that has ended."""
    credential = OAuthCredential(
        registration="own", client_id=CLIENT_ID, issuer=idp.issuer, token_endpoint=f"{idp.issuer}/token"
    )
    rig.provider.url = idp.issuer
    entry = await rig.entry(credential)
    tokens = AccountTokens("ended", await refresh_token(idp, person))
    return await rig.signed_in(
        person, entry, ended=True, tokens=tokens, issuer=idp.issuer, token_endpoint=f"{idp.issuer}/token",
        client_id=CLIENT_ID, resource="",
    )  # fmt: skip


async def refresh_token(idp: IdentityProvider, person: str) -> str:
    verifier = secrets.token_urlsafe(40)
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = ISSUER + CALLBACK
    asked = {
        "client_id": CLIENT_ID, "response_type": "code", "redirect_uri": back, "state": "s", "prompt": "consent",
        "scope": "openid offline_access", "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        to = await idp.sign_in(browser, f"{idp.issuer}/auth?{urlencode(asked)}", person)
        code = parse_qs(urlsplit(to).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        header = base64.b64encode(urlencode({CLIENT_ID: CLIENT_SECRET}).replace("=", ":").encode()).decode()
        headers = {"Authorization": f"Basic {header}"}
        async with browser.post(f"{idp.issuer}/token", data=form, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["refresh_token"])


async def knows(idp: IdentityProvider, access_token: str) -> bool:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{idp.issuer}/me", headers={"Authorization": f"Bearer {access_token}"}) as answer,
    ):
        return answer.status == 200


async def test_fifty_calls_over_four_replicas_are_one_refresh_and_the_next_one_goes_as_well(
    rig: Renewing, idp: IdentityProvider
) -> None:
    ann = await signed_in(rig, idp, "ann")
    asked = (await idp.counts())["/token"]
    replicas = [rig.renewals, *[await rig.replica() for _ in range(3)]]
    tokens = set(await asyncio.gather(*(rig.token(ann, replicas[number % 4]) for number in range(50))))
    assert len(tokens) == 1
    assert await knows(idp, tokens.pop())
    assert (await idp.counts())["/token"] == asked + 1
    await rig.execute("update accounts set expires_at = now(), refreshed_at = now() - interval '1 hour'")
    assert await knows(idp, await rig.token(ann))
    assert (await rig.account(ann)).version == 3


async def test_a_provider_that_is_down_signs_nobody_out(rig: Renewing, idp: IdentityProvider) -> None:
    ann = await signed_in(rig, idp, "ann")
    await idp.outage(on=True)
    assert (await rig.refusal(ann)).code == "provider_away"
    await idp.outage(on=False)
    await rig.rested(ann)
    assert isinstance(await rig.resolved(ann), ResolvedInstallation)


async def test_who_is_gone_there_signs_in_again_and_others_go_on(rig: Renewing, idp: IdentityProvider) -> None:
    ann, bob = await signed_in(rig, idp, "ann"), await signed_in(rig, idp, "bob")
    await idp.person("ann", None)
    assert (await rig.refusal(ann)).code == "needs_sign_in"
    assert await knows(idp, await rig.token(bob))
