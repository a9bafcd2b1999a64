"""What a proxy's word for a refusal means to whoever could not sign in: why, and what helps. Pure.

Called by `control/internal/told_steps.py`. A caller is told less than stands here: whether a gateway exists, say, is
for those who run the place.
"""

from types import MappingProxyType
from typing import Final

from control.registry.gateway import Gateway
from control.registry.identity_provider import IdentityProvider
from control.registry.provider_refusals import provider_refusal_told
from control.registry.sign_in_cures import visible_to_them

_AGAIN: Final = "Have the person sign in again with the client."
_FOREIGN: Final = (
    "Its token is not what the gateway takes: it was changed on the way, or another server made it.",
    f"{_AGAIN} If it goes on, remove the gateway from the client and add it again by its URL.",
)
_TOKENS: Final = MappingProxyType(
    {
        "malformed": (
            "What it sent is no token: neither one that begins with arch_, nor a signed one.",
            "Look at the client's setting: the header is `Authorization: Bearer`, a space, and the whole token.",
        ),
        "refused": (
            "Its token is not accepted any more: it was revoked, has ended, or what was allowed was taken back.",
            f"{_AGAIN} Of a token that was pasted: make another, on the page Tokens or with archway tokens create.",
        ),
        "audience": (
            "Its token was made for another gateway.",
            "Have the client sign in to this gateway too, by the URL that its Connect page shows.",
        ),
        "expired": (
            "Its token has ended, and the client did not get another in time.",
            f"{_AGAIN} Of a token that was new: compare the clocks of the proxy and of whoever made it.",
        ),
        "early": (
            "Its token is not valid yet.",
            "Compare the clocks of the proxy and of whoever made the token.",
        ),
    }
)
"""By what was wrong with a token."""
_OTHERS: Final = MappingProxyType(
    {
        "way_not_accepted": (
            "The gateway does not take tokens of this kind.",
            "Choose another way for this client on the gateway's Connect page; it shows those that are taken.",
        ),
        "scope_missing": (
            "What the person allowed the client does not include calls of gateways.",
            "Have the client ask for the scope mcp, and the person allow it.",
        ),
        "token_for_api": (
            "Its token is for the admin API, and calls no gateway.",
            "Make one for gateways: on the page Tokens, or with archway tokens create.",
        ),
        "too_many_unknown": (
            "Too many callers came whom nobody knows, so this one was not asked about.",
            "It passes by itself. If it goes on, somebody tries tokens: the log of the proxy says from where.",
        ),
        "cannot_authenticate": (
            "Its token could not be checked: the keys of whoever made it, or control, could not be asked.",
            "Look with archway status; of an identity provider, with archway identity-providers test NAME.",
        ),
        "no_sign_in": (
            "Nobody can sign in to this gateway: it takes only tokens that begin with arch_.",
            "Give the client a token: archway tokens create",
        ),
    }
)


def refusal_told(
    word: str,
    why: str,
    gateway: Gateway | None,
    public_url: str,
    provider: IdentityProvider | None = None,
    said: str = "",
) -> tuple[str, str]:
    """Why a step failed, and what helps: of a proxy's word, and of what was wrong with a token. `provider`: whose
    tokens the gateway takes; `said`: what was asked for, or what a token that holds says of its bearer.
    """
    if word == "host_unknown":
        return (
            "It asked at a host name that this deployment does not answer to.",
            f"Give clients the address {public_url}. If that is not the one that they should use, set "
            "ARCHWAY_PUBLIC_URL; further names are in ARCHWAY_ALLOWED_HOSTS.",
        )
    if word == "origin_foreign":
        return (
            "It is a web page of another origin, and such may not call gateways.",
            "If you trust the page, add its origin to ARCHWAY_ALLOWED_ORIGINS.",
        )
    if gateway is None:
        return (
            "There is no gateway of this name.",
            f"Give the client the URL as the gateway's Connect page shows it: {public_url}/v1/mcp/NAME. "
            "`archway gateways list` has the names.",
        )
    if word == "gateway_unknown":
        return f"The caller may not see the gateway {gateway.slug}.", visible_to_them(gateway.slug)
    told = provider_refusal_told(why, said, gateway, provider) if word == "not_authenticated" else None
    if told is not None:
        return told
    if word == "not_authenticated" and why == "issuer":
        return (
            f"Its token is of an issuer whose tokens the gateway {gateway.slug} does not take.",
            f"If it is of your identity provider: archway gateways update {gateway.slug} --identity-provider NAME "
            f"--audience AUDIENCE. Else: {_AGAIN}",
        )
    if word == "not_authenticated":
        return _TOKENS.get(why, _FOREIGN)
    return _OTHERS.get(word, ("It was refused.", f"Look for {word!r} in docs/operating/errors.md."))
