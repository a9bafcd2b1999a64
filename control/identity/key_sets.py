"""The key sets of identity providers: fetched, kept in Postgres, signed, and answered to proxies.

One owner in each replica, made by `control/replica.py`. Keys are asked for again before they are old, by whichever
replica comes first; a key that nobody knows makes one question in a minute, however many ask for it. While a provider
is away its keys stay good for a day: an outage signs nobody out, and is told in the log and in the admin API. Empty
and broken answers change nothing. An issuer that is not in the registry is never asked.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from control.changes import identity_providers as changes
from control.changes.identities import acting_for
from control.changes.write import changing
from control.identity.discovery import NotApproved, discover, refuse_unapproved
from control.identity.jwks import keys_in
from control.providers.asking import Asker, ProviderAway
from control.registry.identity_provider import Endpoints, IdentityProvider, ProviderState
from control.store import identity_providers
from control.store.pool import Connection, Pool, StoreConflict, StoreUnavailable, transaction
from core.key_sets import (
    COOL_DOWN_S,
    FORMAT,
    HARD_S,
    SOFT_S,
    KeySet,
    KeySetAnswer,
    KeySetQuestion,
    sign_key_set,
)
from core.signing import Signer
from core.tasks import Tasks, forever

log = logging.getLogger(__name__)

ROUND_S: Final = 20.0
"""Between two looks at whose keys are old."""
DISCOVERY_S: Final = 3_600.0
"""How long a provider's metadata is taken as it was; where its keys cannot be had it is read again at once."""
SIGN_IN_AGAIN_S: Final = 5.0
"""Between two questions for where a provider's endpoints are, however many people want to sign in with it."""
WAIT_S: Final = 0.8
"""The longest that a proxy's question waits for the provider, as it has a deadline; what comes later is announced."""


