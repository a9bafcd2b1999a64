"""What servers say of their lists, made true: tools are discovered again, and gateways say that lists are new.

Proxies tell what they heard (`control/internal/watches.py`). The first news of an entry is acted on at once; what
comes until that is done and a pause is over is one more round, and the pause doubles while there is more: a server
that never stops costs a dozen of discoveries, and then one in five minutes. So does one that speaks whenever a pause
is over: pauses are short again only after a long quiet. Tools are compared with those that are known, so that a
server which says what is not so changes nothing. Resources and prompts are kept nowhere: of them the gateways that
offer them have a new revision.

A discovery that fails is tried again in the same steps, and keeps nothing: a server that is away for a moment was not
asked for by anybody who would look at it again.
"""

import asyncio
import logging
import time
from collections.abc import Collection
from typing import Final, Protocol

from control.changes import discoveries
from control.changes.write import changing
from control.discovery.discover import SERVER, Discovery
from control.store import watches
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from control.store.watches import ListedBy
from core.identifiers import is_id
from core.snapshot import OFFER_KINDS
from core.tasks import Tasks
from core.watches import HeardLists, HeardTaken, ListKind

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 300.0
"""Between two rounds about one entry."""
MOST: Final = 2_000
"""Entries of which there are news at once."""
AT_ONCE: Final = 20
"""Discoveries; each holds a proxy's answer in memory."""


class Discovers(Protocol):
    """A part that asks an installation's server what it offers, and keeps that (`discover.py`)."""

    async def discover(self, installation_id: str, *, heard: bool) -> Discovery | None:
        """Ask and keep; None where there is nothing to keep it with."""


class NewsOfLists:
    """Acts on what servers say of their lists. `close` it: what is not done then is noticed by who listens next."""

    def __init__(self, pool: Pool, discoverer: Discovers) -> None:
        self._pool, self._discoverer = pool, discoverer
        self._tasks, self._places = Tasks("news-of-lists"), asyncio.Semaphore(AT_ONCE)
        self._waiting: dict[str, set[ListKind]] = {}
        """What is still to be done, by entry; one that is here has a task."""
        self._paused: dict[str, tuple[float, float]] = {}
        """How long the next pause is of those that have none now, and since when (monotonic); the oldest first."""

    async def take(self, heard: HeardLists) -> HeardTaken:
        """Take the news; they are acted on afterwards. Raises StoreUnavailable."""
        async with transaction(self._pool, readonly=True) as connection:
            found = await watches.listed_by(connection, [name for name in heard.lists if is_id(name)])
        taken = [self._take(entry, heard.lists[name]) for name, entry in found.items()]
        return HeardTaken(sum(taken))

    async def close(self) -> None:
        """Give up what runs."""
        await self._tasks.close()

    def _take(self, entry: ListedBy, kinds: Collection[ListKind]) -> bool:
        if entry.entry_id in self._waiting:
            self._waiting[entry.entry_id].update(kinds)
            return True
        if len(self._waiting) >= MOST:
            return False
        self._waiting[entry.entry_id] = set(kinds)
        _ = self._tasks.spawn(entry.entry_id, self._rounds(entry))
        return True

    async def _rounds(self, entry: ListedBy) -> None:
        waiting = self._waiting[entry.entry_id]
        pause, since = self._paused.pop(entry.entry_id, (FIRST_PAUSE_S, 0.0))
        if time.monotonic() - since > LONGEST_PAUSE_S:
            pause = FIRST_PAUSE_S
        try:
            while waiting:
                kinds = set(waiting)
                waiting.clear()
                undone = await self._round(entry, kinds)
                if pause < LONGEST_PAUSE_S:
                    waiting.update(undone)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        finally:
            del self._waiting[entry.entry_id]
            self._paused[entry.entry_id] = pause, time.monotonic()
            if len(self._paused) > MOST:
                del self._paused[next(iter(self._paused))]

    async def _round(self, entry: ListedBy, kinds: set[ListKind]) -> set[ListKind]:
        """Act on these news; those on which it was not possible."""
        undone = set(kinds)
        try:
            offers = [kind for kind in OFFER_KINDS if kind in kinds]
            if offers:
                async with changing(self._pool, SERVER) as write:
                    await discoveries.lists_changed(write, entry.entry_id, offers)
            undone -= {"prompts"}
            if undone:
                async with self._places:
                    found = await self._discoverer.discover(entry.installation_id, heard=True)
                undone = set() if found is None or found.state == "ready" else {"tools"}
        except (StoreUnavailable, StoreConflict) as fault:
            log.info("news of a server's lists wait", extra={"entry": entry.entry_id, "fault": str(fault)})
        return undone
