"""What callers of a bench show: an `arch_` token, an access token of ours, an identity provider's own token.

    signing = Signing(signing_ring, issuer, provider_issuer)
    token = signing.access_token(principal_id, resource)
    token = signing.provider_token(subject, audience, longest=2560)

All are signed with real keys. Tokens of providers come in the lengths that providers make: Keycloak's have some 1.5
KiB, those of Entra, which list a person's groups, 2 KiB and more. Leaves out who the callers are.
"""

import time
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from core.identifiers import new_id
from core.jwt import AccessToken, AccessTokenSigner
from core.key_sets import FORMAT, KeySet, PublicKey
from core.keys import KeyRing

LIVES_S: Final = 6 * 3600
"""Longer than a bench runs, as it asks for no others."""
AUDIENCE: Final = "api://archway"
CLIENT: Final = "bench-client"
WAYS: Final = ("static", "oauth", "jwt", "long_jwt")
LENGTHS: Final = {"jwt": 1536, "long_jwt": 2560}
"""Bytes of a provider's tokens."""
_KID: Final = "bench-key"


class Signing:
    """Both issuers whose tokens a gateway of the bench takes, with their keys."""

    def __init__(self, ring: KeyRing, issuer: str, provider_issuer: str) -> None:
        self.own = AccessTokenSigner(ring, issuer)
        self.provider_issuer = provider_issuer
        self._provider = rsa.generate_private_key(65537, 2048)
        self.provider_jwk: dict[str, str] = {
            **RSAAlgorithm.to_jwk(self._provider.public_key(), as_dict=True),
            "kid": _KID,
            "use": "sig",
            "alg": "RS256",
        }

    def access_token(self, user_id: str, resource: str, *, grant_id: str = "", client_id: str = CLIENT) -> str:
        """An access token of ours, as the token endpoint makes it."""
        now = int(time.time())
        said = AccessToken(
            id=new_id(),
            subject=f"user:{user_id}",
            audience=resource,
            client_id=client_id,
            grant_id=grant_id or new_id(),
            scope="mcp",
            issued_at=now,
            expires=now + LIVES_S,
        )
        return self.own.sign(said)

    def provider_token(self, subject: str, email: str, length: int) -> str:
        """A provider's own token of at least this many bytes, which lists groups until it is so long."""
        now = int(time.time())
        said: dict[str, Any] = {
            "iss": self.provider_issuer,
            "sub": subject,
            "aud": AUDIENCE,
            "azp": CLIENT,
            "email": email,
            "email_verified": True,
            "name": f"Caller {subject}",
            "iat": now,
            "exp": now + LIVES_S,
            "jti": new_id(),
            "groups": [],
        }
        signed = self._signed(said)
        a_group = len(f',"{new_id()}"') * 4 / 3
        said["groups"] = [new_id() for _ in range(max(0, -int(-(length - len(signed)) // a_group)))]
        return self._signed(said)

    def key_sets(self) -> list[KeySet]:
        """The keys of both, as control tells them to proxies."""
        own = [PublicKey("OKP", key["kid"], key["alg"], crv=key["crv"], x=key["x"]) for key in self.own.public_keys]
        return [self._set(self.own.issuer, "own", own), self._set(self.provider_issuer, "provider", [self._public()])]

    def _signed(self, said: dict[str, Any]) -> str:
        return jwt.encode(said, self._provider, algorithm="RS256", headers={"kid": _KID, "typ": "at+jwt"})

    def _public(self) -> PublicKey:
        return PublicKey("RSA", _KID, "RS256", n=self.provider_jwk["n"], e=self.provider_jwk["e"])

    def _set(self, issuer: str, kind: Any, keys: list[PublicKey]) -> KeySet:
        now = time.time()
        algorithms: Any = ["EdDSA"] if kind == "own" else ["RS256"]
        return KeySet(FORMAT, issuer, kind, keys, algorithms, 1, now, now + LIVES_S, audiences=[AUDIENCE])
