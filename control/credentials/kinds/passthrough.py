"""The caller's own token of their identity provider, sent on as it is to a server that checks it itself.

An installation brings nothing for it, and control never hands the token out: the proxy, which has it, puts it into
the call. Here is what an entry may say.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from control.credentials.kinds.for_one_caller import cure, places, take
from control.registry.broken_rule import BrokenRule
from control.registry.credential import CheckedCredential, Passthrough
from control.registry.targets import header

__all__ = ["against", "check", "cure", "headers", "is_one_of", "places", "take"]

_FIELD: Final = "credential_placement.audiences"
_LONGEST: Final = 2_048
"""Characters of an audience."""


def check(credential: Passthrough, own_urls: Sequence[str]) -> CheckedCredential:
    """With each audience once, or BrokenRule. `own_urls`: where Archway itself is reached. A token that is for it
    alone goes on to nobody (MCP 2025-11-25, Security Best Practices, "Token Passthrough").
    """
    for audience in credential.audiences:
        if not 0 < len(audience) <= _LONGEST or not audience.isprintable() or audience.strip() != audience:
            raise BrokenRule(_FIELD, f"must each have 1 to {_LONGEST} visible characters, as the tokens say it")
        if is_one_of(audience, own_urls):
            raise BrokenRule(
                _FIELD,
                f"must be the server's: {audience!r} is Archway's own, and what is for it alone goes on to nobody",
            )
    return CheckedCredential(Passthrough(tuple(dict.fromkeys(credential.audiences))), (header("authorization"),))


def is_one_of(audience: str, own_urls: Sequence[str]) -> bool:
    """Whether it is at the origin of one of these URLs (RFC 6454): a gateway's URL, or that of the issuer."""
    asked = _origin(audience)
    return asked is not None and asked in {_origin(one) for one in own_urls}


def _origin(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if not parts.hostname:
        return None
    return scheme, parts.hostname.rstrip("."), port or {"http": 80, "https": 443}.get(scheme)


def against(credential: Passthrough, audience: str) -> str:
    """Why a token for this audience is not passed on, behind the server's name; '' where it is."""
    if audience in credential.audiences:
        return ""
    named = " or ".join(repr(one) for one in credential.audiences)
    return (
        f"takes the identity provider's tokens that are for {named}, and yours is for {audience!r}: call with a "
        "token of the provider's for that"
    )


def headers(_: Passthrough, _secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """No headers: only the proxy has the caller's token."""
    return []
