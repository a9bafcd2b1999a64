"""What an identity provider gave at a person's own sign-in, given to whoever exchanges it: tokens that live.

Asked by `control/exchanges` for callers who came with a proof of Archway's (an access token of ours, a personal
token), which no provider takes. What can be given is decided in `kept_state.py`, and refreshed in `refreshes.py`.
Tokens are shown to nobody, and are in no answer, record or log line.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from control.identity.kept_state import Asked, Due, NotKept, Wanted, away, judged, unreadable, why_none
from control.identity.refreshes import Refreshes
from control.identity.token_endpoint import ProviderTokens, unpacked
from control.registry.identity import Identity
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals
from control.store import identity_providers, kept_tokens
from control.store.pool import Pool, transaction
from core.sealing import SealBroken

log = logging.getLogger(__name__)

WAIT_S: Final = 2.2
"""Of a caller who does not say for how long they wait; a proxy waits three seconds for control."""
SIGN_IN: Final = "/sign-in/oidc/{provider}"
_NO_PROVIDER: Final = NotKept(
    "not_kept", "The identity provider that this needs is not here any more. Ask an administrator of Archway."
)

__all__ = ["KeptTokens", "NotKept", "Wanted"]


@dataclass(frozen=True, slots=True)
class _ToRefresh:
    """What is kept of a person, to be refreshed before it is given."""

    provider: IdentityProvider
    identity: Identity
    meanwhile: ProviderTokens | None


class KeptTokens:
    """Gives the tokens of people's own sign-ins; it needs the database, what opens what is kept, and who refreshes
    it. `pages_url`: where people's pages are.
    """

    def __init__(
        self,
        pool: Pool,
        seals: RowSeals,
        refreshes: Refreshes,
        pages_url: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pool, self._seals, self._refreshes, self._clock = pool, seals, refreshes, clock
        self._pages_url = pages_url

    async def living(
        self,
        user_id: str,
        provider_id: str,
        *,
        newer_than: float = 0.0,
        within: float = 0.0,
        wants: Wanted = "access_token",
    ) -> ProviderTokens | NotKept:
        """The provider's tokens of this person's own sign-in, of which the one that is wanted lives for a minute more
        where the provider gives such; or why there are none. `newer_than`: Unix seconds; those that were obtained
        then or before are refused somewhere. Waits `within` so many seconds; 0: the usual time. Raises
        StoreUnavailable.
        """
        ends = time.monotonic() + (within or WAIT_S)
        found = await self._found(user_id, provider_id, wants, newer_than)
        if not isinstance(found, _ToRefresh):
            return found
        fault = await self._refreshed(found, ends)
        if fault:
            return found.meanwhile or away(found.provider, fault)
        after = await self._found(user_id, provider_id, wants, newer_than, refreshed=True)
        return away(found.provider, "it is asked just now") if isinstance(after, _ToRefresh) else after

    async def _refreshed(self, due: _ToRefresh, ends: float) -> str:
        """Wait for the next tokens until then; why there are none, '' where what is kept says it."""
        if self._refreshes.is_full:
            return "too many others are waiting for theirs"
        run = self._refreshes.run(due.identity.id, due.identity.tokens_version, due.provider.id)
        await asyncio.wait((run,), timeout=max(ends - time.monotonic(), 0.0))
        return run.result().fault if run.done() else "it has been asked and has not answered yet"

    async def _found(
        self, user_id: str, provider_id: str, wants: Wanted, newer_than: float, *, refreshed: bool = False
    ) -> ProviderTokens | NotKept | _ToRefresh:
        """What is in the row now, and what can be given of it."""
        async with transaction(self._pool, readonly=True) as connection:
            provider = await identity_providers.one(connection, provider_id)
            kept = await kept_tokens.of_person(connection, user_id, provider_id)
        if provider is None:
            return _NO_PROVIDER
        sign_in = self._pages_url + SIGN_IN.format(provider=provider.slug)
        if (none := why_none(provider, kept, sign_in)) is not None:
            return none
        assert kept is not None
        assert kept.identity.tokens is not None
        try:
            tokens = unpacked(self._seals.open_provider_tokens(kept.identity.id, kept.identity.tokens))
        except SealBroken:
            told = {"provider": provider.slug, "user_id": user_id}
            log.exception("what an identity provider gave cannot be opened any more", extra=told)
            return unreadable(provider, sign_in)
        found = judged(provider, tokens, Asked(wants, newer_than, self._clock(), sign_in), refreshed=refreshed)
        return _ToRefresh(provider, kept.identity, found.meanwhile) if isinstance(found, Due) else found
