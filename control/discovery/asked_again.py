"""Asks servers again that were unreachable when what they are held to changed: their policy may allow them by now.

Whoever changes an egress policy, or puts an entry into another environment, marks the installations
(`control/changes/held_entries.py`). Run by `control/replica.py` in every replica; each mark is taken by one of them,
before its server is asked, so that a server is asked once for each change, whatever it answers.
"""

import asyncio
from typing import Final, Protocol

from control.discovery.discover import Discovery
from control.store import asked_again
from control.store.pool import Pool, transaction
from core.tasks import forever

EVERY_S: Final = 2.0
AT_ONCE: Final = 10
"""Servers of one round; each answer is held in memory."""
_AGAIN_AFTER_S: Final = 5.0


class Discovers(Protocol):
    """A part that asks an installation's server what it offers, and keeps that (`discover.py`)."""

    async def discover(self, installation_id: str) -> Discovery | None:
        """Ask and keep; None where there is nothing to keep it with."""


class AskedAgain:
    """Asks them, for as long as it runs."""

    def __init__(self, pool: Pool, discoverer: Discovers) -> None:
        self._pool, self._discoverer = pool, discoverer

    async def run(self) -> None:
        """Round after round, until cancelled."""
        await forever("asked-again", self._round, _AGAIN_AFTER_S)

    async def ask(self) -> int:
        """Ask some that are marked; how many. What the database loses meanwhile is left as it was."""
        async with transaction(self._pool) as connection:
            marked = await asked_again.claim(connection, AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for installation_id in marked:
                group.create_task(self._discoverer.discover(installation_id))
        return len(marked)

    async def _round(self) -> None:
        await asyncio.sleep(EVERY_S)
        _ = await self.ask()
