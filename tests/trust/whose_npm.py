"""npm `oidc-provider` as the identity provider of the company in `whose_company.py`."""

from __future__ import annotations

from typing import Any

import aiohttp

from control.credentials.whose import CallerKind
from core.tokens import digest
from tests.fakes.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    EXCHANGER,
    EXCHANGER_SECRET,
    POSTER,
    POSTER_SECRET,
    IdentityProvider,
)
from tests.trust.whose_company import AUDIENCE, Company

_TYPE = "urn:ietf:params:oauth:token-type"


class NpmVouches:
    """It exchanges, and issues assertions; what it gives says of which token it came."""

    def __init__(self, idp: IdentityProvider, http: aiohttp.ClientSession) -> None:
        self._idp, self._http = idp, http
        self.issuer = idp.issuer
        self.fields: dict[str, Any] = {
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "exchange": {"enabled": True, "client_id": EXCHANGER}, "exchange_client_secret": EXCHANGER_SECRET,
        }  # fmt: skip

    async def ready(self, company: Company, agent: str) -> None:
        names = {company.base: agent, company.at_server.issuer: company.at_server.client_id}
        await self._idp.exchanges(clients=[POSTER, EXCHANGER], client_ids=names)
        await self._idp.person("ann", {"email": company.email, "email_verified": True})
        for subject in ("repo:acme/app", "stranger"):
            await self._idp.person(subject, {})

    async def sign_in(self, address: str) -> str:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            return await self._idp.sign_in(browser, address, "ann")

    async def own_tokens(self) -> dict[CallerKind, str]:
        told: dict[CallerKind, dict[str, Any]] = {
            "provider_token": {"sub": "ann"},
            "ci_job": {"sub": "repo:acme/app", "repository": "acme/app"},
            "external": {"sub": "stranger", "groups": ["partners"]},
        }
        return {caller: await self._idp.token(claims | {"aud": AUDIENCE}) for caller, claims in told.items()}

    async def assertion(self, company: Company) -> str | None:
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "client_id": POSTER,
            "client_secret": POSTER_SECRET, "requested_token_type": f"{_TYPE}:id-jag", "audience": company.base,
            "resource": company.url, "subject_token": (await self._idp.signed_in("ann"))["id_token"],
            "subject_token_type": f"{_TYPE}:id_token",
        }  # fmt: skip
        async with self._http.post(f"{self.issuer}/token", data=form) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["access_token"])

    def is_of(self, said: dict[str, Any], token: str) -> bool:
        return bool(said.get("made_of") == digest(token))
