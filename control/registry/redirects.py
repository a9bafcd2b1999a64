"""Where an OAuth client may have people sent back to, with the code that it redeems. Pure.

Called where a client is registered (`oauth_client.py`, its own document too) and where one asks. A redirect is
compared byte by byte (RFC 9700 section 2.1); only the port of a program on the person's own machine may be another,
since it takes a free one each time (RFC 8252 section 7.3). Clients write `localhost` for it as often as the address.
"""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from core.egress.addresses import AddressPolicy, UrlRefused, check_url

LONGEST: Final = 2_048
MOST: Final = 20
PRIVATE_SCHEMES: Final = frozenset(
    {
        "cherrystudio", "claude", "code-oss", "cursor", "goose", "kiro", "lmstudio", "raycast", "trae", "vscode",
        "vscode-insiders", "vscodium", "warp", "windsurf", "windsurf-next", "zed",
    }
)  # fmt: skip
"""Schemes that MCP clients register with the operating system for themselves. Another program may take one too, which
PKCE makes harmless; an unknown one may belong to whatever program, so the list is closed."""
_CHARACTERS = re.compile(r"[!-~]+")
_FORBIDDEN = re.compile(r"[\\\"<>^`{|}#]")
_LOOPBACK = re.compile(
    r"http://(?P<host>localhost|127\.0\.0\.1|\[::1\])(?::(?P<port>[0-9]{1,5}))?(?P<rest>(?:[/?].*)?)"
)
_LOOPBACK_TLS = re.compile(r"https://(?i:localhost)(?::(?P<port>[0-9]{1,5}))?(?:[/?].*)?")
"""A program with a certificate of its own: it is on this machine all the same, and takes one port for good."""
_PUBLIC: Final = AddressPolicy()


def why_not_registered(uri: str) -> str | None:
    """Why a client may not register this redirect, as the end of a sentence; None where it may."""
    if not 0 < len(uri) <= LONGEST or not _CHARACTERS.fullmatch(uri) or _FORBIDDEN.search(uri):
        return "is no absolute URI in ASCII without a fragment"
    scheme, separator, _ = uri.partition(":")
    if not separator:
        return "is not absolute"
    if scheme in PRIVATE_SCHEMES:
        return None if "://" in uri else "has no `://` behind its scheme"
    if scheme == "http":
        loopback = _LOOPBACK.fullmatch(uri)
        return None if loopback and _is_port(loopback["port"]) else "has http, which only this machine may have"
    if scheme != "https":
        return "has a scheme that no known client registers"
    return _why_not_https(uri)


def usable(uris: Sequence[str]) -> tuple[str, ...]:
    """Those that may be registered, in their order, each once. One bad redirect does not spoil the others."""
    return tuple(dict.fromkeys(uri for uri in uris[:MOST] if why_not_registered(uri) is None))


def is_registered(uri: str, registered: Sequence[str]) -> bool:
    """Whether a client may have people sent to exactly this."""
    if uri in registered:
        return why_not_registered(uri) is None
    asked = _LOOPBACK.fullmatch(uri)
    if asked is None or why_not_registered(uri) is not None:
        return False
    return any(
        known["host"] == asked["host"] and known["rest"] == asked["rest"]
        for known in map(_LOOPBACK.fullmatch, registered)
        if known is not None
    )


def redirect_host(uri: str) -> str:
    """Where a person is sent, for them to read and to remember their consent by: a host, or a program's scheme."""
    if is_this_machine(uri):
        return "this machine"
    scheme = uri.partition(":")[0]
    return urlsplit(uri).netloc if scheme in ("http", "https") else f"{scheme}:"


def is_this_machine(uri: str) -> bool:
    """Whether a program on the person's own machine gets the code, whichever program that is."""
    return _LOOPBACK.fullmatch(uri) is not None or _LOOPBACK_TLS.fullmatch(uri) is not None


def _why_not_https(uri: str) -> str | None:
    authority = uri.removeprefix("https://").partition("/")[0].partition("?")[0]
    if not uri.startswith("https://") or "@" in authority:
        return "is not written as https://host/path"
    here = _LOOPBACK_TLS.fullmatch(uri)
    try:
        if here is None or not _is_port(here["port"]):
            check_url(uri, _PUBLIC, purpose="redirect")
    except UrlRefused:
        return "has a host that is none, or a private address"
    return None


def _is_port(text: str | None) -> bool:
    return text is None or 1 <= int(text) <= 65_535
