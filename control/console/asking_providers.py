"""An identity provider is asked at once, for an admin who waits for what it says."""

from contextlib import suppress

from control.console.visit import Visit
from control.identity.discovery import NotApproved
from control.providers.asking import ProviderAway
from control.registry.identity_provider import IdentityProvider


async def asked_now(visit: Visit, provider: IdentityProvider) -> None:
    """Ask for its metadata and keys. What it answers, or why it did not, is kept and stands on its page."""
    if provider.enabled:
        with suppress(ProviderAway, NotApproved):  # told of on the page
            _ = await visit.deps.key_sets.refresh(provider)
