"""Keeps accounts fresh ahead of their end, beside the calls: one owner in each replica.

Run by `control/replica.py`. Each round writes down which accounts calls have used, and renews those that are due and
were used lately; an idle one once a week, since many providers forget a refresh token that nobody uses. Each provider
has a task of its own, so one that is away holds up nobody else's people: a few of its accounts are tried, and the
others are put off.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from random import random
from typing import Final

from control.accounts.renewals import Renewals
from control.changes import renewals as changes
from control.changes.write import changing
from control.store import renewals as rows
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from core.tasks import Tasks, forever

log = logging.getLogger(__name__)

USED_WITHIN: Final = timedelta(days=1)
IDLE_AFTER: Final = timedelta(days=7)
ROUND_S: Final = 5.0
OF_EACH: Final = 100
"""Accounts of one provider in one round."""
MOST: Final = 500
"""Accounts in one round."""
AT_ONCE: Final = 8
"""Accounts of one provider that are renewed at the same time."""
PROVIDERS: Final = 50
"""Providers that are asked at the same time."""
_REST: Final = timedelta(seconds=60)


class EarlyRenewals:
    """Renews accounts that are due; it needs the database, and who renews them."""

    def __init__(self, pool: Pool, renewals: Renewals) -> None:
        self._pool, self._renewals = pool, renewals
        self._tasks = Tasks("early-renewals", quiet=(StoreUnavailable, StoreConflict))
        self._asked: dict[str, asyncio.Task[None]] = {}
        """What is under way, by the provider's token endpoint."""

    async def run(self) -> None:
        """Round after round, until cancelled."""
        await forever("early-renewals", self._step, ROUND_S)

    async def round(self) -> "list[asyncio.Task[None]]":
        """Begin what is due: a task for each provider."""
        await self._note_used()
        room = PROVIDERS - len(self._asked)
        if room <= 0:
            return []
        async with changing(self._pool, changes.PROVIDER) as write:
            await changes.put_off_idle(write, USED_WITHIN, IDLE_AFTER, MOST)
        async with transaction(self._pool, readonly=True) as connection:
            due = await rows.due(
                connection,
                used_within=USED_WITHIN,
                idle_after=IDLE_AFTER,
                but_for=self._asked,
                of_each=OF_EACH,
                most=MOST,
            )
        return [self._begin(endpoint, accounts) for endpoint, accounts in list(due.items())[:room]]

    async def close(self) -> None:
        """Begin nothing more; the renewals under way are not ended by this."""
        await self._tasks.close()

    async def _step(self) -> None:
        await asyncio.sleep(ROUND_S * (0.75 + random() / 2))  # noqa: S311  # spreads load, and guards nothing
        await self.round()

    async def _note_used(self) -> None:
        used = self._renewals.taken_used()
        if used:
            async with changing(self._pool, changes.PROVIDER) as write:
                await changes.note_used(write, used)

    def _begin(self, endpoint: str, accounts: Sequence[tuple[str, int]]) -> "asyncio.Task[None]":
        task = self._asked[endpoint] = self._tasks.spawn("provider", self._renew(endpoint, accounts))
        task.add_done_callback(lambda _: self._asked.pop(endpoint, None))
        return task

    async def _renew(self, endpoint: str, accounts: Sequence[tuple[str, int]]) -> None:
        """A few at once, as long as the provider answers; the others of one that is away are put off."""
        for first in range(0, len(accounts), AT_ONCE):
            runs = [self._renewals.run(one, version, endpoint) for one, version in accounts[first : first + AT_ONCE]]
            await asyncio.wait(runs)
            if all(run.cancelled() or run.exception() or run.result().is_away for run in runs):
                left = [one for one, _ in accounts[first + AT_ONCE :]]
                log.info("a provider is away; its accounts are put off", extra={"accounts": len(left)})
                async with changing(self._pool, changes.PROVIDER) as write:
                    await changes.put_off(write, left, _REST)
                return
