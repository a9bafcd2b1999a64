"""What was verified of one signed token, and what a look at one that was not verified tells.

Pure: made by `proxy/callers/signed_tokens.py`. `Claimed` is believed in nothing; it only says which keys to look for.
"""

import base64
from typing import Any

import msgspec

from core.jwk import LONGEST_KID
from core.jwt import CALL_SCOPE, LONGEST, VerifiedClaims
from core.key_sets import MAX_ISSUER, PublicKey
from core.resolve import AuthKind


class Claimed(msgspec.Struct, frozen=True):
    """What a token says of itself before anything of it was checked."""

    issuer: str
    audience: str
    kid: str
    algorithm: str


class Verified:
    """A token that its issuer signed, and for whom. That it is for a certain gateway is asked at each use.

    So a token for one gateway is refused at another also where it was met before. Plans rest on it (`stands`).
    """

    __slots__ = ("audience", "expires", "issuer", "key", "may_call", "stands", "subject", "way")

    def __init__(self, claims: VerifiedClaims, key: PublicKey, way: AuthKind) -> None:
        self.issuer: str = claims["iss"]
        self.subject: str = claims["sub"]
        self.audience = the_audience(claims.get("aud"))
        self.expires = float(claims["exp"])
        """Unix seconds. Nothing that is remembered of it outlives this."""
        self.key = key
        """That it was signed with; once its issuer's set has this no more, the token proves nothing."""
        self.way: AuthKind = way
        scope = claims.get("scope", "")
        self.may_call = way != "oauth" or (isinstance(scope, str) and CALL_SCOPE in scope.split())
        """Whether it allows calls of gateways at all; what a token of a provider allows, its settings say."""
        self.stands = True
        """False once it is remembered no more, or its issuer has changed: what rests on it is decided again."""

    def __repr__(self) -> str:
        return f"Verified({self.issuer}, {self.audience})"


def the_audience(named: object) -> str:
    """The one that a token is for; empty for none or several. A list of one says the same as that one."""
    if isinstance(named, list) and len(named) == 1:
        named = named[0]
    return named if isinstance(named, str) else ""


def look(token: str) -> Claimed | None:
    """What a token says of itself; None for what is no signed token, or too large to be looked at."""
    parts = token.split(".")
    if len(token) > LONGEST or len(parts) != 3 or not all(parts):
        return None
    header, payload = _object(parts[0]), _object(parts[1])
    if header is None or payload is None:
        return None
    issuer, kid, algorithm = payload.get("iss"), header.get("kid", ""), header.get("alg")
    if not isinstance(issuer, str) or not 0 < len(issuer) <= MAX_ISSUER:
        return None
    if not isinstance(kid, str) or len(kid) > LONGEST_KID or not isinstance(algorithm, str):
        return None
    return Claimed(issuer, the_audience(payload.get("aud")), kid, algorithm)


def _object(part: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True), type=dict)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return None
