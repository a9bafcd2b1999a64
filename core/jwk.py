"""Public keys as documents carry them (JWK, RFC 7517): which of them we check signatures with.

Called where a set of keys is read (an identity provider's, a client's own) and by `jwt.py` for the one key that a
token names. A key that is weak, private, of a foreign kind or named twice is left out and said; the others stay in
use. Pure: no network, no log. Leaves out where sets come from and how long they are good: `key_sets.py`.
"""

import base64
import binascii
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]  # fmt: skip
"""How a token may be signed: with keys of two halves only, so that who checks a token can make none."""
ASYMMETRIC: Final[frozenset[Algorithm]] = frozenset(get_args(Algorithm))
"""Algorithms that a set of keys may allow at all. None has a shared secret, and `none` is not among them."""
LONGEST_KID: Final = 256
"""Characters of a key's name; a longer one is nobody's."""
NOT_FOR_SIGNATURES: Final = "is not for signatures"
"""Why a key is left out that nobody meant for them: a set may well hold keys for encryption too."""
MOST_KEYS: Final = 100
"""Of one set; what stands after these is not read."""
_LEAST_RSA_BITS: Final = 2048
_MOST_RSA_BITS: Final = 8192
"""Checking with a longer one costs more than a caller may make us pay."""
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}


class KeyUnfit(ValueError):
    """A key that no signature is checked with; the sentence says why and holds nothing of the key."""


@dataclass(frozen=True, slots=True)
class UsableKeys:
    """What was found in a set of keys: those to check with, and why others are left out."""

    keys: tuple[dict[str, str], ...]
    """Public members only, each with its `kid`."""
    skipped: tuple[str, ...]
    """One sentence for each key that is left out."""


def usable_keys(found: Iterable[Any], algorithms: Collection[str]) -> UsableKeys:
    """The keys of a set that tokens signed with one of these algorithms may name."""
    keys: dict[str, dict[str, str]] = {}
    skipped: list[str] = []
    for number, jwk in enumerate(found, 1):
        if number > MOST_KEYS:
            skipped.append(f"more than {MOST_KEYS} keys; the others are not read")
            break
        try:
            key = public_members(jwk, algorithms)
            if key["kid"] in keys:
                raise KeyUnfit("has the `kid` of another key before it")
        except KeyUnfit as unfit:
            skipped.append(f"key {number} {unfit}")
            continue
        keys[key["kid"]] = key
    return UsableKeys(tuple(keys.values()), tuple(skipped))


def public_members(jwk: Any, algorithms: Collection[str]) -> dict[str, str]:
    """The key without what is of no use for checking; raises KeyUnfit for one that is not fit for it."""
    if not isinstance(jwk, Mapping):
        raise KeyUnfit("is no JSON object")
    if _PRIVATE & set(jwk):
        raise KeyUnfit("is a private or shared key that was published")
    kty, kid = jwk.get("kty"), jwk.get("kid")
    if not isinstance(kty, str) or kty not in _MEMBERS:
        raise KeyUnfit("is not of type RSA, EC or OKP")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID or not kid.isprintable():
        raise KeyUnfit(f"has no `kid` of 1 to {LONGEST_KID} printable characters")
    uses = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        raise KeyUnfit(NOT_FOR_SIGNATURES)
    kept = {name: jwk.get(name) for name in ("kty", *_MEMBERS[kty])}
    if not all(isinstance(value, str) and value.isprintable() for value in kept.values()):
        raise KeyUnfit("lacks members of its type")
    fitting = [alg for alg in sorted(ASYMMETRIC & set(algorithms)) if _fits(kept, alg)]
    if "alg" in jwk:
        fitting = [alg for alg in fitting if alg == jwk["alg"]]
        kept["alg"] = jwk["alg"]
    if not fitting:
        raise KeyUnfit("is for none of the algorithms that are accepted here")
    _ = loaded(kept, fitting[0])
    return {name: str(value) for name, value in kept.items()} | {"kid": kid}


def loaded(jwk: Mapping[str, Any], algorithm: str) -> PyJWK:
    """The key, ready to check a signature of this algorithm; raises KeyUnfit where the two do not belong together."""
    if algorithm not in ASYMMETRIC or not _fits(jwk, algorithm) or jwk.get("alg", algorithm) != algorithm:
        raise KeyUnfit("is not for this algorithm")
    if jwk["kty"] == "RSA" and not _LEAST_RSA_BITS <= _bits(jwk["n"]) <= _MOST_RSA_BITS:
        raise KeyUnfit(f"has less than {_LEAST_RSA_BITS} or more than {_MOST_RSA_BITS} bits")
    try:
        return PyJWK(dict(jwk), algorithm)
    except (PyJWTError, ValueError, TypeError, OverflowError):
        raise KeyUnfit("cannot be read") from None


def ed25519_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """One of our own public keys as a JWK, named by its thumbprint (RFC 7638, RFC 8037)."""
    x = _base64url(key.public_bytes_raw())
    members = {"crv": "Ed25519", "kty": "OKP", "x": x}  # in the order that a thumbprint is taken of
    kid = _base64url(sha256(msgspec.json.encode(members)).digest())
    return {**members, "kid": kid, "alg": "EdDSA"}


def _fits(jwk: Mapping[str, Any], algorithm: str) -> bool:
    if algorithm[:2] in ("RS", "PS"):
        return jwk.get("kty") == "RSA"
    return jwk.get("kty") == ("OKP" if algorithm == "EdDSA" else "EC") and jwk.get("crv") == _CURVES[algorithm]


def _bits(number: str) -> int:
    try:
        raw = base64.b64decode(number + "=" * (-len(number) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise KeyUnfit("cannot be read") from None
    return int.from_bytes(raw, "big").bit_length()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
