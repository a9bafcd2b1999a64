"""A realm of Keycloak as the identity provider of the company in `tests/trust/whose_company.py`.

    vouches = KeycloakVouches(keycloak_url, http, sign_in_callback)     # given to `opened`

The settings are those of docs/administering/credentials/token-exchange.md: the client that exchanges is named as the
audience of the gateway, so that what callers come with is for it.
"""

from __future__ import annotations

from typing import Any

import aiohttp
from yarl import URL

from control.credentials.whose import CallerKind
from tests.fakes.keycloak_admin import KeycloakAdmin, filled_in, mapper, person
from tests.oauth.flow import claims_of
from tests.trust.whose_company import AUDIENCE, Company

REALM, SERVER = "company", "crm"
SIGN_IN, AGENT, JOB = "archway", "agent", "job"
SECRET, PASSWORD = "the-secret-of-archway", "the password of everybody"
_EXCHANGES = {"standard.token.exchange.enabled": "true"}


class KeycloakVouches:
    """It exchanges; it issues no assertions (ID-JAG) in 26.7."""

    def __init__(self, url: str, http: aiohttp.ClientSession, callback: str) -> None:
        self._http, self._admin, self._callback = http, KeycloakAdmin(url, http), callback
        self.issuer = f"{url}/realms/{REALM}"
        self.endpoint = f"{self.issuer}/protocol/openid-connect/token"
        self.fields: dict[str, Any] = {
            "client_id": SIGN_IN, "client_secret": SECRET, "authorize_parameters": {"prompt": ""},
            "exchange": {"enabled": True, "client_id": AUDIENCE}, "exchange_client_secret": SECRET,
        }  # fmt: skip

    async def ready(self, company: Company, agent: str) -> None:
        """The realm is made once more. Its stranger is in the group of partners, and nobody at Archway."""
        await self._admin.answers()
        await self._admin.new_realm(REALM)
        await self._ask("/groups", {"name": "partners"})
        await self._ask("/users", person("Ann", PASSWORD, email=company.email))
        await self._ask("/users", person("Stranger", PASSWORD, groups=["partners"]))
        groups = mapper("groups", "oidc-group-membership-mapper", {"claim.name": "groups", "full.path": "false"})
        repository = {"claim.name": "repository", "claim.value": "acme/app", "jsonType.label": "String"}
        await self._client(SERVER)
        await self._client(AUDIENCE, _reaching(SERVER), attributes=_EXCHANGES)
        await self._client(
            SIGN_IN, _reaching(AUDIENCE), redirectUris=[self._callback], standardFlowEnabled=True,
            optionalClientScopes=["offline_access"], attributes={"pkce.code.challenge.method": "S256"},
        )  # fmt: skip
        await self._client(AGENT, _reaching(AUDIENCE), groups, directAccessGrantsEnabled=True)
        fixed = mapper("repository", "oidc-hardcoded-claim-mapper", repository)
        await self._client(JOB, _reaching(AUDIENCE), fixed, serviceAccountsEnabled=True)

    async def sign_in(self, address: str) -> str:
        # Its cookies are for https alone, and browsers take loopback for that.
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(self.issuer).origin())
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            return await filled_in(browser, address, username="ann", password=PASSWORD)

    async def own_tokens(self) -> dict[CallerKind, str]:
        return {
            "provider_token": await self._given(AGENT, "password", username="ann", password=PASSWORD),
            "external": await self._given(AGENT, "password", username="stranger", password=PASSWORD),
            "ci_job": await self._given(JOB, "client_credentials"),
        }

    async def assertion(self, _: Company) -> str | None:
        return None

    def is_of(self, said: dict[str, Any], token: str) -> bool:
        """What it gives is of the session of what it took; a job has none, and is known by its name."""
        own = claims_of(token) if token.count(".") == 2 else {}
        return bool(own) and all(said.get(name) == own.get(name) for name in ("iss", "sub", "sid"))

    async def log_out(self) -> None:
        """All that Ann has there is ended."""
        (ann,) = await self._admin.ask("GET", f"/{REALM}/users?username=ann&exact=true")
        await self._ask(f"/users/{ann['id']}/logout")

    async def _given(self, client: str, grant: str, **form: str) -> str:
        asked = {"grant_type": grant, "client_id": client, "client_secret": SECRET, **form}
        async with self._http.post(self.endpoint, data=asked) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["access_token"])

    async def _ask(self, path: str, body: dict[str, Any] | None = None) -> None:
        await self._admin.ask("POST", f"/{REALM}{path}", body)

    async def _client(self, name: str, *mappers: dict[str, Any], **more: Any) -> None:
        """A client whose tokens are for what its mappers say alone, and not for Keycloak's own `account`."""
        await self._ask("/clients", {
            "clientId": name, "secret": SECRET, "enabled": True, "standardFlowEnabled": False,
            "fullScopeAllowed": False, "defaultClientScopes": ["basic", "profile", "email"],
            "protocolMappers": list(mappers), **more,
        })  # fmt: skip


def _reaching(client: str) -> dict[str, Any]:
    """Access tokens are for this client; what is said at a sign-in is for whoever asked, alone."""
    for_it = {"included.client.audience": client, "id.token.claim": "false"}
    return mapper(f"for-{client}", "oidc-audience-mapper", for_it)
