"""What a gateway is called where somebody signs in: the canonical URL that tokens for it name (RFC 8707).

A request may name the gateway by its identifier, its slug or an old slug; all of them are this one resource, which
control computes in the same way when it makes a token. Used where signed tokens are checked, and where the path of a
gateway is looked at.
"""

from typing import Final

from core.snapshot import Gateway

GATEWAY_PATH: Final = "/v1/mcp/"
"""Of every gateway, before its name; `control/registry/resources.py` has the same."""


def canonical_resource(base_url: str, gateway: Gateway) -> str:
    """The URL that tokens for this gateway must be made for; `base_url`: the public URL, without a slash behind."""
    return f"{base_url}{GATEWAY_PATH}{gateway.slug}"


def audience_of(issuer: str, gateway: Gateway, *, own_issuer: str, base_url: str) -> str:
    """What a token of this issuer must be made for, to be one for this gateway; empty: it takes none of theirs.

    Of our own authorization server that is the gateway's URL alone. What a provider's tokens are for, its settings
    say, and the gateway's snapshot names it.
    """
    if issuer == own_issuer:
        return canonical_resource(base_url, gateway)
    provider = gateway.identity_provider
    return provider.audience if provider is not None and provider.issuer == issuer else ""
