"""An authorization server of an upstream as its metadata describes it, and clients there, without a network."""

from __future__ import annotations

from typing import Any

from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.client import UpstreamClient
from control.credentials.upstream_oauth.discovery import Discovered
from control.credentials.upstream_oauth.registration import OurClient

ISSUER = "https://as.example"
SERVER_URL = "https://mcp.example/mcp"
BACK = "https://tools.example/install/callback"
OURS = OurClient(redirect_uri=BACK, document_url="https://tools.example/oauth/client-metadata.json")


def metadata(issuer: str = ISSUER, **changes: Any) -> dict[str, Any]:
    """What an authorization server says of itself; None takes a member away."""
    usual = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "registration_endpoint": f"{issuer}/register",
        "revocation_endpoint": f"{issuer}/revoke",
        "code_challenge_methods_supported": ["S256"],
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def a_server(**changes: Any) -> AuthorizationServer:
    """One that was discovered."""
    usual: dict[str, Any] = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
    }
    return AuthorizationServer(**{**usual, **changes})


def a_client(**changes: Any) -> UpstreamClient:
    """A public client there."""
    usual: dict[str, Any] = {"issuer": ISSUER, "client_id": "archway"}
    return UpstreamClient(**{**usual, **changes})


def found(server: AuthorizationServer | None = None, **changes: Any) -> Discovered:
    """What discovery came to."""
    usual: dict[str, Any] = {"server": server or a_server(), "resource": SERVER_URL, "scopes_supported": None}
    return Discovered(**{**usual, **changes})
