"""The next tokens of a person's own sign-in, and whether their provider still knows them: asked once, however many
want to know.

Called by `presence.py` in rounds and by `kept_tokens.py` for calls. There is one run for an identity in this process,
and one lease over all processes (`kept_lease.py`). What came is stored before anything else is looked at: it is
nowhere else. A provider that refuses the refresh token no longer knows the person, or has ended what they agreed to:
they are shut out, wholly, until they sign in there again. One that cannot be asked shuts nobody out.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import random
from typing import Any, Final

from msgspec.structs import replace

from control.identity.claims import person_of
from control.identity.discovery import NotApproved
from control.identity.id_token import same_person
from control.identity.kept_lease import Held, KeptLeases, Leased, Resting, Settled
from control.identity.key_sets import KeySets
from control.identity.said import id_claims, with_userinfo
from control.identity.token_endpoint import Client, ProviderTokens, kept_beside
from control.providers.asking import Asker, ProviderAway, ProviderRefused
from control.registry.identity import ProvidedPerson
from control.registry.row_seals import RowSeals
from control.store.lease_waits import once_free, stored_at_last
from control.store.pool import Pool, StoreConflict, StoreUnavailable
from core.jwt import TokenRefused
from core.rooms import Rooms
from core.sealing import SealBroken
from core.single_flight import SingleFlight
from core.tasks import Tasks

log = logging.getLogger(__name__)

CLOSE_S: Final = 8.0
"""How long what is under way may take when the process ends."""
AT_ONE_PROVIDER: Final = 100
"""Refreshes at the same time, so that others have room."""
MOST_RUNS: Final = 2_000
_GONE: Final = frozenset({"invalid_grant"})
"""What a provider says of a refresh token of somebody who is not there any more (RFC 6749 section 5.2)."""
_BROKEN_SECRET: Final = "the secret of Archway's client there cannot be opened any more"  # noqa: S105  # a sentence


@dataclass(frozen=True, slots=True)
class Came:
    """What a refresh came to; where there is no fault, the identity's row says how it stands now."""

    fault: str = ""
    """Why the provider gave nothing, in a clause."""
    is_away: bool = False
    """Whether it could not be asked at all, so that it need not be asked about others now."""


@dataclass(frozen=True, slots=True)
class _Believed:
    """What is kept of a provider's answer: None where nothing of it can be used."""

    tokens: ProviderTokens | None
    claims: Mapping[str, Any] | None = None
    """What it says of the person; None where it says nothing of that."""
    fault: str = ""


