"""Who asks a provider about a person with what it gave them: one at a time, over all replicas, by a lease in the row.

Called by `refreshes.py`. A provider that gives another refresh token each time, and takes a used one for a stolen
one, signs the person out whose token two have used. In one transaction the row is locked and judged, and either
leased, or it is said why not: somebody asks just now, somebody has asked, the provider rests, or there is nothing to
ask with.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from control.changes import identities as identity_changes
from control.changes import kept_tokens as changes
from control.changes.write import Write, changing
from control.identity.token_endpoint import ProviderTokens, unpacked
from control.registry.access import Caller
from control.registry.identity import Identity, ProvidedPerson
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals
from control.store import identity_providers, kept_tokens
from control.store.lease_waits import LEASE_S, left_of
from control.store.pool import Pool
from core.identifiers import new_id
from core.sealing import SealBroken

log = logging.getLogger(__name__)

REST_S: Final = 10.0
"""How long a provider that could not be asked about somebody is not asked about them again, whoever wants it."""
AT_ONCE: Final = 6
"""Transactions of all refreshes of a replica together: others need its connections too."""
_REFRESHES: Final = Caller(user_id="", name="an identity provider", role="admin")
"""Who acts before it is known which provider it is: nothing of that is in the audit trail."""


@dataclass(frozen=True, slots=True)
class Leased:
    """An identity about which we alone may ask its provider."""

    provider: IdentityProvider
    identity: Identity
    owner: str
    ends: float
    """By the monotonic clock of this process, and earlier than in the row."""
    tokens: ProviderTokens = field(repr=False)

    @property
    def left(self) -> float:
        """Seconds in which the provider may still be asked."""
        return left_of(self.ends)


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else asks just now."""


@dataclass(frozen=True, slots=True)
class Settled:
    """There is nothing to ask: somebody has, or nothing is kept to ask with. What is in the row now says the rest."""


@dataclass(frozen=True, slots=True)
class Resting:
    """The provider could not be asked a moment ago."""

    fault: str


Taken = Leased | Held | Settled | Resting


class KeptLeases:
    """Gives identities to whoever asks about them; it needs the database, and what opens what is kept."""

    def __init__(self, pool: Pool, seals: RowSeals) -> None:
        self._pool, self._seals = pool, seals
        self._places = asyncio.Semaphore(AT_ONCE)

    async def take(self, identity_id: str, known: int) -> Taken:
        """The identity to ask about, if what is kept is of this version or older. Raises StoreUnavailable."""
        ends = time.monotonic() + LEASE_S
        async with self._writing(_REFRESHES) as write:
            kept = await kept_tokens.locked(write.connection, identity_id, REST_S)
            if kept is None or kept.is_disabled or kept.identity.gone_at is not None:
                return Settled()
            identity = kept.identity
            if identity.tokens is None or identity.tokens_version > known:
                return Settled()
            if kept.is_held:
                return Held()
            if kept.is_resting:
                return Resting(identity.fault)
            provider = await identity_providers.one(write.connection, identity.provider_id)
            if provider is None or not provider.enabled:
                return Settled()
            return await self._leased(write, provider, identity, identity.tokens, ends)

    async def keep(self, leased: Leased, tokens: ProviderTokens | None) -> bool:
        """Store what the provider gave, None: nothing that can be used. False where the person has signed in
        meanwhile, or nothing may be kept of them any more. Raises StoreUnavailable.
        """
        sealed = None if tokens is None else self._seals.provider_tokens(leased.identity.id, tokens.packed())
        ends = None if tokens is None else tokens.ends_for_good
        async with self._writing(identity_changes.acting_for(leased.provider)) as write:
            return await changes.keep(write, leased.identity, sealed, ends)

    async def fail(self, leased: Leased, fault: str) -> None:
        """End the lease without tokens. Raises StoreUnavailable."""
        async with self._writing(identity_changes.acting_for(leased.provider)) as write:
            await changes.fail(write, leased.identity, leased.owner, fault)

    async def shut_out(self, leased: Leased) -> bool:
        """The provider knows the person no more; False where they have signed in meanwhile."""
        async with self._writing(identity_changes.acting_for(leased.provider)) as write:
            return await identity_changes.shut_out(write, leased.provider, leased.identity)

    async def note(self, leased: Leased, person: ProvidedPerson | None, fault: str = "") -> None:
        """What the provider says of the person now: teams and roles follow. `fault`: why it says nothing."""
        async with self._writing(identity_changes.acting_for(leased.provider)) as write:
            await changes.note_answer(write, leased.identity, fault)
            if person is not None:
                _ = await identity_changes.apply_claims(write, leased.provider, leased.identity, person)

    @asynccontextmanager
    async def _writing(self, actor: Caller) -> AsyncIterator[Write]:
        async with self._places, changing(self._pool, actor) as write:
            yield write

    async def _leased(
        self, write: Write, provider: IdentityProvider, identity: Identity, sealed: bytes, ends: float
    ) -> Taken:
        try:
            tokens = unpacked(self._seals.open_provider_tokens(identity.id, sealed))
        except SealBroken:
            told = {"provider": provider.slug, "user_id": identity.user_id}
            log.exception("what an identity provider gave cannot be opened any more", extra=told)
            _ = await changes.keep(write, identity, None, None)
            return Settled()
        if not tokens.refresh_token:
            return Settled()
        owner = new_id()
        if not await changes.lease(write, identity, owner, LEASE_S):
            return Held()
        return Leased(provider, identity, owner, ends, tokens)
