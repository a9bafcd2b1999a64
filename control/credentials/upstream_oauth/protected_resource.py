"""What a server says of itself (RFC 9728): which authorization servers give tokens for it, and what these are for.

Called by `discovery.py` with the server's URL and what its 401 said. A server that says nothing of itself is one of
2025-03-26, whose authorization server is looked for at its own origin; one that cannot be asked is away, which is not
the same. Leaves out the authorization server: `authorization_server.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from control.credentials.upstream_oauth.challenge import scopes_in
from control.credentials.upstream_oauth.metadata import metadata_at
from control.credentials.upstream_oauth.unfit import Unfit
from control.providers.asking import Asker
from control.registry.origin import origin_of

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_LONGEST: Final = 2_048
"""Of one address."""


@dataclass(frozen=True, slots=True)
class ProtectedResource:
    """A server as it describes itself."""

    resource: str
    """What tokens for it are asked for, to the letter as it says it: its URL, or one that its URL is below of."""
    authorization_servers: tuple[str, ...]
    """Issuers that give tokens for it, at least one; they have been checked for nothing yet."""
    scopes_supported: tuple[str, ...] | None
    """None: it does not say."""


def metadata_urls(server_url: str, told: str = "") -> list[str]:
    """Where the description is asked, in this order. `told`: what the server's challenge names; '' for nothing."""
    parts = urlsplit(server_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    path = parts.path if parts.path != "/" else ""
    query = f"?{parts.query}" if parts.query else ""
    urls = [told, f"{origin}{WELL_KNOWN}{path}{query}" if path else "", f"{origin}{WELL_KNOWN}"]
    return list(dict.fromkeys(url for url in urls if url))


async def find_protected_resource(asker: Asker, server_url: str, told: str = "") -> ProtectedResource | None:
    """The description of a server, or None where it has none. Raises ProviderAway where that cannot be known now
    (5xx, 429, no answer), and Unfit for the description of another server.

    The server's word leads to its own origin, or to a public https address: whatever an operator opened for servers,
    none of them has us look around there. Another address is passed over.
    """
    for url in metadata_urls(server_url, told):
        asks = _who_asks(asker, url, server_url)
        found = None if asks is None else await metadata_at(asks, url)
        described = None if found is None else described_in(found, server_url)
        if described is not None:
            return described
    return None


def described_in(found: Mapping[str, Any], server_url: str) -> ProtectedResource | None:
    """What a document says; None for one that is no such description. Raises Unfit where it is of another server."""
    resource, servers = found.get("resource"), found.get("authorization_servers")
    if not isinstance(resource, str) or not resource:
        return None
    if not covers(resource, server_url):
        said = repr(resource[:200]) if resource.isprintable() else "something else"
        raise Unfit(f"the metadata of {server_url} is that of another server: its `resource` is {said}")
    issuers = tuple(one for one in servers if _is_text(one)) if isinstance(servers, list) else ()
    if not issuers:
        return None
    scopes = found.get("scopes_supported")
    return ProtectedResource(resource, issuers, scopes_in(scopes) if isinstance(scopes, list) else None)


def covers(resource: str, server_url: str) -> bool:
    """Whether tokens for this resource are for this server: it is the server's URL, or a parent of it."""
    if not _is_text(resource) or "#" in resource:
        return False
    try:
        wide, narrow = urlsplit(resource), urlsplit(server_url)
        same = origin_of(resource) == origin_of(server_url)
    except ValueError:
        return False
    if not same or wide.query not in ("", narrow.query) or any(one in {".", ".."} for one in wide.path.split("/")):
        return False
    return f"{narrow.path.rstrip('/')}/".startswith(f"{wide.path.rstrip('/')}/")


def _who_asks(asker: Asker, url: str, server_url: str) -> Asker | None:
    try:
        if origin_of(url) == origin_of(server_url):
            return asker
    except ValueError:
        return None
    return asker.of_public if url.startswith("https://") else None


def _is_text(one: object) -> bool:
    return (
        isinstance(one, str) and 0 < len(one) <= _LONGEST and one.isascii() and one.isprintable() and " " not in one
    )
