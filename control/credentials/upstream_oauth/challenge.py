"""What a server's refusal asks for: its `WWW-Authenticate` headers (RFC 9110 section 11.6.1, RFC 6750, RFC 9728).

Called with the headers of a 401, or of a 403 that wants more scopes. Pure. A server may send several challenges, in
several headers or in one, with values quoted or not: what can be read of them is read, the rest is passed over.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from control.registry.oauth_scopes import is_scope

_NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf'({_NAME})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))")
_SCHEME = re.compile(_NAME)
_BETWEEN = re.compile(r"[\s,]+")
_ESCAPED = re.compile(r"\\(.)")
MOST_SCOPES: Final = 100
"""Of one list; a server that names more is not taken at its word."""
LONGEST: Final = 16 << 10
"""Of all headers together; what stands behind is not read."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks for when it lets nobody in, or wants a token that may do more."""

    resource_metadata: str = ""
    """Where it says that it describes itself (RFC 9728); an address that nobody has checked. '' where it does not."""
    scopes: tuple[str, ...] = ()
    """What a token must be allowed to do for this request."""
    error: str = ""
    """Its word for why, such as `invalid_token` or `insufficient_scope`; '' for none, and for what is no such word.
    """

    @property
    def wants_more_scopes(self) -> bool:
        """Whether the token was good, and may not do enough."""
        return self.error == "insufficient_scope"


def bearer_challenge(headers: Iterable[str]) -> Challenge:
    """What the challenge for bearer tokens asks for; of several, the one that says where the metadata is. A server
    that has none of this scheme is read by whichever of its challenges names the metadata.
    """
    found = list(_challenges(headers))
    mine = [one for scheme, one in found if scheme == "bearer"] or [
        one for _, one in found if "resource_metadata" in one
    ]
    best = next((one for one in mine if "resource_metadata" in one), mine[0] if mine else {})
    error = best.get("error", "")
    return Challenge(
        resource_metadata=best.get("resource_metadata", ""),
        scopes=scopes_in(best.get("scope")),
        error=error if error.replace("_", "").isalpha() and error.isascii() and len(error) <= 64 else "",
    )


def scopes_in(said: object) -> tuple[str, ...]:
    """Scopes as servers write them: one text with spaces or commas between, or a list. Each once, in their order;
    what is no scope (RFC 6749 section 3.3) is left out.
    """
    parts = said if isinstance(said, list) else re.split(r"[\s,]+", said) if isinstance(said, str) else []
    good = [one for one in parts[: 10 * MOST_SCOPES] if isinstance(one, str) and is_scope(one)]
    return tuple(dict.fromkeys(good))[:MOST_SCOPES]


def _challenges(headers: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The scheme, in lower case, and the parameters of each challenge; of a parameter that comes twice the first."""
    left = LONGEST
    for header in headers:
        yield from _in_one(header[:left])
        left -= min(len(header), left)


def _in_one(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    at, scheme, parameters = 0, "", dict[str, str]()
    while at < len(header):
        if between := _BETWEEN.match(header, at):
            at = between.end()
            continue
        if scheme and not parameters and (bare := _TOKEN68.match(header, at)) and header[at - 1 : at] != ",":
            at = bare.end()  # `Negotiate abc==`: no parameters, and nothing for us
            continue
        if (one := _PARAMETER.match(header, at)) is not None:
            value = one[3] if one[2] is None else _ESCAPED.sub(r"\1", one[2])
            parameters.setdefault(one[1].lower(), value)
            at = one.end()
            continue
        word = _SCHEME.match(header, at)
        if word is None:
            at += 1
            continue
        if scheme:
            yield scheme, parameters
        at, scheme, parameters = word.end(), word[0].lower(), {}
    if scheme or parameters:
        yield scheme, parameters
