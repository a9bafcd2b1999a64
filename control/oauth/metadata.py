"""What the authorization server says of itself (RFC 8414): what MCP clients look for, under each path they try.

claude.ai and Codex use a document of their own (CIMD) only where both the flag and `none` stand here; a client that
finds no S256 gives up. The `issuer` is the setting, to the letter: clients compare it with where they asked.
"""

from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from control.identity.id_jag import PROFILE
from control.oauth.server import AuthorizationServer
from control.oauth.token import GRANTS
from control.registry.oauth_client import ASSERTION_ALGORITHMS, AUTH_METHODS
from control.registry.oauth_scopes import KNOWN

WELL_KNOWN: Final = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_CACHE: Final = {"Cache-Control": "public, max-age=300"}


def document(issuer: str) -> dict[str, Any]:
    """The members of the document."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "registration_endpoint": f"{issuer}/oauth/register",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "authorization_grant_profiles_supported": [PROFILE],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": list(KNOWN),
    }


def paths(issuer: str) -> list[str]:
    """Where clients look for it: for an issuer with a path, behind that and before it too (RFC 8414 section 3.1)."""
    path = urlsplit(issuer).path.rstrip("/")
    if not path:
        return list(WELL_KNOWN)
    return [*(f"{known}{path}" for known in WELL_KNOWN), f"{path}{WELL_KNOWN[1]}"]


class Metadata:
    """Answers with the document, which is made once, and notes that somebody read it."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._server = server
        self._body = orjson.dumps(document(server.issuer))

    async def handle(self, request: web.Request) -> web.Response:
        """The document."""
        await self._server.traces.note(request, "metadata")
        return web.Response(body=self._body, content_type="application/json", headers=_CACHE)
