"""Keys with which a client of somebody here proves to others that it is that client (`private_key_jwt`, RFC 7523
section 2.2).

Somebody brings one as PEM. Control only. Leaves out which authorization server wants which, and who keeps it.

What is signed does not name the key (`kid`): its server has it under a name that nobody told us. With another name
Keycloak and others refuse it; without any, they look for the key.
"""

import base64
from hashlib import sha256
from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt import encode as signed_jwt

ASSERTION_S: Final = 60
"""How long an assertion is good: it is made for one request."""
LONGEST_PEM: Final = 16 << 10
_LEAST_RSA_BITS: Final = 2048
_MOST_RSA_BITS: Final = 8192
_CURVES: Final = {
    "secp256r1": ("P-256", "ES256", 32),
    "secp384r1": ("P-384", "ES384", 48),
    "secp521r1": ("P-521", "ES512", 66),
}
_Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey


class KeyRefused(ValueError):
    """A key that nothing is signed with; the sentence says why and holds nothing of it."""


class ClientKey:
    """One private key and what others check its signatures with. It is never shown."""

    def __init__(self, key: _Private) -> None:
        self._key = key
        members, self._algorithms = _public(key)
        self.kid = _base64url(sha256(msgspec.json.encode(dict(sorted(members.items())))).digest())
        """Its thumbprint (RFC 7638)."""
        self.jwk: dict[str, str] = {**members, "kid": self.kid, "use": "sig", "alg": self._algorithms[0]}
        """Its public half, as a document carries it."""

    def __repr__(self) -> str:
        return f"ClientKey({self.kid})"

    @classmethod
    def from_pem(cls, text: str) -> "ClientKey":
        """The key in a PEM that somebody brings; raises KeyRefused for what is none, is encrypted, weak or odd."""
        if len(text) > LONGEST_PEM:
            raise KeyRefused(f"is longer than {LONGEST_PEM} characters")
        try:
            key = load_pem_private_key(text.encode(), password=None)
        except TypeError:
            raise KeyRefused("is encrypted; give it without a password") from None
        except (ValueError, UnsupportedAlgorithm):
            raise KeyRefused("is no private key in PEM, from '-----BEGIN' to '-----END'") from None
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey):
            raise KeyRefused("is of a kind that nothing is signed with here; use RSA, P-256, P-384, P-521 or Ed25519")
        return cls(key)

    def algorithm_for(self, taken: tuple[str, ...]) -> str:
        """What we sign with for a server that takes these (() where it does not say); raises KeyRefused for none."""
        for algorithm in self._algorithms:
            if not taken or algorithm in taken:
                return algorithm
        raise KeyRefused(f"cannot sign as the server wants it ({', '.join(taken[:10])}); use a key of another kind")

    def assertion(
        self, client_id: str, audience: str, identifier: str, now: float, taken: tuple[str, ...] = ()
    ) -> str:
        """The proof for one request, good for a minute. `audience`: the authorization server; `identifier`: another
        one for each request. Raises KeyRefused.
        """
        claims: dict[str, Any] = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": int(now),
            "exp": int(now) + ASSERTION_S,
            "jti": identifier,
        }
        return signed_jwt(claims, self._key, algorithm=self.algorithm_for(taken))


def _public(key: _Private) -> tuple[dict[str, str], tuple[str, ...]]:
    """The members of its thumbprint, and what it can sign with, the usual one first."""
    if isinstance(key, rsa.RSAPrivateKey):
        if not _LEAST_RSA_BITS <= key.key_size <= _MOST_RSA_BITS:
            raise KeyRefused(f"has {key.key_size} bits; use one of {_LEAST_RSA_BITS} to {_MOST_RSA_BITS}")
        numbers = key.public_key().public_numbers()
        members = {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        return members, ("RS256", "PS256", "RS384", "RS512", "PS384", "PS512")
    if isinstance(key, Ed25519PrivateKey):
        x = _base64url(key.public_key().public_bytes_raw())
        return {"kty": "OKP", "crv": "Ed25519", "x": x}, ("EdDSA",)
    if key.curve.name not in _CURVES:
        raise KeyRefused("is on a curve that is not used here; use P-256, P-384 or P-521")
    curve, algorithm, size = _CURVES[key.curve.name]
    point = key.public_key().public_numbers()
    return {"kty": "EC", "crv": curve, "x": _number(point.x, size), "y": _number(point.y, size)}, (algorithm,)


def _number(value: int, size: int = 0) -> str:
    return _base64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
