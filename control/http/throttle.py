"""How often something may be asked for: counts by kind and by whose they are, in Redis for all replicas.

    throttle = Throttle(redis, {"register": per_min(30, burst=30)})
    wait_s = await throttle.wait("register", address)

Called by the sign-in page and by the authorization server. The counts (GCRA) are throttled-py's, over our own
connections. With Redis away each replica counts in its own memory, bounded: so many more tries as there are replicas,
and nobody is shut out.
"""

import logging
from collections.abc import Mapping
from hashlib import sha256
from math import ceil
from typing import Any, Final

from throttled.asyncio import MemoryStore, Quota, RedisStore, RedisStoreBackend, Throttled
from throttled.exceptions import StoreUnavailableError

from control.redis import Redis, RedisAway
from core.redis_names import THROTTLES

log = logging.getLogger(__name__)
MOST_IN_MEMORY: Final = 10_000
"""Counts of a replica while Redis is away; beyond it those that were not used for longest go."""


class Throttle:
    """Counts for one purpose, each kind with its quota, in Redis or, while it is away, here."""

    def __init__(self, redis: Redis, quotas: Mapping[str, Quota]) -> None:
        self._redis, self._away = redis, False
        shared, here = _SharedStore(redis), MemoryStore(options={"MAX_SIZE": MOST_IN_MEMORY})
        self._shared = {kind: _counted(quota, shared) for kind, quota in quotas.items()}
        self._here = {kind: _counted(quota, here) for kind, quota in quotas.items()}

    async def wait(self, kind: str, whose: str) -> int:
        """Count one; seconds until it is worth trying again, 0 where it may go on. Whose it is, is hashed."""
        key = f"{kind}:{sha256(whose.encode(errors='surrogatepass')).hexdigest()[:32]}"
        try:
            async with self._redis.asking():
                result = await self._shared[kind].limit(key)
            self._away = False
        except (RedisAway, StoreUnavailableError) as fault:
            if not self._away:
                log.warning("attempts are counted here alone", extra={"fault": str(fault)})
            self._away = True
            result = await self._here[kind].limit(key)
        return max(1, ceil(result.state.retry_after)) if result.limited else 0


def _counted(quota: Quota, store: Any) -> Throttled:
    """Under names of ours, since our Redis may be open to no others."""
    return Throttled(using="gcra", quota=quota, store=store, key_prefix=THROTTLES)


class _SharedBackend(RedisStoreBackend):
    """Our own connections instead of the library's, which are one pool a process, without deadline and end."""

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._ours = redis.client

    def get_client(self) -> Any:
        """The connections."""
        return self._ours


class _SharedStore(RedisStore):
    """The library's store in Redis, over our own connections."""

    def __init__(self, redis: Redis) -> None:
        self._backend = _SharedBackend(redis)
