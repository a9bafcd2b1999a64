"""Issuers of signed tokens, in memory: our own authorization server, and identity providers.

    ours = FakeIssuer("http://gw.example:8080", kind="own")
    control.knows(ours)
    jwt = ours.token(aud="http://gw.example:8080/v1/mcp/g")

A token is good unless a test says otherwise; a claim that is given as None is left out.
"""

import time
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from core.identifiers import new_id
from core.jwk import Algorithm
from core.key_sets import FORMAT, KeySet, PublicKey

Private = Ed25519PrivateKey | EllipticCurvePrivateKey
LIFE_S = 600


class FakeIssuer:
    """One issuer with its keys, by their names."""

    def __init__(self, name: str, *, kind: Literal["own", "provider"] = "provider", provider_id: str = "") -> None:
        self.name, self.kind, self.provider_id = name, kind, provider_id
        self.keys: dict[str, Private] = {}
        self.revision = 0
        self.good_s = 3600.0
        self.rotate()

    @property
    def algorithm(self) -> Algorithm:
        return "EdDSA" if self.kind == "own" else "ES256"

    def rotate(self, kid: str = "", *, keep: bool = True) -> str:
        """Sign with a new key from now on; the name of the key."""
        kid = kid or new_id()
        if not keep:
            self.keys.clear()
        self.keys[kid] = Ed25519PrivateKey.generate() if self.kind == "own" else generate_private_key(SECP256R1())
        self.revision += 1
        return kid

    def key_set(self) -> KeySet:
        """As control tells it."""
        now = time.time()
        return KeySet(
            FORMAT,
            self.name,
            self.kind,
            [_public(kid, key) for kid, key in self.keys.items()],
            [self.algorithm],
            self.revision,
            now,
            now + self.good_s,
            provider_id=self.provider_id,
        )

    def token(self, *, kid: str = "", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token of this issuer, signed with its newest key unless `kid` names another."""
        kid = kid or list(self.keys)[-1]
        now = int(time.time())
        usual: dict[str, Any] = {"iss": self.name, "sub": "user:1", "iat": now, "exp": now + LIFE_S, "jti": new_id()}
        if self.kind == "own":
            usual |= {"client_id": "a-client", "gid": new_id(), "scope": "mcp"}
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        named = {"kid": kid, "typ": "at+jwt" if self.kind == "own" else "JWT"} | (header or {})
        return jwt.encode(said, self.keys[kid], algorithm=self.algorithm, headers=named)


def _public(kid: str, key: Private) -> PublicKey:
    made = OKPAlgorithm.to_jwk if isinstance(key, Ed25519PrivateKey) else ECAlgorithm.to_jwk
    members = made(key.public_key(), as_dict=True)  # type: ignore[operator]  # one of two with the same form
    return PublicKey(members["kty"], kid=kid, crv=members["crv"], x=members["x"], y=members.get("y", ""))
