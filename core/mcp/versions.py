"""The revisions of MCP that Archway serves, and how a legacy client's wish is answered.

Called by the message parser, by the gateway's `initialize`, and by the era probe of upstreams. Which
era a request belongs to is decided in `core.mcp.message`, not here.
"""

from __future__ import annotations

import enum

# Revisions that open with `initialize`, oldest first: their order is used to compare them.
LEGACY_VERSIONS: tuple[str, ...] = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
LATEST_LEGACY: str = LEGACY_VERSIONS[-1]

# The one modern revision. Only this is advertised by `server/discover`: a legacy date in that list
# makes clients try requests that are legacy by header and modern by body.
MODERN: str = "2026-07-28"


class Era(enum.Enum):
    """The two families of revisions: those with a handshake, and the one where each request stands alone."""

    LEGACY = "legacy"
    MODERN = "modern"


def negotiate_legacy(asked: object) -> str:
    """Answer the `protocolVersion` that an `initialize` asks for.

    A legacy revision that we serve is granted. Anything else, the modern revision and values that
    are no string included, gets the newest legacy one; the client then decides whether it stays.
    """
    if isinstance(asked, str) and asked in LEGACY_VERSIONS:
        return asked
    return LATEST_LEGACY
