"""What a signed token says before anything of it is checked: only to find what it is checked with. Pure."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

import msgspec

from core.jwt import TokenRefused, named_issuer


def unchecked_claims(token: str) -> Mapping[str, Any]:
    """What a token says; nothing of it is checked here. Raises TokenRefused for what is no token."""
    _ = named_issuer(token)
    return _part(token, 1)


def audience_of(token: str) -> str:
    """The one audience of a token, however it is written (RFC 7519 section 4.1.3); '' for several, and for none."""
    said = unchecked_claims(token).get("aud")
    one = said[0] if isinstance(said, list) and len(said) == 1 else said
    return one if isinstance(one, str) else ""


def end_of(token: str) -> float | None:
    """The Unix second at which a token says that it ends; None where it says none, and for what is no token."""
    try:
        said = unchecked_claims(token).get("exp")
    except TokenRefused:
        return None
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else None


def key_named(token: str) -> str:
    """The key that a token's header names; '' for none."""
    kid = _part(token, 0).get("kid", "")
    return kid if isinstance(kid, str) else ""


def _part(token: str, number: int) -> Mapping[str, Any]:
    text = token.split(".")[number]
    try:
        part = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise TokenRefused("form", "The token is not a signed token.") from None
    return part
