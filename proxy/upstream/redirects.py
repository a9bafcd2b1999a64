"""A redirect in words for an admin: where a server points to, and whether to enter that URL. Nothing is followed.

A redirect is an answer of a server that may be anybody's, so it moves no request, no credential and no entry: a
person reads where it points to and decides. A query in it may hold a secret (a sign-in's state, a token), so it is
shown only where it is the one that the entry's own URL has.
"""

from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_MOST_SHOWN: Final = 512
_NOT_SHOWN: Final = " (with a query, which is not shown)"


def redirect_words(url: str, location: str) -> str:
    """What an admin is told of a redirect from `url`; `location` is the header as the server wrote it."""
    here = urlsplit(url)
    there = _target(url, location)
    if there is None:
        return "It redirects, and does not say to which URL."
    known_query = there.query in {"", here.query}
    target = _shown(there, here)
    hidden = "" if known_query else _NOT_SHOWN
    if _origin(there) == _origin(here):
        if target == _shown(here, here):
            return f"It redirects to the same URL{hidden}: it may want a sign-in, or a header that it was not sent."
        return f"It redirects to {target}{hidden}: enter that URL."
    if (here.scheme, there.scheme) == ("http", "https") and here.hostname == there.hostname:
        return f"It redirects to {target}{hidden}: enter that URL."
    if (here.scheme, there.scheme) == ("https", "http") and here.hostname == there.hostname:
        # A server behind a proxy that ends TLS often writes its own scheme.
        encrypted = _shown(there._replace(scheme="https", netloc=here.netloc), here)
        return f"It redirects to {target}{hidden}, which is without TLS: try {encrypted}."
    return (
        f"It redirects to another origin, {target}{hidden}: enter that URL if it is the server that you mean; it may "
        "also be a page to sign in."
    )


def _target(url: str, location: str) -> SplitResult | None:
    try:
        parts = urlsplit(urljoin(url, location.strip()))
        _ = parts.port
    except ValueError:
        return None
    usable = location.strip() and parts.scheme in _PORTS and parts.hostname
    return parts if usable else None


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def _shown(parts: SplitResult, here: SplitResult) -> str:
    """The URL without a user, a password or a fragment, and with the query of `here` alone."""
    host = parts.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parts.query and parts.query == here.query else ""
    text = f"{parts.scheme}://{host}{parts.path or '/'}{query}"
    return "".join(char if "!" <= char <= "~" else ascii(char)[1:-1] for char in text[:_MOST_SHOWN])
