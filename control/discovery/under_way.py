"""Discoveries that go on by themselves while a person looks elsewhere: begun by a page, and ended with the replica.

A page answers at once and shows that the server is being asked; whoever comes back sees the same, at whatever
replica, because Redis holds a mark for as long as the question may take. Redis away: only the replica that asks
knows. Called by the console's pages; the admin API asks while its caller
waits (`control/admin/installations.py`). Leaves out what is asked and kept: `discover.py`.
"""

import asyncio
import logging
from typing import Final

from control.discovery.discover import Discoverer
from control.discovery.probe_client import DEADLINE_S
from control.redis import Redis, RedisAway
from control.registry.access import Caller
from control.store.pool import StoreUnavailable
from core.identifiers import new_id
from core.redis_names import discovering_key
from core.tasks import Tasks

log = logging.getLogger(__name__)

MOST: Final = 20
"""Discoveries that one replica has under way; each holds a proxy's answer in memory."""
_TRIES: Final = 3
_AGAIN_AFTER_S: Final = 1.0
_MARK_S: Final = int(DEADLINE_S) + 10
"""A mark outlives the question by as long as its answer may take to be kept."""
_MARK: Final = "redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) return 1"
_MARKED_BY: Final = "return redis.call('GET', KEYS[1])"


class DiscoveriesUnderWay:
    """The discoveries that pages began. `close` it: what runs is given up, and installations stay as they are."""

    def __init__(self, discoverer: Discoverer, redis: Redis, most: int = MOST) -> None:
        self._discoverer, self._redis, self._most = discoverer, redis, most
        self._tasks, self._replica = Tasks("discoveries"), new_id()
        self._here: dict[str, Caller | None] = {}
        """By installation that is being asked, who wants it asked once more after that."""

    def begin(self, installation_id: str, asked_by: Caller) -> bool:
        """Ask this installation's server, and answer before it does. Where it is being asked here, it is asked once
        more afterwards: its answers may be others now. False where as many run here as may.
        """
        if installation_id in self._here:
            self._here[installation_id] = asked_by
            return True
        if len(self._here) >= self._most:
            return False
        self._here[installation_id] = None
        _ = self._tasks.spawn(installation_id, self._discover(installation_id, asked_by))
        return True

    async def goes_on(self, installation_id: str) -> bool:
        """Whether the installation's server is being asked now, by whichever replica."""
        if installation_id in self._here:
            return True
        try:
            by = await self._redis.script(_MARKED_BY, [discovering_key(installation_id)], [])
        except RedisAway:
            return False
        return by is not None and by != self._replica.encode()  # one of ours is of a discovery that is over

    async def close(self) -> None:
        """Give up what runs."""
        await self._tasks.close()

    async def _discover(self, installation_id: str, asked_by: Caller) -> None:
        key = discovering_key(installation_id)
        wanted: Caller | None = asked_by
        try:
            while wanted is not None:
                await self._mark(key)
                await self._asked(installation_id, wanted)
                wanted, self._here[installation_id] = self._here[installation_id], None
        finally:
            del self._here[installation_id]
            await self._unmark(key)

    async def _asked(self, installation_id: str, asked_by: Caller) -> None:
        """Ask, and ask again where the database was away for a moment: nobody waits here who could do it."""
        for number in range(_TRIES):
            try:
                _ = await self._discoverer.discover(installation_id, asked_by=asked_by)
            except StoreUnavailable:
                if number == _TRIES - 1:
                    raise
                await asyncio.sleep(_AGAIN_AFTER_S)
            else:
                return

    async def _mark(self, key: str) -> None:
        try:
            _ = await self._redis.script(_MARK, [key], [self._replica, _MARK_S])
        except RedisAway as away:
            log.debug("a discovery is not marked in redis", extra={"fault": str(away)})

    async def _unmark(self, key: str) -> None:
        try:
            await self._redis.delete([key])
        except RedisAway as away:
            log.debug("a discovery's mark ends by its age", extra={"fault": str(away)})
