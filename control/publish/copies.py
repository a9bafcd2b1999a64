"""Deletes copies of resolved installations that a published change made untrue, beside the publisher, not in its way.

Proxies keep sealed installations in Redis under `connection:GATEWAY/ASSIGNMENT/CALLER`
(`proxy/resolve/installations.py`). A worker that reads the change deletes those that it holds, and believes no copy
that is older than the change; so this is for copies that nobody holds any more, and for a worker that starts later
and has not seen the change. They are deleted some milliseconds after the event: a worker that starts in just these
may use one until its soft age.

The names of keys cannot be worked out from a change (whoever called may be in them), so each round walks the keys
once, for all changes that wait, in small steps; only what fits is deleted, so that a change of one gateway costs the
callers of others nothing. The changes wait in Postgres, so that a control that dies loses none.
"""

import asyncio
import logging
from typing import Final

from control.redis import Redis, RedisAway
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from control.store.stale_copies import claim, concerned, forget
from core.redis_names import installation_key

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0
"""How often it looks without being told: for what another replica left."""
_AGAIN_S: Final = 1.0
_AT_ONCE: Final = 1_000
_ROUND_WITHIN_S: Final = 25.0
"""Less than Postgres leaves a transaction idle (`control/store/pool.py`)."""


class StaleCopiesSweep:
    """Deletes stale copies of resolved installations until cancelled. `wake` makes it look at once."""

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool, self._redis = pool, redis
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once: a change was published."""
        self._woken.set()

    async def run(self) -> None:
        """Sweep again and again until cancelled; what could not be deleted is tried again."""
        while True:
            self._woken.clear()
            try:
                async with asyncio.timeout(_ROUND_WITHIN_S):
                    more = await self.sweep() == _AT_ONCE
            except (RedisAway, StoreUnavailable, StoreConflict, TimeoutError) as fault:
                log.info("copies of installations wait to be deleted", extra={"fault": str(fault) or "took too long"})
                await asyncio.sleep(_AGAIN_S)
                continue
            except Exception:
                log.exception("copies of installations were not deleted")
                await asyncio.sleep(_AGAIN_S)
                continue
            if not more:
                await self._rest()

    async def sweep(self) -> int:
        """Sweep once; returns how many changes it was for. Raises RedisAway, StoreUnavailable."""
        prefix = installation_key("")
        async with transaction(self._pool) as claiming:
            changes = await claim(claiming, _AT_ONCE)
            if not changes:
                return 0
            stale = await concerned(claiming, changes)
            names = (name.decode("utf-8", "replace") for name in await self._redis.names_like(f"{prefix}*"))
            await self._redis.delete([name for name in names if stale.concern(name.removeprefix(prefix))])
            await forget(claiming, [one.id for one in changes])
        return len(changes)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._woken.wait()
        except TimeoutError:
            return
