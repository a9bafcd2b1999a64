"""Waiting for servers that we run to start, for questions of proxies: one look for all who wait.

A question waits no longer than its asker does, and how many wait is bounded where questions are taken
(`listener.py`). The look is a small query four times a second, and only while somebody waits: it needs no connection
that listens, which a pooler between may not give.
"""

import asyncio
import logging
from typing import Final

from control.internal.wanted_awake import WantedAwake
from control.registry.server_state import Place
from control.store import server_states
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from core.tasks import Tasks

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.25


class StartingServers:
    """Tells who waits for a server that it answers now, or that something is wrong with it.

    `place`: where servers run here; None for nowhere, and then nobody waits.
    """

    def __init__(self, pool: Pool, place: Place | None, tasks: Tasks) -> None:
        self._pool, self._place, self._tasks = pool, place, tasks
        self.wanted = WantedAwake(pool)
        """Has those started that are asleep."""
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        """By installation."""
        self._is_looking = False

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    async def wait(self, installation_id: str, seconds: float) -> bool:
        """Whether within so many seconds there is something new to be said of the installation's server."""
        if self._place is None or seconds <= 0:
            return False
        told = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(installation_id, set()).add(told)
        if not self._is_looking:
            self._is_looking = True
            _ = self._tasks.spawn("starting servers", self._look(self._place))
        try:
            async with asyncio.timeout(seconds):
                await told
        except TimeoutError:
            return False
        finally:
            self._leave(installation_id, told)
        return True

    def _leave(self, installation_id: str, told: "asyncio.Future[None]") -> None:
        waiting = self._waiting.get(installation_id)
        if waiting is not None:
            waiting.discard(told)
            if not waiting:
                del self._waiting[installation_id]

    async def _look(self, place: Place) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(LOOK_EVERY_S)
                for installation_id in await self._settled(place):
                    for told in self._waiting.pop(installation_id, ()):
                        if not told.done():
                            told.set_result(None)
        finally:
            self._is_looking = False

    async def _settled(self, place: Place) -> list[str]:
        try:
            async with transaction(self._pool, readonly=True) as connection:
                return await server_states.settled(connection, list(self._waiting), place)
        except (StoreUnavailable, StoreConflict) as away:
            log.info("nobody knows whether servers have started", extra={"fault": str(away)})
            return []
