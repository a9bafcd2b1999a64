"""Signed tokens of callers (JWT, RFC 7519): ours are signed here, and everybody's are checked here.

Control signs access tokens (RFC 9068) with keys of their own, derived from `ARCHWAY_SIGNING_KEY`. Both planes check
tokens with the one function `verify`, whoever issued them: first the proxy with a set of keys that it holds, then
control, which also knows whether the grant and the person are still there. Pure functions of values, the clock is an
argument. Leaves out where sets of keys come from (`key_sets.py`), and whether somebody may do something.
"""

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NewType, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import PyJWS
from jwt import encode as signed_jwt
from jwt.exceptions import PyJWTError

from core.jwk import ASYMMETRIC, LONGEST_KID, KeyUnfit, ed25519_jwk, loaded
from core.keys import KeyRing

LONGEST: Final = 16 << 10
"""Of a whole token, as `core.resolve` has it on the wire."""
ACCESS_TOKEN_S: Final = 600
LEEWAY_S: Final = 60
"""Clocks of two hosts differ."""
LONGEST_LIFE_S: Final = 24 * 3600
TYPE: Final = "at+jwt"
CALL_SCOPE: Final = "mcp"
"""What an access token of ours must allow for its bearer to call a gateway; control gives it to each."""
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LONGEST_SUBJECT: Final = 255
_LATEST: Final = 1 << 40

Why = Literal[
    "form", "type", "algorithm", "unknown_key", "signature", "claims", "issuer", "audience", "expired", "early"
]
"""Why a token is refused: `unknown_key` alone may be another in a moment, when newer keys are known."""
VerifiedClaims = NewType("VerifiedClaims", Mapping[str, Any])
"""The claims of a token that holds. Only this file makes one."""


class TokenRefused(ValueError):
    """A signed token that does not hold; the sentence is for people and repeats nothing of the token."""

    def __init__(self, why: Why, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


class KeyOfIssuer(Protocol):
    """One public key of a set, as much as is needed to check a signature."""

    @property
    def jwk(self) -> Mapping[str, Any]:
        """Its members, as a JSON Web Key is written."""


class KeysOfIssuer(Protocol):
    """What is looked at of a set of keys: whose it is, what it allows, and the key of a name."""

    @property
    def kind(self) -> str:
        """`own` for the keys that Archway signs with, else `provider`."""

    @property
    def issuer(self) -> str:
        """Its name, which tokens must repeat byte for byte."""

    @property
    def algorithms(self) -> Collection[str]:
        """Those that its tokens may be signed with."""

    def key_for(self, kid: str, algorithm: str) -> KeyOfIssuer | None:
        """The key that a token names, if it is for this algorithm."""


def verify(token: str, keys: KeysOfIssuer, audience: str, now: float, *, typ: str = "") -> VerifiedClaims:
    """The claims of a token made by this issuer for exactly this audience; raises TokenRefused.

    `typ`: what its header must say to the letter that it is; '' for an access token or what issuers take for one.
    """
    claims = _signed_claims(token, keys, now, typ)
    _check_audience(claims.get("aud"), audience, keys.kind)
    return VerifiedClaims(claims)


def _signed_claims(token: str, keys: KeysOfIssuer, now: float, typ: str = "") -> dict[str, Any]:
    """All that is checked of a token but for whom it was made."""
    header = _header_of(token)
    if typ and header.get("typ") != typ:
        raise TokenRefused("type", f"The token is of another type than {typ}.")
    if not typ:
        _check_type(header.get("typ"), keys.kind)
    claims = _object(_signed_payload(token, header, keys))
    if claims.get("iss") != keys.issuer:
        raise TokenRefused("issuer", "The token was made by another issuer.")
    _check_times(claims, now)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or "\0" in subject:
        raise TokenRefused("claims", "The token does not say whose it is.")
    return claims


def named_issuer(token: str) -> str:
    """Whom a token names as its issuer, to find the keys by. Nothing of it was checked; raises TokenRefused."""
    _ = _header_of(token)
    issuer = _object(_decoded(token.split(".")[1])).get("iss")
    if not isinstance(issuer, str):
        raise TokenRefused("issuer", "The token names no issuer.")
    return issuer


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """What one access token of ours says: who may call which gateway, by which client and grant, until when."""

    id: str
    subject: str
    """`user:ID` of a person, or `client:ID` of a client that acts by itself."""
    audience: str
    """The canonical resource of one gateway."""
    client_id: str
    grant_id: str
    scope: str
    issued_at: int
    expires: int
    confirmation: dict[str, Any] = {}
    """The key that the bearer must prove to have (`cnf`, RFC 7800). None is asked for yet."""


class AccessTokenSigner:
    """Signs access tokens under one issuer's name with the ring's current key. Control only.

    It is also a set of keys that `verify` takes; proxies have the public halves in a key set of their own.
    """

    kind: Final = "own"
    algorithms: Final = ("EdDSA",)

    def __init__(self, ring: KeyRing, issuer: str) -> None:
        self._keys = [Ed25519PrivateKey.from_private_bytes(key.derive("access tokens")) for key in ring.keys]
        self.issuer = issuer
        self.public_keys: tuple[dict[str, str], ...] = tuple(ed25519_jwk(key.public_key()) for key in self._keys)
        """As JWKs, the current key first; the previous one checks what it signed until that has ended."""

    def key_for(self, kid: str, algorithm: str) -> "BareKey | None":
        """The public half of one of our keys."""
        found = next((key for key in self.public_keys if key["kid"] == kid), None)
        return BareKey(found) if found is not None and algorithm in self.algorithms else None

    def sign(self, token: AccessToken) -> str:
        """The token as a caller bears it."""
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": token.subject,
            "aud": token.audience,
            "client_id": token.client_id,
            "gid": token.grant_id,
            "scope": token.scope,
            "iat": token.issued_at,
            "exp": token.expires,
            "jti": token.id,
        }
        if token.confirmation:
            claims["cnf"] = token.confirmation
        headers = {"typ": TYPE, "kid": self.public_keys[0]["kid"]}
        return signed_jwt(claims, self._keys[0], algorithm="EdDSA", headers=headers)


