"""The token of each caller, got once however many ask for it, and kept in memory for as long as it is good.

Asked when an installation is resolved (`control/credentials/usable.py`), on a cold key and by proxies that renew what
they hold. A token is another for each person (or, where the caller's own token is exchanged, for each of those, so
that a narrower one never gets what a wider one got), server, audience and scopes; and for each version of the
provider and the entry's credential. What has changed there is asked of memory by another key, so nothing has to be
forgotten; who is shut out has no proof that holds, and no sign-in. How one token is got: `one_exchange.py`.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from random import random
from typing import Final

import msgspec

from control.accounts.times import FRESH, next_refresh
from control.credentials.calling import Calling
from control.credentials.for_caller import ForCaller
from control.credentials.whose import cell_of
from control.exchanges import sentences
from control.exchanges.memory import Memory
from control.exchanges.one_exchange import OneExchange, Wanted
from control.exchanges.subject import Whose
from control.registry.credential import OMIT, IdentityAssertion, TokenExchange
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.server_url import server_url
from control.store import identity_providers, kept_tokens
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from control.telemetry.exchange_counts import ExchangeCounts
from core.egress.addresses import ANYWHERE
from core.jwt import TokenRefused, named_issuer
from core.resolve import InstallationRefusal
from core.rooms import Rooms
from core.single_flight import SingleFlight
from core.tasks import Tasks

WAIT_S: Final = 2.2
"""Of a caller who does not say for how long they wait; a proxy waits three seconds for control."""
AHEAD_S: Final = 0.5
"""How long somebody waits for a newer token who could have the one that is kept."""
RUN_S: Final = 25.0
"""Of one run: what was kept is refreshed, and three questions of 5 s are asked."""
MARGIN_S: Final = 10.0
"""Before a token's end, in which no call begins with it."""
MOST_KEPT: Final = 20_000
"""Tokens in memory; some 3 KiB each."""
LONGEST_KEPT_S: Final = 3_600.0
"""However long a token lives, it is asked for again after this: what it may do is the provider's to say."""
REFUSED_S: Final = 10.0
"""How long a refusal is believed without asking again."""
MOST_RUNS: Final = 2_000
AT_ONE_PROVIDER: Final = 50
"""Questions at one provider at the same time."""
CLOSE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Kept:
    given: ForCaller
    refresh_at: float
    """From then on a newer one is asked for, beside the calls."""
    was_refused: bool = False
    """It was got because the server refused the one before."""


