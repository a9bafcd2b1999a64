"""What an admin is told of a server that gets a token of each caller: where the identity provider that gives it keeps
callers out. Called where an entry is shown. Pure.
"""

from collections.abc import Mapping

from control.registry.credential import IdentityAssertion, TokenExchange
from control.registry.entry import Entry
from control.registry.identity_provider import IdentityProvider


def provider_named(entry: Entry) -> str | None:
    """The identity provider that exchanges tokens for this entry; None for one that needs none."""
    credential = entry.credential
    return credential.identity_provider_id if isinstance(credential, TokenExchange | IdentityAssertion) else None


def exchange_warnings(entry: Entry, providers: Mapping[str, IdentityProvider]) -> list[str]:
    """Sentences; `providers`: by identifier, at least the one that the entry names."""
    provider = providers.get(provider_named(entry) or "")
    if provider is None:
        return []
    if not provider.enabled:
        return [f"The identity provider {provider.name} is switched off, so no caller gets a token for this server."]
    if not provider.exchange.enabled:
        return [f"The exchange of {provider.name} is switched off, so no caller gets a token for this server."]
    if not provider.sign_in:
        return [
            f"Nobody signs in to Archway with {provider.name}, so only callers who come with a token of "
            f"{provider.name} can call this server: at a gateway that takes those."
        ]
    return []