@dataclass(frozen=True, slots=True)
class BareKey:
    """A public key that is nothing but its members, as `verify` asks for one: our own, or a client's."""

    jwk: Mapping[str, Any]


def signed_by(signer: AccessTokenSigner, token: str, now: float) -> AccessToken:
    """What a token of ours says, for whichever gateway it was made; raises TokenRefused.

    Whoever lets somebody in by it compares the audience: `verify` does, this does not.
    """
    return access_token_of(VerifiedClaims(_signed_claims(token, signer, now)))


def access_token_of(claims: VerifiedClaims) -> AccessToken:
    """What a token that we made says; raises TokenRefused for the claims of a token that is none of ours."""
    texts = {name: claims.get(name) for name in ("jti", "client_id", "gid", "scope", "aud")}
    confirmation = claims.get("cnf", {})
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(confirmation, dict):
        raise TokenRefused("claims", "The token lacks what an access token of Archway says.")
    return AccessToken(
        id=str(texts["jti"]),
        subject=claims["sub"],
        audience=str(texts["aud"]),
        client_id=str(texts["client_id"]),
        grant_id=str(texts["gid"]),
        scope=str(texts["scope"]),
        issued_at=claims["iat"],
        expires=claims["exp"],
        confirmation=confirmation,
    )


def _header_of(token: str) -> dict[str, Any]:
    if len(token) > LONGEST or not _FORM.fullmatch(token):
        raise TokenRefused("form", "The token is not a signed token.")
    header = _object(_decoded(token.split(".", 1)[0]))
    if "crit" in header or "b64" in header:  # RFC 7515 section 4.1.11, RFC 7797: we know no extension
        raise TokenRefused("form", "The token asks for extensions that are not known here.")
    return header


def _check_type(typ: object, kind: str) -> None:
    # Media types are compared without case, with or without `application/` (RFC 7515 section 4.1.9).
    name = typ.lower().removeprefix("application/") if isinstance(typ, str) else typ
    accepted = (TYPE,) if kind == "own" else (TYPE, "jwt", None)
    if name not in accepted:
        raise TokenRefused("type", "The token is not an access token.")


def _signed_payload(token: str, header: Mapping[str, Any], keys: KeysOfIssuer) -> bytes:
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or algorithm not in ASYMMETRIC or algorithm not in keys.algorithms:
        raise TokenRefused("algorithm", "The token is signed in a way that is not accepted.")
    if not isinstance(kid, str) or len(kid) > LONGEST_KID:
        raise TokenRefused("form", "The token does not name its key.")
    # The header's `jku`, `x5u` and `jwk` are not looked at: a token does not choose what it is checked with.
    key = keys.key_for(kid, algorithm)
    if key is None:
        raise TokenRefused("unknown_key", "The token is signed with a key that is not known.")
    try:
        payload = PyJWS().decode(token, loaded(key.jwk, algorithm), algorithms=[algorithm])
    except KeyUnfit:
        raise TokenRefused("algorithm", "The token is signed with a key of another kind.") from None
    except (PyJWTError, ValueError, RecursionError):
        raise TokenRefused("signature", "The token's signature is not good.") from None
    assert isinstance(payload, bytes)  # a JSON object comes out of PyJWT alone, and this is its JWS
    return payload


def _check_audience(named: object, audience: str, kind: str) -> None:
    # RFC 7519 allows a list. Ours never are one; of others one with a single member says the same as that member. A
    # token that was made for others beside us could be passed on to us by them.
    if kind != "own" and isinstance(named, list) and len(named) == 1:
        named = named[0]
    if not isinstance(named, str) or not audience or named != audience:
        raise TokenRefused("audience", "The token was made for another resource.")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    issued, expires, not_before = _moment(claims, "iat"), _moment(claims, "exp"), 0
    if "nbf" in claims:
        not_before = _moment(claims, "nbf")
    if expires + LEEWAY_S <= now:
        raise TokenRefused("expired", "The token has expired.")
    if max(issued, not_before) - LEEWAY_S > now:
        raise TokenRefused("early", "The token is not valid yet.")
    if not 0 < expires - issued <= LONGEST_LIFE_S:
        raise TokenRefused("claims", "The token lives longer than a day.")


def _moment(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 <= value < _LATEST:
        raise TokenRefused("claims", f"The token has no `{name}` in whole seconds.")
    return value


def _object(raw: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise TokenRefused("form", "The token is not a signed token.") from None


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise TokenRefused("form", "The token is not a signed token.") from None