class Exchanges:
    """Gives callers their tokens; it needs the database, and who gets one. It is a `ForCallers`."""

    def __init__(
        self,
        pool: Pool,
        one: OneExchange,
        *,
        clock: Callable[[], float] = time.time,
        luck: Callable[[], float] = random,
    ) -> None:
        self.counts = ExchangeCounts()
        """How they ended."""
        self._pool, self._one, self._clock, self._luck = pool, one, clock, luck
        self._tasks = Tasks("exchanges", quiet=(StoreUnavailable, StoreConflict))
        self._flight: SingleFlight[ForCaller | InstallationRefusal] = SingleFlight("exchange", self._tasks)
        self._rooms = Rooms(AT_ONE_PROVIDER)
        self._kept: Memory[_Kept] = Memory(MOST_KEPT)
        self._refused: Memory[InstallationRefusal] = Memory(MOST_KEPT)

    async def token(
        self,
        calling: Calling,
        entry: Entry,
        installation: Installation,
        *,
        newer_than: float = 0.0,
        within: float = 0.0,
    ) -> ForCaller | InstallationRefusal:
        """The caller's token, or why there is none. Raises StoreUnavailable."""
        ends = time.monotonic() + (within or WAIT_S)
        wanted = await self._wanted(calling, entry, installation)
        if isinstance(wanted, InstallationRefusal):
            return wanted
        return await self._had(wanted, newer_than, ends)

    async def close(self) -> None:
        """End what is under way: nobody keeps what it would bring."""
        await self._tasks.close(CLOSE_S)

    async def _wanted(
        self, calling: Calling, entry: Entry, installation: Installation
    ) -> Wanted | InstallationRefusal:
        credential = entry.credential
        assert isinstance(credential, TokenExchange | IdentityAssertion)
        cell = cell_of(credential, calling.kind)
        if cell.uses not in {"sign_in", "own_token"}:
            return sentences.not_allowed(entry, cell.refusal)
        user_id = calling.principal.id if cell.uses == "sign_in" else ""
        async with transaction(self._pool, readonly=True) as connection:
            provider = await identity_providers.one(connection, credential.identity_provider_id)
            kept = None
            if provider is not None and user_id:
                kept = await kept_tokens.of_person(connection, user_id, provider.id)
        if provider is None or not provider.exchanges_tokens:
            return sentences.no_provider(entry)
        known_as = _known_as(kept)
        whose = Whose(user_id, key=f"person {user_id} {known_as}", is_known=bool(known_as))
        if cell.uses == "own_token":
            issuer = _issuer_of(calling.own_token)
            if issuer != provider.issuer:
                return sentences.another_issuer(entry, provider, issuer)
            whose = Whose(own_token=calling.own_token, key=f"token {calling.proof.digest}")
        return Wanted(entry, credential, provider, whose, _resource(credential, entry, installation))

    async def _had(self, wanted: Wanted, newer_than: float, ends: float) -> ForCaller | InstallationRefusal:
        key = _key(wanted)
        for _ in range(2):  # the run that was under way may have begun before the server's refusal
            kept = self._living(key, newer_than)
            if kept is not None and self._clock() < kept.refresh_at:
                return kept.given
            spare = None if kept is None else kept.given
            if (refusal := self._refused.get(key, self._clock())) is not None:
                return spare or refusal
            if key not in self._flight and len(self._flight) >= MOST_RUNS:
                return spare or sentences.under_way(wanted.entry, wanted.provider.name)
            run = self._flight.run(key, lambda: self._run(key, wanted, was_refused=newer_than > 0))
            left = max(ends - time.monotonic(), 0.0)
            await asyncio.wait((run,), timeout=min(left, AHEAD_S) if spare else left)
            if not run.done():
                return spare or sentences.under_way(wanted.entry, wanted.provider.name)
            came = run.result()
            if isinstance(came, InstallationRefusal):
                return spare if spare and came.code == "provider_away" else came
            if came.obtained_at > newer_than:
                return came
        return sentences.under_way(wanted.entry, wanted.provider.name)

    def _living(self, key: str, newer_than: float) -> _Kept | None:
        """What is kept and may be used. A token that its server refused is asked for once more; where that one is
        refused too, not again at once, since the next one would be.
        """
        now = self._clock()
        kept = self._kept.get(key, now)
        if kept is None or kept.given.obtained_at > newer_than:
            return kept
        return kept if kept.was_refused and now - kept.given.obtained_at < FRESH.total_seconds() else None

    async def _run(self, key: str, wanted: Wanted, *, was_refused: bool) -> ForCaller | InstallationRefusal:
        try:
            async with asyncio.timeout(RUN_S), self._rooms.place(wanted.provider.id):
                came = await self._one.of(wanted)
        except TimeoutError:
            came = sentences.away(wanted.entry, wanted.provider.name, "it was too slow")
        except Exception:
            self.counts.note("failed")
            raise
        if isinstance(came, ForCaller):
            self.counts.note("exchanged")
            if wanted.whose.is_known:
                self._keep(key, came, was_refused=was_refused)
            return came
        self.counts.note("away" if came.code == "provider_away" else "refused")
        if came.code != "provider_away":
            self._kept.forget(key)
        if came.code != "needs_sign_in":  # whoever has just signed in is not told to do so
            self._refused.put(key, came, self._clock() + REFUSED_S)
        return came

    def _keep(self, key: str, given: ForCaller, *, was_refused: bool) -> None:
        now = self._clock()
        ends = datetime.fromtimestamp(given.expires_at, UTC)
        ahead = next_refresh(ends, datetime.fromtimestamp(now, UTC), self._luck())
        assert ahead is not None  # the end is always known
        until = min(given.expires_at - MARGIN_S, now + LONGEST_KEPT_S)
        self._kept.put(key, _Kept(given, min(ahead.timestamp(), until), was_refused), until)


def _key(wanted: Wanted) -> str:
    """By which tokens are told apart: all that one is got by, without any secret."""
    entry, provider = wanted.entry, wanted.provider
    secret = sha256(entry.client_secret or b"").hexdigest()
    parts = [wanted.whose.key, provider.id, provider.version, entry.id, wanted.credential, wanted.resource, secret]
    return sha256(msgspec.json.encode(parts)).hexdigest()


def _known_as(kept: kept_tokens.Kept | None) -> str:
    """The identity of a person who is there at the provider and here; '' for whoever is not."""
    known = kept is not None and not kept.is_disabled and kept.identity.gone_at is None
    return kept.identity.id if kept is not None and known else ""


def _resource(credential: TokenExchange | IdentityAssertion, entry: Entry, installation: Installation) -> str:
    if credential.resource == OMIT:
        return ""
    return credential.resource or server_url(entry, installation.plain_values, ANYWHERE)


def _issuer_of(token: str) -> str:
    """Who made the caller's token, which was checked where they came in; '' for what is no signed token."""
    try:
        return named_issuer(token)
    except TokenRefused:
        return ""
