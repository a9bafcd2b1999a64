"""The index of all gateways, as new as it can be had: from control once a soft age, else from Redis.

A signature says who wrote, not when: what comes from Redis is never taken for a confirmation. Used by the holder.
"""

import logging
import time
from typing import Any

from core import redis_names
from core.signing import Verifier
from core.snapshot import Index, SnapshotBroken, open_index
from proxy.caches.two_ages import SourceUnreachable
from proxy.redis import Redis, RedisAway
from proxy.resolve.control_client import ControlClient

log = logging.getLogger(__name__)


class NewestIndex:
    """The newest index of all gateways that can be had, and when control itself last gave it."""

    def __init__(self, control: ControlClient, redis: Redis, verifier: Verifier, *, soft_age: float) -> None:
        self._control, self.redis, self._verifier, self._soft_age = control, redis, verifier, soft_age
        self.confirmed = time.monotonic()
        """When control itself last gave the index, or else when this worker began."""
        self._due = 0.0
        self.rejected = 0

    async def get(self, epoch: str, at_least: int) -> tuple[Index | None, bool]:
        """The index, if it can be had, and whether control itself gave it. Redis' must be of this epoch."""
        due = time.monotonic() >= self._due
        if due and (index := await self._of_control()) is not None:
            return index, True
        index = await self._in_redis(epoch, at_least)
        if index is not None or due:
            return index, False
        index = await self._of_control()  # Redis is away, behind or broken; control's own needs no epoch to be true
        return index, index is not None

    async def _of_control(self) -> Index | None:
        asked = time.monotonic()
        try:
            index = open_index((await self._control.index()).document, self._verifier)
        except (SourceUnreachable, SnapshotBroken):
            return None
        self.confirmed, self._due = asked, asked + self._soft_age
        return index

    async def _in_redis(self, epoch: str, at_least: int) -> Index | None:
        try:
            document: Any = await self.redis.ask(self.redis.commands.hget(redis_names.INDEX, "document"))
            index = None if document is None else open_index(bytes(document), self._verifier)
        except RedisAway:
            return None
        except SnapshotBroken as broken:
            self.rejected += 1
            log.error("an index was rejected", extra={"why": str(broken)})
            return None
        return index if index is not None and index.epoch == epoch and index.revision >= at_least else None
