"""Our cookies: their names, and how a browser is told to guard them.

Over https each name begins with `__Host-`, so that browsers take it only from this very host, for all of it, over
TLS. On plain http some browsers (Safari) keep no such cookie, so on loopback, and there alone, the names have no
prefix; they have the port instead, since all ports of a machine share one jar. Which it is follows from the setting
of the issuer's URL, never from a request.

Called by the listener for people and by all that signs people in.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

SESSION: Final = "archway"
"""Holds the secret of a browser session."""
DEVICE: Final = "archway-device"
"""Says that its person has signed in here before."""
DOOR: Final = "archway-door"
"""Ties the form of the sign-in page to the browser that was shown it."""
_HOST_ONLY: Final = "__Host-"
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")


@dataclass(frozen=True, slots=True)
class CookieRules:
    """How this deployment names and guards its cookies."""

    secure: bool
    suffix: str = ""
    kept: bool = True
    """Whether browsers keep our cookies at all: not on plain http beyond loopback."""

    def name(self, word: str) -> str:
        """The full name of one of our cookies."""
        return f"{_HOST_ONLY if self.secure else ''}{word}{self.suffix}"


def rules_for(issuer_url: str) -> CookieRules:
    """The rules that fit where people's pages are."""
    parts = urlsplit(issuer_url)
    if parts.scheme == "https":
        return CookieRules(secure=True)
    if is_loopback(parts.hostname or ""):
        return CookieRules(secure=False, suffix=f"-{parts.port or 80}")
    return CookieRules(secure=True, kept=False)


def is_loopback(host: str) -> bool:
    """Whether a host of a URL is this machine, as browsers see it."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_cookie(request: web.Request, rules: CookieRules, word: str) -> str:
    """The cookie's value, '' where there is none."""
    return request.cookies.get(rules.name(word), "")


def may_be_secret(value: str) -> bool:
    """Whether a cookie's value is of the form of our secrets; anything else is looked up nowhere."""
    return _SECRET.fullmatch(value) is not None


def set_cookie(
    response: web.StreamResponse, rules: CookieRules, word: str, value: str, age: timedelta | None = None
) -> None:
    """Have the browser keep a value for so long or (None) until it is closed. No script sees it."""
    left = None if age is None else int(age.total_seconds())
    response.set_cookie(
        rules.name(word), value, path="/", secure=rules.secure, httponly=True, samesite="Lax", max_age=left
    )


def clear_cookie(response: web.StreamResponse, rules: CookieRules, word: str) -> None:
    """Have the browser forget a value."""
    response.set_cookie(rules.name(word), "", path="/", secure=rules.secure, httponly=True, samesite="Lax", max_age=0)
