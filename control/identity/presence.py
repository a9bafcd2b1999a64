"""Whether the people who signed in are still there at their provider: asked every four hours, with what it gave them.

One owner in each replica, made by `control/replica.py`. A provider that refuses a person's refresh token no longer
knows them, or has ended what they agreed to: they are shut out, wholly, until they sign in there again. A provider
that cannot be asked signs nobody out; its people are asked about again in minutes. Its answer may also say who they
are now, so that teams and roles follow. Whom a provider gave no refresh token cannot be asked about: their sessions
end eight hours after they signed in, as all of single sign-on do.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from control.changes import identities as changes
from control.changes.write import changing
from control.identity.claims import person_of
from control.identity.discovery import NotApproved
from control.identity.id_token import same_person
from control.identity.key_sets import KeySets
from control.identity.said import id_claims, with_userinfo
from control.identity.token_endpoint import Client, ProviderTokens, kept_beside, unpacked
from control.providers.asking import Asker, ProviderAway, ProviderRefused
from control.registry.identity import Identity
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals
from control.store import identities, identity_providers
from control.store.pool import Pool, transaction
from core.jwt import TokenRefused
from core.sealing import SealBroken
from core.tasks import forever

log = logging.getLogger(__name__)

OLDER_S: Final = 4 * 3_600.0
"""Half of the eight hours within which whoever has vanished is out: the other half is for a provider that is away."""
AGAIN_S: Final = 300.0
ROUND_S: Final = 60.0
AT_ONCE: Final = 200
"""Of one round; twelve thousand an hour."""
_GONE: Final = frozenset({"invalid_grant"})
"""What a provider says of a refresh token of somebody who is not there any more (RFC 6749 section 5.2)."""


class Presence:
    """Asks providers about the people who signed in with them."""

    def __init__(
        self,
        pool: Pool,
        asker: Asker,
        key_sets: KeySets,
        seals: RowSeals,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pool, self._asker, self._key_sets, self._seals, self._clock = pool, asker, key_sets, seals, clock

    async def run(self) -> None:
        """Ask about whoever is due, until cancelled."""
        await forever("presence", self._round, ROUND_S)

    async def ask_about_due(self, older_s: float = OLDER_S) -> int:
        """Ask about the people of whom a provider has not spoken for so long; how many were asked about. A provider
        that is away is asked about one of them, so that nobody waits for it who is another's.
        """
        async with transaction(self._pool, readonly=True) as connection:
            due = await identities.due(connection, older_s=older_s, again_s=AGAIN_S, limit=AT_ONCE)
        away: set[str] = set()
        asked = 0
        for identity_id, provider_id in due:
            if provider_id not in away:
                asked += 1
                if not await self._ask_about(identity_id):
                    away.add(provider_id)
        return asked

    async def _round(self) -> None:
        await self.ask_about_due()
        await asyncio.sleep(ROUND_S)

    async def _ask_about(self, identity_id: str) -> bool:
        """Whether the provider could be asked, as far as is known."""
        async with transaction(self._pool, readonly=True) as connection:
            identity = await identities.one(connection, identity_id)
            if identity is None or identity.tokens is None:
                return True
            provider = await identity_providers.one(connection, identity.provider_id)
        if provider is None:
            return True
        async with changing(self._pool, changes.acting_for(provider)) as write:
            claimed = await changes.claim_check(write, identity_id, AGAIN_S)
        if claimed is None or claimed.tokens is None:
            return True
        return await self._ask(provider, claimed, claimed.tokens)

    async def _ask(self, provider: IdentityProvider, identity: Identity, sealed: bytes) -> bool:
        actor = changes.acting_for(provider)
        try:
            before = unpacked(self._seals.open_provider_tokens(identity.id, sealed))
            after, claims = await self._refreshed(provider, identity, before)
        except ProviderRefused as refused:
            if refused.error in _GONE:
                async with changing(self._pool, actor) as write:
                    gone = await changes.shut_out(write, provider, identity)
                told = {"provider": provider.slug, "user_id": identity.user_id, "shut_out": gone}
                log.warning("somebody is no longer known to their identity provider", extra=told)
                return True
            await self._failed(provider, identity, str(refused))
        except (ProviderAway, NotApproved) as why:
            await self._failed(provider, identity, str(why))
            return False
        except TokenRefused as why:
            await self._failed(provider, identity, str(why))
        except SealBroken:
            await self._failed(provider, identity, "what the provider gave cannot be opened any more")
        else:
            resealed = self._seals.provider_tokens(identity.id, after.packed())
            async with changing(self._pool, actor) as write:
                kept = await changes.keep_check(write, identity, resealed)
                if kept and claims is not None:
                    person = person_of(provider, claims, complete=True)
                    _ = await changes.apply_claims(write, provider, identity, person)
        return True

    async def _refreshed(
        self, provider: IdentityProvider, identity: Identity, before: ProviderTokens
    ) -> tuple[ProviderTokens, Mapping[str, Any] | None]:
        """The provider's next tokens, and what it says of the person now; None where it says nothing about that."""
        endpoints = await self._key_sets.endpoints(provider)
        secret = self._seals.open_client_secret(provider.id, provider.client_secret)
        client = Client(self._asker, provider, endpoints, secret)
        given = await client.refresh(before, self._clock())
        after = kept_beside(before, given)
        if not given.id_token:
            return after, None
        claims = await id_claims(self._key_sets, provider, given, self._clock(), nonce=None)
        if not same_person(claims, identity.subject):
            raise TokenRefused("claims", "The provider answered about another person.")
        return after, await with_userinfo(client, provider, after, claims)

    async def _failed(self, provider: IdentityProvider, identity: Identity, why: str) -> None:
        told = {"provider": provider.slug, "user_id": identity.user_id, "why": why}
        log.warning("an identity provider cannot be asked about somebody", extra=told)
        async with changing(self._pool, changes.acting_for(provider)) as write:
            _ = await changes.keep_check(write, identity, None, fault=why)
