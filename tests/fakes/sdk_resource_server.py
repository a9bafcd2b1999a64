"""An MCP server of the Python SDK that lets in whoever bears a token of an authorization server elsewhere.

The door is the SDK's; whether a token is good is asked in both ways: its signature by the keys that the issuer
publishes, its issuer, its audience and its end, and then the issuer itself (RFC 7662), which knows of tokens that it
has revoked. Arguments: PORT ISSUER SCOPE...: the scopes without which nobody gets in. Environment: SECRET, of the
client that asks, whose ID is the server's URL: Keycloak tells of a token only whom it is for; BEARERS, a file to
which each token that got in is added. Prints "ready". Run by `tests/keycloak/`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

import httpx2
import jwt
import uvicorn
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from pydantic import AnyHttpUrl

_TOLD = ("preferred_username", "azp", "scope", "jti", "sid", "iat", "exp")
_ALGORITHMS = ["RS256", "ES256"]


class Verifier:
    """Judges tokens of one issuer that are for one server."""

    def __init__(self, issuer: str, audience: str, secret: str, bearers: Path) -> None:
        self._issuer, self._audience, self._secret, self._bearers = issuer, audience, secret, bearers
        self._keys = jwt.PyJWKClient(f"{issuer}/protocol/openid-connect/certs")
        self._asking = httpx2.AsyncClient()

    async def verify_token(self, token: str) -> AccessToken | None:
        """What the token says, where it is good."""
        try:
            claims = await asyncio.to_thread(self._claims, token)
        except (jwt.InvalidTokenError, jwt.PyJWKClientError):
            return None
        if not await self._is_active(token):
            return None
        with self._bearers.open("a") as file:
            file.write(f"{token}\n")
        return AccessToken(
            token=token,
            client_id=claims["azp"],
            scopes=claims["scope"].split(),
            expires_at=claims["exp"],
            resource=self._audience,
            subject=claims["sub"],
            claims=claims,
        )

    def _claims(self, token: str) -> dict[str, Any]:
        key = self._keys.get_signing_key_from_jwt(token)
        return dict(jwt.decode(token, key, algorithms=_ALGORITHMS, audience=self._audience, issuer=self._issuer))

    async def _is_active(self, token: str) -> bool:
        answer = await self._asking.post(
            f"{self._issuer}/protocol/openid-connect/token/introspect",
            data={"token": token, "client_id": self._audience, "client_secret": self._secret},
        )
        return bool(answer.json().get("active"))


def server_at(url: str, issuer: str, scopes: list[str], verifier: Verifier) -> MCPServer:
    """One tool behind the door."""
    made = MCPServer(
        "notes",
        token_verifier=verifier,
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(issuer),
            resource_server_url=AnyHttpUrl(url),
            validate_token_resource=True,
            required_scopes=scopes,
        ),
    )

    @made.tool()
    def who_am_i() -> dict[str, Any]:
        """Say whose token came, and which."""
        token = get_access_token()
        claims = (token.claims if token else None) or {}
        return {name: claims[name] for name in _TOLD if name in claims}

    return made


def main() -> None:
    port, issuer, *scopes = sys.argv[1:]
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", int(port)))
        listening.listen(128)
        print("ready", flush=True)
        url = f"http://127.0.0.1:{port}/mcp"
        verifier = Verifier(issuer, url, os.environ["SECRET"], Path(os.environ["BEARERS"]))
        made = server_at(url, issuer, scopes, verifier)
        config = uvicorn.Config(made.streamable_http_app(), log_level="error")
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
