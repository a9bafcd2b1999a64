"""What five real clients send when they sign somebody in, frozen.

Redirects of Claude Code are as its document had them, which said nothing of its `application_type`. That Codex has a
document where it finds one taken is reported; its redirects are those of a client that says to do the same. The rest
is written from reports of people who run servers, not seen by us: names of members may differ, not their kinds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Shape:
    """One client: how it is known, what it says of itself, where it has people sent back to."""

    name: str
    by: str
    """`document` or `registration`."""
    says: dict[str, Any]
    redirect: str
    asks: dict[str, str | None] = field(default_factory=dict)
    """Changes of the usual authorize request; None leaves one out."""
    registers_twice: bool = False
    refreshes_at_once: bool = False


CLAUDE_AI = Shape(
    "claude.ai",
    "document",
    {
        "client_name": "Claude",
        "client_uri": "https://claude.ai",
        "logo_uri": "https://claude.ai/logo.png",
        "redirect_uris": ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "claudeai",
    },
    "https://claude.ai/api/mcp/auth_callback",
    refreshes_at_once=True,
)
CLAUDE_AI_REGISTERING = Shape(
    "claude.ai where it registers",
    "registration",
    {
        "client_name": "Claude",
        "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "mcp offline_access",
    },
    "https://claude.ai/api/mcp/auth_callback",
    registers_twice=True,
    refreshes_at_once=True,
)
CLAUDE_CODE = Shape(
    "Claude Code",
    "document",
    {
        "client_name": "Claude Code",
        "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    },
    "http://localhost:54545/callback",
    {"scope": None},
)
VS_CODE = Shape(
    "VS Code",
    "document",
    {
        "client_name": "Visual Studio Code",
        "client_uri": "https://code.visualstudio.com",
        "redirect_uris": ["http://127.0.0.1:33418/", "https://vscode.dev/redirect", "http://localhost/"],
        "grant_types": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    },
    "http://127.0.0.1:33418/",
    {"scope": "mcp", "prompt": "consent"},
)  # fmt: skip
CODEX = Shape(
    "Codex",
    "document",
    {
        "client_name": "Codex",
        "redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "token_endpoint_auth_methods_supported": ["none"],
        "application_type": "native",
    },
    "http://127.0.0.1:45991/callback",
)
CODEX_REGISTERING = Shape(
    "Codex where it registers",
    "registration",
    {
        "client_name": "Codex",
        "redirect_uris": ["http://127.0.0.1:45991/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    },
    "http://127.0.0.1:45991/callback",
)
CURSOR = Shape(
    "Cursor",
    "registration",
    {
        "client_name": "Cursor",
        "redirect_uris": [
            "cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/agents/mcp/oauth/callback",
            "cursor-retrieval://anysphere.cursor-mcp/oauth/callback",
        ],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "web",
    },
    "cursor://anysphere.cursor-mcp/oauth/callback",
    registers_twice=True,
)  # fmt: skip
SHAPES = (CLAUDE_AI, CLAUDE_AI_REGISTERING, CLAUDE_CODE, VS_CODE, CODEX, CODEX_REGISTERING, CURSOR)