class Refreshes:
    """Asks providers about the people who signed in with them; it needs the database, and what opens what is kept."""

    def __init__(
        self,
        pool: Pool,
        asker: Asker,
        key_sets: KeySets,
        seals: RowSeals,
        *,
        clock: Callable[[], float] = time.time,
        luck: Callable[[], float] = random,
    ) -> None:
        self._asker, self._key_sets, self._seals, self._clock, self._luck = asker, key_sets, seals, clock, luck
        self._leases = KeptLeases(pool, seals)
        self._tasks = Tasks("sign-in-refreshes", quiet=(StoreUnavailable, StoreConflict))
        self._running = SingleFlight[Came]("refresh", self._tasks)
        self._rooms = Rooms(AT_ONE_PROVIDER)

    @property
    def is_full(self) -> bool:
        """Whether so many are under way that no other begins."""
        return len(self._running) >= MOST_RUNS

    def run(self, identity_id: str, known: int, provider_id: str) -> "asyncio.Task[Came]":
        """The run for this identity: the one under way, or a new one that wants what is kept of a version above
        `known`. It is not for its waiters to cancel.
        """
        return self._running.run(identity_id, lambda: self._run(identity_id, known, provider_id))

    async def close(self, grace: float = CLOSE_S) -> None:
        """Let what is under way come to its end: a provider may have given tokens that are nowhere yet."""
        await self._running.come_to_an_end(grace)
        await self._tasks.close()

    async def _run(self, identity_id: str, known: int, provider_id: str) -> Came:
        async with self._rooms.place(provider_id):
            taken = await once_free(lambda: self._leases.take(identity_id, known), Held, self._luck)
            match taken:
                case Leased():
                    return await self._asked(taken)
                case Resting():
                    return Came(taken.fault)
                case Settled():
                    return Came()
                case Held():
                    return Came("it has been asked and has not answered yet")

    async def _asked(self, leased: Leased) -> Came:
        try:
            async with asyncio.timeout(leased.left):
                client = await self._client(leased)
                given = await client.refresh(leased.tokens, self._clock())
        except ProviderRefused as refused:
            if refused.error in _GONE:
                told = _told(leased, shut_out=await self._leases.shut_out(leased))
                log.warning("somebody is no longer known to their identity provider", extra=told)
                return Came()
            return await self._failed(leased, str(refused))
        except (ProviderAway, NotApproved) as why:
            return await self._failed(leased, str(why), is_away=True)
        except TimeoutError:
            return await self._failed(leased, "it was too slow", is_away=True)
        except SealBroken:
            log.exception("the secret of a client at an identity provider cannot be opened", extra=_told(leased))
            return await self._failed(leased, _BROKEN_SECRET)
        return await self._given(leased, client, given)

    async def _client(self, leased: Leased) -> Client:
        """Raises ProviderAway, NotApproved, SealBroken."""
        provider = leased.provider
        endpoints = await self._key_sets.endpoints(provider)
        secret = self._seals.open_client_secret(provider.id, provider.client_secret)
        return Client(self._asker, provider, endpoints, secret)

    async def _given(self, leased: Leased, client: Client, given: ProviderTokens) -> Came:
        believed = await self._believed(leased, given)
        try:
            kept = await stored_at_last(lambda: self._leases.keep(leased, believed.tokens))
        except StoreUnavailable:
            log.exception("what an identity provider gave could not be stored and is lost", extra=_told(leased))
            raise
        if not kept:
            return Came()  # they have signed in meanwhile, or are shut out
        person, fault = await self._person(leased, client, believed)
        if fault:
            log.warning("what an identity provider says of somebody cannot be used", extra=_told(leased, why=fault))
        await self._leases.note(leased, person, fault)
        return Came(fault if believed.tokens and not believed.tokens.access_token else "")

    async def _believed(self, leased: Leased, given: ProviderTokens) -> "_Believed":
        """What of an answer is kept, and the checked claims in it."""
        after = kept_beside(leased.tokens, given)
        if not given.id_token:
            return _Believed(after)
        try:
            claims = await id_claims(self._key_sets, leased.provider, given, self._clock(), nonce=None)
        except TokenRefused as why:
            # What came beside it is not believed either; but the refresh token before is used up, so the next stays.
            return _Believed(ProviderTokens(refresh_token=after.refresh_token), fault=str(why))
        except ProviderAway as why:
            return _Believed(kept_beside(leased.tokens, replace(given, id_token="")), fault=str(why))
        if not same_person(claims, leased.identity.subject):
            return _Believed(None, fault="The provider answered about another person.")
        return _Believed(after, claims)

    async def _person(
        self, leased: Leased, client: Client, believed: "_Believed"
    ) -> tuple[ProvidedPerson | None, str]:
        """Who the person is now, None where the provider says nothing of that; and why that could not be had."""
        if believed.tokens is None or believed.claims is None:
            return None, believed.fault
        try:
            claims = await with_userinfo(client, leased.provider, believed.tokens, believed.claims)
        except (ProviderAway, TokenRefused) as why:
            return None, str(why)
        return person_of(leased.provider, claims, complete=True), ""

    async def _failed(self, leased: Leased, why: str, *, is_away: bool = False) -> Came:
        log.warning("an identity provider cannot be asked about somebody", extra=_told(leased, why=why))
        await self._leases.fail(leased, why)
        return Came(why, is_away)


def _told(leased: Leased, **more: object) -> dict[str, object]:
    return {"provider": leased.provider.slug, "user_id": leased.identity.user_id, **more}
