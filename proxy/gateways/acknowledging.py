"""Telling control how far this worker has followed the change stream, so that whoever revokes learns who applied it.

What was heard counts as applied once it is forgotten here, and every call and stream that it may concern was judged
again. Told at once when there is news, otherwise every few seconds; a worker that stops takes its word away. While
Redis is away nobody is told, and nothing of it is missed: the next word says the newest. Read by
`control/publish/acknowledgements.py`.
"""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final

from core import redis_names
from core.acknowledgements import PURPOSE, Acknowledgement, seal_acknowledgement
from core.identifiers import new_id
from core.keys import KeyRing
from core.sealing import Sealer
from core.tasks import forever
from proxy.gateways.changes import ChangeStream
from proxy.redis import Redis, RedisAway

EVERY_S: Final = 5.0
_PAUSE_S: Final = 0.02
"""Between two words: many changes in a row are one."""
_AGAIN_S: Final = 1.0
_SAY: Final = """
redis.call('zremrangebyscore', KEYS[1], '-inf', ARGV[1])
redis.call('zadd', KEYS[1], ARGV[2], ARGV[3])
redis.call('expire', KEYS[1], ARGV[4])
redis.call('set', KEYS[2], ARGV[5], 'ex', ARGV[4])
"""


class Acknowledging:
    """One worker's word on how much of the change stream it has applied."""

    def __init__(
        self, redis: Redis, ring: KeyRing, changes: ChangeStream, settled: Callable[[], Awaitable[None]]
    ) -> None:
        """`settled` waits until those whom the changes so far concern were judged."""
        self._redis, self._changes, self._settled = redis, changes, settled
        self._sealer = Sealer(ring, PURPOSE)
        self.worker = f"{os.getpid()}-{new_id()}"
        self._host = socket.gethostname()[:255]

    async def keep_telling(self) -> None:
        """Tell until cancelled."""
        await forever("acknowledging", self._tell_next, _AGAIN_S)

    async def leave(self) -> None:
        """This worker stops: nobody waits for it any more."""
        commands = self._redis.commands
        try:
            await self._redis.ask(commands.zrem(redis_names.WORKERS, self.worker))
            await self._redis.ask(commands.delete(redis_names.worker_key(self.worker)))
        except RedisAway:
            return  # its word ends by itself

    async def _tell_next(self) -> None:
        await asyncio.sleep(_PAUSE_S)
        try:
            async with asyncio.timeout(EVERY_S):
                await self._changes.news.wait()
        except TimeoutError:
            pass
        self._changes.news.clear()
        epoch, number = self._changes.epoch, self._changes.number
        await self._settled()
        try:
            await self._tell(epoch, number)
        except RedisAway:
            self._changes.news.set()
            await asyncio.sleep(_AGAIN_S)

    async def _tell(self, epoch: str, number: int) -> None:
        now = time.time()
        said = Acknowledgement(self.worker, self._host, os.getpid(), epoch, number, now)
        await self._redis.ask(
            self._redis.commands.eval(
                _SAY, 2, redis_names.WORKERS, redis_names.worker_key(self.worker),
                now - redis_names.WORKERS_TTL_S, now, self.worker, redis_names.WORKERS_TTL_S,
                seal_acknowledgement(said, self._sealer),
            )
        )  # fmt: skip
