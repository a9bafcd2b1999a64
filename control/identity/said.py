"""What a provider says of somebody at a sign-in, or when it is asked again: the `id_token`, and userinfo beside it.

Called by `presence.py` and `single_sign_on.py`. Everything that comes out was checked. Leaves out what counts of it:
`claims.py`.
"""

from collections.abc import Mapping
from typing import Any

from control.identity.id_token import checked_id_token, same_person
from control.identity.key_sets import KeySets
from control.identity.token_endpoint import Client, ProviderTokens
from control.identity.unchecked import key_named
from control.providers.asking import ProviderAway
from control.providers.claim import claim
from control.registry.identity_provider import IdentityProvider
from core.jwt import TokenRefused


async def id_claims(
    key_sets: KeySets, provider: IdentityProvider, tokens: ProviderTokens, now: float, *, nonce: str | None
) -> Mapping[str, Any]:
    """The checked claims of an `id_token`, with keys that are asked for once more where its own is not among them.

    Raises TokenRefused, ProviderAway.
    """
    key_set = await key_sets.key_set(provider.issuer)
    if key_set is None:
        raise ProviderAway("its keys could not be had yet")
    try:
        return checked_id_token(tokens, key_set, provider.client_id, now, nonce=nonce)
    except TokenRefused as refused:
        if refused.why != "unknown_key":
            raise
    newer = await key_sets.key_set(provider.issuer, key_named(tokens.id_token))
    return checked_id_token(tokens, newer or key_set, provider.client_id, now, nonce=nonce)


async def with_userinfo(
    client: Client, provider: IdentityProvider, tokens: ProviderTokens, claims: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The claims, with what only userinfo tells: many providers keep address and groups for it. The `id_token`, which
    is signed, is over it. Raises ProviderAway, TokenRefused.
    """
    wanted = [provider.email_claim, provider.teams_claim, provider.roles_claim]
    if not client.has_userinfo or all(not name or claim(claims, name) is not None for name in wanted):
        return claims
    told = await client.userinfo(tokens.access_token)
    if not same_person(told, str(claims["sub"])):
        raise TokenRefused("claims", "The provider told about another person than the one who signed in.")
    return {**told, **claims}