class KeySets:
    """Holds no keys: they are in Postgres, for all replicas. Knows which providers are being asked just now."""

    def __init__(self, pool: Pool, asker: Asker, signer: Signer, *, clock: Callable[[], float] = time.time) -> None:
        self._pool, self._asker, self._signer, self._clock = pool, asker, signer, clock
        self._tasks = Tasks("key-sets", quiet=(ProviderAway, NotApproved, StoreUnavailable, StoreConflict))
        self._asking: dict[str, asyncio.Task[ProviderState]] = {}
        """By provider; at most one question to each."""

    async def answer(self, question: KeySetQuestion) -> KeySetAnswer:
        """The signed key set of an issuer, for a proxy. Raises StoreUnavailable."""
        key_set = await self.key_set(question.issuer, question.kid)
        return KeySetAnswer() if key_set is None else KeySetAnswer(sign_key_set(key_set, self._signer))

    async def key_set(self, issuer: str, kid: str = "") -> KeySet | None:
        """The keys of an issuer; None for one that is not in the registry or switched off, and where none are known.

        `kid`: a key that somebody's token names; where it is not among them the provider is asked once more.
        """
        async with transaction(self._pool, readonly=True) as connection:
            found = await provider_of(connection, issuer)
        if found is None:
            return None
        provider, state = found
        if not state.keys or (kid and all(key.kid != kid for key in state.keys)):
            state = await self._asked_within(provider, state)
        return key_set_of(provider, state, self._clock())

    async def refresh(self, provider: IdentityProvider) -> ProviderState:
        """Ask the provider now, for an admin who waits: its metadata and its keys.

        Raises ProviderAway, or NotApproved when its endpoints were read and kept, but not used.
        """
        return await asyncio.shield(self._ask(provider, cool_down_s=0.0, metadata=True))

    async def endpoints(self, provider: IdentityProvider) -> Endpoints:
        """Where the provider's endpoints are, each at a host that may be used. Where that is not known yet it is
        asked, once for all who wait and not again at once: whoever opens the sign-in page comes here. Raises
        ProviderAway, NotApproved.
        """
        async with transaction(self._pool, readonly=True) as connection:
            state = await identity_providers.state(connection, provider.id)
        endpoints = state.endpoints
        if _lacks(provider, endpoints):
            asked = await asyncio.shield(self._ask(provider, cool_down_s=SIGN_IN_AGAIN_S))
            endpoints = asked.endpoints
            if _lacks(provider, endpoints):
                raise ProviderAway(asked.fault or "it was asked just now; try again in a moment")
        assert endpoints is not None
        refuse_unapproved(provider, endpoints)
        return endpoints

    async def run(self) -> None:
        """Ask about keys before they are old, until cancelled."""
        await forever("key sets", self._round, ROUND_S)

    async def close(self) -> None:
        """End the questions that are under way."""
        await self._tasks.close()

    async def _round(self) -> None:
        async with transaction(self._pool, readonly=True) as connection:
            providers = await identity_providers.all_enabled(connection)
            states = await identity_providers.states(connection, [one.id for one in providers])
        now = self._clock()
        for provider in providers:
            if age(states[provider.id].fetched_at, now) >= SOFT_S:
                # One after the other: a round has all the time until the next keys are old.
                await asyncio.wait({self._ask(provider, cool_down_s=COOL_DOWN_S)})
        await asyncio.sleep(ROUND_S)

    async def _asked_within(self, provider: IdentityProvider, state: ProviderState) -> ProviderState:
        """What is known after the provider was asked, or did not answer soon enough."""
        if age(state.tried_at, self._clock()) < COOL_DOWN_S and provider.id not in self._asking:
            return state
        work = self._ask(provider, cool_down_s=COOL_DOWN_S)
        done, _ = await asyncio.wait({work}, timeout=WAIT_S)
        return work.result() if done and not work.cancelled() and work.exception() is None else state

    def _ask(
        self, provider: IdentityProvider, *, cool_down_s: float, metadata: bool = False
    ) -> "asyncio.Task[ProviderState]":
        """The question that is under way, or another one."""
        running = self._asking.get(provider.id)
        if running is not None and not metadata:
            return running
        work = self._tasks.spawn(provider.slug, self._fetch(provider, cool_down_s, metadata=metadata))
        self._asking[provider.id] = work
        work.add_done_callback(lambda ended: self._asked(provider.id, ended))
        return work

    def _asked(self, provider_id: str, ended: "asyncio.Task[ProviderState]") -> None:
        if self._asking.get(provider_id) is ended:
            del self._asking[provider_id]

    async def _fetch(self, provider: IdentityProvider, cool_down_s: float, *, metadata: bool) -> ProviderState:
        """Ask the provider, unless another replica just has; what it says is kept, or why it says nothing."""
        actor = acting_for(provider)
        async with changing(self._pool, actor) as write:
            mine = await changes.claim_try(write, provider.id, cool_down_s)
        async with transaction(self._pool, readonly=True) as connection:
            state = await identity_providers.state(connection, provider.id)
        if not mine:
            return state
        try:
            return await self._fetched(provider, state, metadata=metadata)
        except (ProviderAway, NotApproved) as why:
            async with changing(self._pool, actor) as write:
                await changes.keep_fault(write, provider, str(why))
            told = {"provider": provider.slug, "why": str(why), "keys": len(state.keys)}
            log.warning("the keys of an identity provider cannot be had", extra=told)
            raise

    async def _fetched(self, provider: IdentityProvider, state: ProviderState, *, metadata: bool) -> ProviderState:
        endpoints = state.endpoints
        wanted = metadata or _lacks(provider, endpoints) or state.fault
        if wanted or age(state.discovered_at, self._clock()) >= DISCOVERY_S:
            endpoints = await discover(self._asker, provider.issuer, signs_in=provider.sign_in)
            async with changing(self._pool, acting_for(provider)) as write:
                _ = await changes.keep_endpoints(write, provider, endpoints)
        assert endpoints is not None  # what lacks was asked for
        refuse_unapproved(provider, endpoints)
        found = keys_in(await self._asker.get(endpoints.jwks_uri), provider.algorithms)
        if set(found.skipped) - set(state.skipped):
            told = {"provider": provider.slug, "skipped": list(found.skipped[:10])}
            log.warning("keys of an identity provider are not used", extra=told)
        async with changing(self._pool, acting_for(provider)) as write:
            kept = await changes.keep_keys(write, provider, found.keys, found.skipped)
        if kept is None:
            raise ProviderAway("it was changed meanwhile; try again")
        return kept


async def provider_of(connection: Connection, issuer: str) -> tuple[IdentityProvider, ProviderState] | None:
    """The provider of this issuer that is in use, and what was last seen of it."""
    provider = await identity_providers.by_issuer(connection, issuer)
    return None if provider is None else (provider, await identity_providers.state(connection, provider.id))


def key_set_of(provider: IdentityProvider, state: ProviderState, now: float) -> KeySet | None:
    """The provider's keys as they are signed; None where none were ever had, or the last are too old."""
    if not state.keys or state.fetched_at is None or age(state.fetched_at, now) >= HARD_S:
        return None
    fetched_at = state.fetched_at.timestamp()
    return KeySet(
        format=FORMAT,
        issuer=provider.issuer,
        kind="provider",
        keys=list(state.keys),
        algorithms=list(provider.algorithms),
        revision=state.revision,
        fetched_at=fetched_at,
        good_until=fetched_at + HARD_S,
        provider_id=provider.id,
        audiences=list(provider.audiences),
    )


def _lacks(provider: IdentityProvider, endpoints: Endpoints | None) -> bool:
    """Whether it is not known where the provider is to be asked: where people sign in, if they do."""
    return endpoints is None or (provider.sign_in and not endpoints.authorization_endpoint)


def age(moment: datetime | None, now: float) -> float:
    """Seconds since then; for ever where it never was."""
    return float("inf") if moment is None else now - moment.timestamp()
