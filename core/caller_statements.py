"""What servers are told of callers, signed: statements (JWT, RFC 7519) that control makes and a server checks.

Signed with a key of their own, derived from `ARCHWAY_SIGNING_KEY` and published apart from that of access tokens
(`control/oauth/jwks.py`), with a type of their own, for an audience that no gateway has: a statement is no access
token anywhere, and an access token no statement. Pure: the time is an argument. Control only.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from zlib import crc32

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import encode as signed_jwt

from core.jwk import ed25519_jwk
from core.keys import KeyRing

TYPE: Final = "archway-caller+jwt"
LIFE_S: Final = 60
SAME_FOR_S: Final = 25
"""For so long the same is said in the same words: somewhat less than half of its life, so that whoever asks at half
of the time for which it is used is given another. It has more than half of its life left whenever it is given."""
_KEPT: Final = 20_000
"""Statements that are remembered; each takes one to two kilobytes."""
_Claims = tuple[tuple[str, str | tuple[str, ...]], ...]


class StatementSigner:
    """Signs statements under one issuer's name with the ring's current key; the previous one's are checked still."""

    def __init__(self, ring: KeyRing, issuer: str) -> None:
        keys = [Ed25519PrivateKey.from_private_bytes(key.derive("caller statements")) for key in ring.keys]
        self._key, self._issuer = keys[0], issuer
        self.public_keys: tuple[dict[str, str], ...] = tuple(ed25519_jwk(key.public_key()) for key in keys)
        """As JWKs, the current key first."""
        # Every statement stands under all that it says: it cannot be given where something else is to be said.
        self._signed = lru_cache(_KEPT)(self._sign)

    def statement(self, claims: Mapping[str, str | tuple[str, ...]], now: float) -> tuple[str, int]:
        """The statement that says this, and the Unix second at which it ends. The claims name `sub` and `aud`."""
        said = tuple(sorted(claims.items()))
        # Not all of them change in the same second: then everybody would be asked about at once.
        shift = crc32(repr(said).encode()) % SAME_FOR_S
        issued_at = int(now) - (int(now) + shift) % SAME_FOR_S
        return self._signed(said, issued_at), issued_at + LIFE_S

    def _sign(self, said: _Claims, issued_at: int) -> str:
        claims: dict[str, Any] = {**dict(said), "iss": self._issuer, "iat": issued_at, "exp": issued_at + LIFE_S}
        headers = {"typ": TYPE, "kid": self.public_keys[0]["kid"]}
        return signed_jwt(claims, self._key, algorithm="EdDSA", headers=headers)
