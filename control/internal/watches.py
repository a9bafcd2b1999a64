"""Gives the servers whose lists may change to the workers that ask, each to one, and takes what workers heard.

Called by `listener.py`, which has checked that a proxy asks. A server is a worker's for as long as a lease; each
question renews it. Two that listen to one server for a moment do no harm: news are taken once however many tell
them. What reads and writes rows is done here; the credentials of new ones may wait for a provider, and come later.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from control.credentials.resolved import version_of
from control.credentials.usable import Usable
from control.discovery.news import NewsOfLists
from control.internal.questions import LIST_WITHIN_S, Later
from control.registry.account import Account
from control.registry.credential import WithAccount
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.store import accounts, entries, installations, watches
from control.store.pool import Connection, Pool, StoreConflict, StoreUnavailable, transaction
from core.identifiers import is_id
from core.resolve import ResolvedInstallation
from core.watches import LEASE_S, HeardLists, HeardTaken, WatchAnswer, WatchQuestion

MOST_AT_ONCE: Final = 10
"""Servers that one answer gives to a worker: the others of the deployment ask too."""
SILENT_S: Final = 600.0
"""For how long nobody tries a server that cannot be listened to, or whose credential cannot be had."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One installation that a worker may listen to, with what its use rests on."""

    entry: Entry
    installation: Installation
    account: Account | None

    @property
    def version(self) -> int:
        return version_of(self.entry, self.installation, self.account)


@dataclass(frozen=True, slots=True)
class Watches:
    """Gives out what is to be listened to. `news`: where what was heard goes."""

    pool: Pool
    usable: Usable
    news: NewsOfLists

    async def heard(self, told: HeardLists) -> HeardTaken:
        """Take the news of one worker. Raises StoreUnavailable."""
        return await self.news.take(told)

    async def answer(self, asked: WatchQuestion) -> Later:
        """Renew what the worker has, and give it more. Raises StoreUnavailable, and StoreConflict."""
        held = {name: version for name, version in asked.held.items() if is_id(name)}
        silent = [name for name in asked.silent if is_id(name)]
        async with transaction(self.pool) as connection:
            await watches.silence(connection, asked.worker, silent, SILENT_S)
            kept = await watches.renew(connection, asked.worker, held, LEASE_S)
            fresh = await watches.claim(connection, asked.worker, min(asked.room, MOST_AT_ONCE), LEASE_S)
            found = await _rows(connection, kept.union(fresh))
        ended = [name for name in asked.held if name not in kept]
        newer = {name: one for name, one in found.items() if one.version > held.get(name, 0)}
        return Later(lambda: self._resolved(asked.worker, newer, ended))

    async def _resolved(self, worker: str, newer: Mapping[str, _Asked], ended: list[str]) -> WatchAnswer:
        """All at once. One that is not there in time is left out, and so given back: the worker does not have it."""
        ready: list[ResolvedInstallation] = []
        refused: list[str] = []

        async def resolve(name: str, one: _Asked) -> None:
            try:
                resolved = await self.usable.resolved(one.entry, one.installation, one.account)
            except (StoreUnavailable, StoreConflict):
                return
            if isinstance(resolved, ResolvedInstallation):
                ready.append(resolved)
            else:
                refused.append(name)

        with suppress(TimeoutError):
            async with asyncio.timeout(LIST_WITHIN_S):
                await asyncio.gather(*(resolve(name, one) for name, one in newer.items()))
        if refused:
            async with transaction(self.pool) as connection:
                await watches.silence(connection, worker, refused, SILENT_S)
        return WatchAnswer(ready, ended + refused)


async def _rows(connection: Connection, installation_ids: set[str]) -> dict[str, _Asked]:
    found = await installations.many(connection, installation_ids)
    of = await entries.many(connection, {one.entry_id for one in found})
    held = await accounts.many(connection, installation_ids)

    def asked(one: Installation) -> _Asked:
        entry = of[one.entry_id]
        account = held.get(one.id) if isinstance(entry.credential, WithAccount) else None
        return _Asked(entry, one, account)

    return {one.id: asked(one) for one in found}
