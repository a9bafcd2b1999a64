"""Who we say we are: to clients as a server, to upstreams as a client."""

from typing import Final

from core.our_version import VERSION

SERVER: Final = "archway"
"""The `Server` header: whose software, not which version, nor what it stands on (RFC 9110 section 10.2.4)."""

CLIENT_INFO: Final[dict[str, object]] = {"name": "archway", "version": VERSION}


def server_info(gateway_name: str) -> dict[str, object]:
    """`serverInfo` of one gateway."""
    return {"name": "archway", "title": gateway_name, "version": VERSION}
