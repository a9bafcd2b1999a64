"""Why no token could be exchanged for a caller, as far as that is known without asking a provider.

Called by `dry_usable.py`. What `control/exchanges/` finds in the database before it asks, in its words: a provider
that is not there or exchanges nothing, a caller of another provider, somebody who has not signed in.
"""

from control.credentials.calling import Calling
from control.credentials.whose import cell_of
from control.exchanges import sentences
from control.identity.kept_state import why_none
from control.identity.kept_tokens import SIGN_IN
from control.registry.credential import IdentityAssertion, TokenExchange
from control.registry.entry import Entry
from control.store import gateways, identity_providers, kept_tokens
from control.store.pool import Pool, transaction
from core.resolve import InstallationRefusal


class WouldExchange:
    """Says what stands against an exchange; `pages_url`: where people sign in."""

    def __init__(self, pool: Pool, pages_url: str) -> None:
        self._pool, self._pages_url = pool, pages_url

    async def why_not(self, calling: Calling, entry: Entry) -> InstallationRefusal | None:
        """Why there would be no token; None where a provider would be asked. Raises StoreUnavailable."""
        credential = entry.credential
        assert isinstance(credential, TokenExchange | IdentityAssertion)
        own_token = cell_of(credential, calling.kind).uses == "own_token"
        async with transaction(self._pool, readonly=True) as connection:
            provider = await identity_providers.one(connection, credential.identity_provider_id)
            gateway = await gateways.one(connection, calling.gateway_id)
            came_by = gateway.identity_provider_id if gateway is not None and own_token else None
            theirs = await identity_providers.one(connection, came_by) if came_by is not None else None
            kept = None
            if provider is not None and not own_token:
                kept = await kept_tokens.of_person(connection, calling.principal.id, provider.id)
        if provider is None or not provider.exchanges_tokens:
            return sentences.no_provider(entry)
        if own_token:
            other = theirs is None or theirs.id != provider.id
            return sentences.another_issuer(entry, provider, theirs.issuer if theirs else "") if other else None
        none = why_none(provider, kept, self._pages_url + SIGN_IN.format(provider=provider.slug))
        if none is None:
            return None
        return InstallationRefusal("needs_sign_in", none.sentence)
