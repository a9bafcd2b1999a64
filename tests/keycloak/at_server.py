"""A realm of Keycloak as the authorization server of MCP servers: it takes another provider's identity assertions.

The settings are those of docs/administering/credentials/token-exchange.md. Needs a Keycloak with the feature
`identity-assertion-jwt`, which is an experiment of 26.7.
"""

from __future__ import annotations

from typing import Any

import aiohttp

from tests.fakes.keycloak_admin import KeycloakAdmin, mapper, person
from tests.trust.whose_company import AtServer

_REALM, _CLIENT, _SECRET, _ALIAS = "server", "archway-there", "of the server", "corp"


class KeycloakAtServer:
    """The realm as its administrator sees it."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._admin = KeycloakAdmin(url, http)
        self.client = AtServer(f"{url}/realms/{_REALM}", _CLIENT, _SECRET)
        self.users: dict[str, str] = {}
        """Whom the other provider's subjects are here."""

    async def set_up(self, issuer: str, server: str, subjects: dict[str, str]) -> None:
        """The realm is made once more. `issuer`: whose assertions it takes; `server`: what its tokens are for;
        `subjects`: there, each with the user's name here.
        """
        await self._admin.answers()
        await self._admin.new_realm(_REALM)
        await self._ask("POST", "/identity-provider/instances", {
            "alias": _ALIAS, "providerId": "jwt-authorization-grant", "enabled": True,
            "config": {
                "issuer": issuer, "useJwksUrl": "true", "jwksUrl": f"{issuer}/jwks",
                "jwtAuthorizationGrantEnabled": "true",
            },
        })  # fmt: skip
        await self._ask("POST", "/clients", {
            "clientId": _CLIENT, "secret": _SECRET, "enabled": True, "standardFlowEnabled": False,
            "fullScopeAllowed": False, "defaultClientScopes": ["basic", "email"],
            "attributes": {
                "oauth2.jwt.authorization.grant.enabled": "true", "oauth2.jwt.authorization.grant.idp": _ALIAS,
            },
            "protocolMappers": [mapper("server", "oidc-audience-mapper", {"included.custom.audience": server})],
        })  # fmt: skip
        for subject, name in subjects.items():
            await self._ask("POST", "/users", person(name, "nobody signs in here"))
            (user,) = await self._ask("GET", f"/users?username={name.lower()}&exact=true")
            self.users[subject] = str(user["id"])
            link = {"identityProvider": _ALIAS, "userId": subject, "userName": subject}
            await self._ask("POST", f"/users/{user['id']}/federated-identity/{_ALIAS}", link)

    async def forget(self, subject: str) -> None:
        """Nobody here is this subject there any more."""
        await self._ask("DELETE", f"/users/{self.users[subject]}/federated-identity/{_ALIAS}")

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return await self._admin.ask(method, f"/{_REALM}{path}", body)
