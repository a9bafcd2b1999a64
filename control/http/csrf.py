"""Whether a form was sent by our own page, in the browser of the person whose session it is.

Two checks, and both must hold: where the browser says that the request comes from (`Sec-Fetch-Site`, else `Origin`),
and a token that stands in the form. The token is the session's, or, where nobody has signed in yet, that of a cookie
which the page set. Called by every handler that changes something for a browser; programs with a bearer token have no
cookie, and need none of this.
"""

import hmac
from collections.abc import Collection
from typing import Final, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from control.http.cookies import DOOR, CookieRules, is_loopback, read_cookie
from control.http.forms import read_form
from control.http.problems import Problem, forbidden

FIELD: Final = "csrf"
"""The field of each form."""
HEADER: Final = "X-CSRF-Token"
"""What a page's script sends instead of the field."""
OWN_ORIGINS: web.AppKey[frozenset[str]] = web.AppKey("own_origins", frozenset)
"""Origins of our own pages. The application sets it."""


class HasToken(Protocol):
    """A browser session, or a visitor: whatever holds the token of a session's forms."""

    @property
    def csrf(self) -> str:
        """The token."""


async def check(request: web.Request, session: HasToken) -> None:
    """Raise Problem 403 unless one of this session's own pages sent the request. Reads the form, if there is one."""
    refuse_foreign(request)
    _compare(await _given(request), session.csrf)


async def check_at_the_door(request: web.Request, rules: CookieRules) -> None:
    """The same where nobody has signed in yet: the form must hold what this browser's door cookie holds."""
    refuse_foreign(request)
    kept = read_cookie(request, rules, DOOR)
    if not kept:
        raise forbidden(
            "Your browser did not send back our cookie: allow cookies for this site, then load the page again."
        )
    _compare(await _given(request), kept)


def refuse_foreign(request: web.Request) -> None:
    """Raise Problem 403 where the browser says that another site sent the request, or does not say at all."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site != "same-origin":
            raise _foreign()
    elif request.headers.get("Origin") not in request.app[OWN_ORIGINS]:
        raise _foreign()


def own_origins(urls: Collection[str]) -> frozenset[str]:
    """The origins of our own URLs (RFC 6454); on loopback under each of its names."""
    origins = set()
    for url in urls:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
        names = {host, "localhost", "127.0.0.1", "::1"} if is_loopback(host) else {host}
        origins |= {f"{parts.scheme}://{f'[{name}]' if ':' in name else name}{port}" for name in names}
    return frozenset(origins)


async def _given(request: web.Request) -> str:
    header = request.headers.get(HEADER)
    return header if header is not None else (await read_form(request)).get(FIELD, "")


def _compare(given: str, expected: str) -> None:
    # Whoever asks may send any bytes in a header or a cookie; those that are no text come as lone surrogates.
    if not hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode(errors="surrogatepass")):
        raise forbidden("This form is of an earlier visit: go back, load the page again, and repeat what you did.")


def _foreign() -> Problem:
    return forbidden("This request did not come from one of our own pages, so nothing was done.")
