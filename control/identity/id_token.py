"""The checks of an `id_token` (OpenID Connect Core 3.1.3.7): that it is the provider's word on this very sign-in.

Called at a sign-in with the nonce that began it, and with none when tokens are refreshed. The signature, issuer,
audience and times are checked by `core/jwt.py`; here what an `id_token` has beside. Pure.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256, sha384, sha512
from typing import Any, Final

from control.identity.token_endpoint import ProviderTokens
from core.jwt import TokenRefused, VerifiedClaims, verify
from core.key_sets import KeySet

_HASHES: Final = {"256": sha256, "384": sha384, "512": sha512}


def checked_id_token(
    tokens: ProviderTokens, key_set: KeySet, client_id: str, now: float, *, nonce: str | None
) -> VerifiedClaims:
    """The claims of the `id_token`; raises TokenRefused. `nonce` None: a refreshed one, which need not have it."""
    claims = verify(tokens.id_token, key_set, client_id, now)
    said = claims.get("nonce")
    if nonce is not None and not (
        isinstance(said, str) and hmac.compare_digest(said.encode(errors="surrogatepass"), nonce.encode())
    ):
        raise TokenRefused("claims", "The id_token was made for another sign-in.")
    if claims.get("azp", client_id) != client_id:
        raise TokenRefused("audience", "The id_token was made for another client.")
    _check_hash(tokens, claims)
    return claims


def same_person(claims: Mapping[str, Any], subject: str) -> bool:
    """Whether claims are about this subject (userinfo: 5.3.2; refreshed: 12.2)."""
    return claims.get("sub") == subject


def _check_hash(tokens: ProviderTokens, claims: Mapping[str, Any]) -> None:
    """`at_hash` binds the access token to the `id_token`, where the provider says it."""
    said = claims.get("at_hash")
    if said is None:
        return
    made = [
        urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
        for digest in (hashed(tokens.access_token.encode()).digest() for hashed in _HASHES.values())
    ]
    if not isinstance(said, str) or said not in made:
        raise TokenRefused("claims", "The id_token belongs to another access token.")
