"""Which requests to the public URL are passed on to control: pages for people, and endpoints of sign-in.

By the first part of the raw path, which for the first page is none. The lanes ask: the fast lane so that it leaves
such a connection to the aiohttp lane (`head_rules.py`), and that one so that it passes the request on
(`passing_on.py`). Control has the pages; a path of which it knows nothing it answers with 404 itself.
"""

import re
from typing import Final

PAGES: Final = (
    "sign-in",
    "sign-out",
    "consent",
    "my",
    "connect",
    "install",
    "static",
    "find",
    # for those who administer
    "registry",
    "installations",
    "pull-secrets",
    "environments",
    "egress-presets",
    "people",
    "teams",
    "tokens",
    "identity-providers",
    "oauth-clients",
    "sign-ins",
    "gateways",
    "activity",
)
ENDPOINTS: Final = (
    "oauth",
    # where clients of MCP 2025-03-26 look, which read no metadata
    "authorize",
    "token",
    "register",
)
FIRST_PARTS: Final = (*PAGES, *ENDPOINTS)
METADATA: Final = ("oauth-authorization-server", "openid-configuration")
"""Below `/.well-known/`: what the authorization server says of itself (RFC 8414, OpenID Connect Discovery)."""

_PLACES: Final = rf"(?:{'|'.join(FIRST_PARTS)})|\.well-known/(?:{'|'.join(METADATA)})"
_TAKEN: Final = re.compile(rf"/(?:(?:{_PLACES})(?:[/?].*)?|(?:\?.*)?)")
_TARGET: Final = re.compile(r"[!-\[\]-~]+")
"""Visible ASCII, without a backslash, which some readers take for a slash."""
_DOTS: Final = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)


def is_passed_on(target: str) -> bool:
    """Whether a raw request target is one of control's public listener."""
    return _TAKEN.fullmatch(target) is not None


def has_one_meaning(target: str) -> bool:
    """Whether everybody on the way reads the same path in it: no `..` that somebody resolves, nothing odd."""
    if _TARGET.fullmatch(target) is None or "#" in target:
        return False
    path = target.partition("?")[0]
    return "//" not in path and not any(_DOTS.fullmatch(part) for part in path.split("/"))
