"""The next token of an account, got once however many ask for it.

Called when an installation is resolved and its token has ended or was refused (`control/credentials/usable.py`), and
by `early_renewals.py` ahead of the end. There is one run for an installation in this process, and one lease over all
processes (`lease.py`). Who waits is told after a while, and may be cancelled: the run goes on. What a run does is in
`one_renewal.py`.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import random
from typing import Final

from control.accounts import no_token
from control.accounts.lease import Leases
from control.accounts.next_tokens import NextTokens
from control.accounts.one_renewal import Came, OneRenewal
from control.accounts.times import fresh_for
from control.credentials.lacks import fits
from control.providers.asking import Asker
from control.registry.account import Account
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from control.store.pool import Pool, StoreConflict, StoreUnavailable
from control.telemetry.renewal_counts import RenewalCounts
from core.resolve import InstallationRefusal
from core.rooms import Rooms
from core.single_flight import SingleFlight
from core.tasks import Tasks

WAIT_S: Final = 2.2
"""Of a caller who does not say for how long they wait; a proxy waits three seconds for control."""
CLOSE_S: Final = 8.0
"""How long what is under way may take when the process ends."""
AT_ONE_PROVIDER: Final = 100
"""Renewals at the same time, so that others have room."""
_MOST_USED: Final = 10_000
MOST_RUNS: Final = 2_000
_MOST_RESTING: Final = 1_000
_REST: Final = timedelta(seconds=10)
"""After a client got no first token: there is no row yet that would say so."""


class Renewals:
    """Renews accounts; it needs the database, who asks providers, and what opens secrets."""

    def __init__(
        self,
        pool: Pool,
        asker: Asker,
        seals: RowSeals,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        luck: Callable[[], float] = random,
    ) -> None:
        self.counts = RenewalCounts()
        """How they ended."""
        self._clock = clock
        self._one = OneRenewal(Leases(pool, seals), NextTokens(asker, seals, clock, luck), luck)
        self._tasks = Tasks("renewals", quiet=(StoreUnavailable, StoreConflict))
        self._running = SingleFlight[Came]("renew", self._tasks)
        self._rooms = Rooms(AT_ONE_PROVIDER)
        self._used: set[str] = set()
        self._resting: dict[tuple[str, int, int], tuple[datetime, InstallationRefusal]] = {}

    async def renewed(
        self, entry: Entry, installation: Installation, account: Account | None, within: float = 0.0
    ) -> Account | InstallationRefusal:
        """The account with a token that is newer than that of `account`, or why there is none; waits for it `within`
        so many seconds (0: the usual time). Raises StoreUnavailable.
        """
        if account is not None and self._is_fresh(entry, installation, account):
            return account
        if account is None and (refusal := self._rests(entry, installation)) is not None:
            return refusal
        known, room = (0, entry.id) if account is None else (account.version, account.token_endpoint)
        ends = time.monotonic() + (within or WAIT_S)
        for _ in range(2):  # the run that was under way may have been for the version before
            if installation.id not in self._running and len(self._running) >= MOST_RUNS:
                break
            run = self.run(installation.id, known, room)
            await asyncio.wait((run,), timeout=max(ends - time.monotonic(), 0.0))
            if not run.done():
                break
            came = run.result()
            if came.refusal is not None:
                self._let_rest(entry, installation, account, came.refusal)
                return came.refusal
            if came.account is not None and came.account.version > known:
                return came.account
        return no_token.under_way(entry, installation)

    def noticed(self, account: Account) -> None:
        """A call uses this account: the background keeps it fresh, and begins now where that is due."""
        now = self._clock()
        is_news = account.used_at is None or now - account.used_at > timedelta(hours=1)
        if is_news and len(self._used) < _MOST_USED:
            self._used.add(account.installation_id)
        if account.refresh_at is not None and account.refresh_at <= now and len(self._running) < MOST_RUNS:
            _ = self.run(account.installation_id, account.version, account.token_endpoint)

    @property
    def under_way(self) -> int:
        """Renewals that run or wait for their turn."""
        return len(self._running)

    def taken_used(self) -> set[str]:
        """The installations whose accounts were used since this was asked last, for somebody to write it down."""
        used, self._used = self._used, set()
        return used

    def run(self, installation_id: str, known: int, room: str) -> "asyncio.Task[Came]":
        """The run for this installation: the one under way, or a new one that wants a version above `known`. `room`:
        where it waits for a place, a token endpoint.
        """
        return self._running.run(installation_id, lambda: self._run(installation_id, known, room))

    async def close(self, grace: float = CLOSE_S) -> None:
        """Let what is under way come to its end: a provider may have given tokens that are nowhere yet."""
        await self._running.come_to_an_end(grace)
        await self._tasks.close()

    async def _run(self, installation_id: str, known: int, room: str) -> Came:
        async with self._rooms.place(room):
            began = time.monotonic()
            try:
                came = await self._one.of(installation_id, known)
            except Exception:
                self.counts.note("failed", time.monotonic() - began)
                raise
            self.counts.note(came.outcome, time.monotonic() - began)
            return came

    def _is_fresh(self, entry: Entry, installation: Installation, account: Account) -> bool:
        now = self._clock()
        lives = account.refused_at is None and (account.expires_at is None or now < account.expires_at)
        young = now - account.refreshed_at < fresh_for(account, installation)
        return lives and young and fits(entry, installation, account)

    def _rests(self, entry: Entry, installation: Installation) -> InstallationRefusal | None:
        """What a client without a token was refused with just before, with the same answers and the same entry."""
        until, refusal = self._resting.get(_asked_with(entry, installation), (None, None))
        return refusal if until is not None and self._clock() < until else None

    def _let_rest(
        self, entry: Entry, installation: Installation, account: Account | None, refusal: InstallationRefusal
    ) -> None:
        if account is not None:
            return
        if len(self._resting) >= _MOST_RESTING:
            self._resting.clear()
        self._resting[_asked_with(entry, installation)] = self._clock() + _REST, refusal


def _asked_with(entry: Entry, installation: Installation) -> tuple[str, int, int]:
    return installation.id, installation.credential_version, entry.version
