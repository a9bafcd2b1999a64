"""A realm that is the provider of an MCP server, as its page in docs/ has it, and people who sign in there.

    realm = ToolsRealm(keycloak_url, session)
    await realm.set_up("http://127.0.0.1:8001/mcp", "https://tools.example/install/callback/notes", jwk)

Refresh tokens are good once there; whoever brings one twice ends the session. Needs `make keycloak`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from tests.fakes.keycloak_admin import KeycloakAdmin, filled_in, mapper, person

REALM = "tools"
CLIENT, PUBLIC, MACHINE, SIGNER = "archway", "archway-public", "machine", "signer"
SECRET = "a secret: with + and %"
PASSWORD = "the password of everybody"
SCOPES = ("notes:read", "notes:write")
_POLICY = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"
_MOST_STEPS = 8
_USUAL = ["basic", "profile", "email"]
_EVENTS = ["LOGIN", "CODE_TO_TOKEN", "REFRESH_TOKEN", "REFRESH_TOKEN_ERROR", "REVOKE_GRANT", "CLIENT_LOGIN"]


class ToolsRealm:
    """The realm as its administrator sees it."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._session, self.admin = session, KeycloakAdmin(url, session)
        self.issuer = f"{url}/realms/{REALM}"

    async def set_up(self, server: str, callback: str, key: Mapping[str, Any]) -> None:
        """The realm, made once more. `server`: for which it gives tokens; `callback`: where people come back to;
        `key`: of the client that proves itself with one, as a JWK.
        """
        await self.admin.answers()
        await self.admin.new_realm(
            REALM, revokeRefreshToken=True, refreshTokenMaxReuse=0, eventsEnabled=True, enabledEventTypes=_EVENTS,
        )  # fmt: skip
        for name in ("Ann", "Bob"):
            await self.ask("POST", "/users", person(name, PASSWORD))
        for scope in SCOPES:
            await self._scope(scope, server)
        code = {"redirectUris": [callback], "attributes": {"pkce.code.challenge.method": "S256"}}
        await self._client(CLIENT, secret=SECRET, **code)
        await self._client(PUBLIC, publicClient=True, directAccessGrantsEnabled=True, **code)
        machine = {"standardFlowEnabled": False, "serviceAccountsEnabled": True}
        await self._client(MACHINE, secret=SECRET, **machine)
        signs = {
            "use.jwks.string": "true", "jwks.string": json.dumps({"keys": [dict(key)]}),
            "token.endpoint.auth.signing.alg": "ES256",
        }  # fmt: skip
        await self._client(SIGNER, clientAuthenticatorType="client-jwt", attributes=signs, **machine)
        await self._client(server, secret=SECRET, standardFlowEnabled=False)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the admin API answers about the realm."""
        return await self.admin.ask(method, f"/{REALM}{path}", body)

    async def change(self, **settings: Any) -> None:
        """The realm's settings, such as `accessTokenLifespan`."""
        await self.ask("PUT", "", {"realm": REALM, **settings})

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """What Keycloak has noted of this kind."""
        return list(await self.ask("GET", f"/events?type={kind}&max=200"))

    async def user(self, name: str) -> str:
        (found,) = await self.ask("GET", f"/users?username={name}&exact=true")
        return str(found["id"])

    async def _scope(self, name: str, server: str) -> None:
        """A client scope that brings the server's URL into `aud`, and that clients may ask for."""
        reaching = mapper("audience", "oidc-audience-mapper", {"included.custom.audience": server})
        await self.ask("POST", "/client-scopes", {
            "name": name, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"},
            "protocolMappers": [reaching],
        })  # fmt: skip
        (made,) = [one for one in await self.ask("GET", "/client-scopes") if one["name"] == name]
        await self.ask("PUT", f"/default-optional-client-scopes/{made['id']}")

    async def _client(self, name: str, **more: Any) -> None:
        await self.ask("POST", "/clients", {
            "clientId": name, "enabled": True, "fullScopeAllowed": False, "defaultClientScopes": _USUAL,
            "optionalClientScopes": [*SCOPES, "offline_access"], **more,
        })  # fmt: skip

    async def trust_host(self, host: str) -> None:
        """Programs at this host may register themselves."""
        (policy,) = await self.ask("GET", f"/components?type={_POLICY}&name=Trusted+Hosts")
        policy["config"]["trusted-hosts"] = [host]
        await self.ask("PUT", f"/components/{policy['id']}", policy)

    async def withdraw_keys(self) -> None:
        """Another key signs from now on, and those before are gone: no access token of before is good."""
        kind = "org.keycloak.keys.KeyProvider"
        before = await self.ask("GET", f"/components?type={kind}")
        await self.ask("POST", "/components", {
            "name": f"rsa-{len(before)}", "providerId": "rsa-generated", "providerType": kind,
            "config": {"priority": ["1000"], "enabled": ["true"], "active": ["true"]},
        })  # fmt: skip
        for one in before:
            if one["providerId"] == "rsa-generated":
                await self.ask("DELETE", f"/components/{one['id']}")

    async def end_session(self, session_id: str) -> None:
        """An administrator ends somebody's session of which programs hold tokens that last."""
        await self.ask("DELETE", f"/sessions/{session_id}?isOffline=true")

    async def log_out(self, name: str) -> None:
        """The same of all that somebody has. What was given before this second is good no more."""
        await self.ask("POST", f"/users/{await self.user(name)}/logout")

    async def password_tokens(self, name: str) -> dict[str, Any]:
        """Tokens for a name and a password, as a program in a terminal gets them."""
        form = {"grant_type": "password", "username": name, "password": PASSWORD, "scope": "openid offline_access"}
        return (await self.token_endpoint(client_id=PUBLIC, **form))[1]

    async def token_endpoint(self, **form: str) -> tuple[int, dict[str, Any]]:
        """What it answers to this form."""
        async with self._session.post(f"{self.issuer}/protocol/openid-connect/token", data=form) as answer:
            return answer.status, dict(await answer.json())

    async def knows(self, token: str, server: str) -> bool:
        """Whether a token is good, as the server that it is for is told."""
        form = {"token": token, "client_id": server, "client_secret": SECRET}
        async with self._session.post(f"{self.issuer}/protocol/openid-connect/token/introspect", data=form) as answer:
            assert answer.status == 200, await answer.text()
            return bool((await answer.json())["active"])

    async def sign_in(self, browser: aiohttp.ClientSession, address: str, as_whom: str) -> str:
        """Somebody at the realm's pages, as often as it asks: where the browser is sent back to."""
        for _ in range(_MOST_STEPS):
            if not address.startswith(self.admin.url):
                return address
            async with browser.get(address, allow_redirects=False) as page:
                text, on = await page.text(), page.headers.get("Location", "")
            if not on:
                agrees = {"accept": "Yes"} if 'name="accept"' in text else {}
                fields = agrees or {"username": as_whom, "password": PASSWORD}
                on = await filled_in(browser, address, **fields)
            address = on
        raise AssertionError(f"no end of pages at {address}")
