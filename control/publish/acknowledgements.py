"""How many workers have applied what was announced: for whoever took access away, and wants to know that it ended.

Asked by operations of the admin API that revoke. First the outbox is waited for, since until it is empty of what was
written nobody can have heard; then each worker that spoke within the last minute, until it says that it has applied
the change stream up to there. The wait has an end; who did not answer by then is named. What workers say is sealed
(`core/acknowledgements.py`), so somebody else who writes in Redis can hide a worker from the count, and cannot make
one count that did not answer.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from control.publish.epochs import ChangeStream, StreamHead
from control.publish.scripts import SHOW_WORKERS
from control.redis import Redis, RedisAway
from control.store import publication
from control.store.pool import Pool, StoreUnavailable, transaction
from core.acknowledgements import LARGEST, PURPOSE, Acknowledgement, AcknowledgementBroken, open_acknowledgement
from core.keys import KeyRing
from core.redis_names import WORKERS, worker_key
from core.sealing import Sealer

log = logging.getLogger(__name__)
MOST: Final = 1_000
"""Workers that are asked about."""
_LOOK_S: Final = 0.05
"""Between two looks, of which each costs a query and two commands."""
_ONE_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What became of a change until the wait was over."""

    announced: bool
    """Whether it was published at all; if not, Redis or the publisher is away, and it stays to be published."""
    applied: int = 0
    """Workers that have applied it."""
    silent: tuple[Acknowledgement, ...] = ()
    """The last words of the others."""


NOBODY_ASKED: Final = Acknowledged(announced=False)


class Acknowledgements:
    """Waits until workers have applied what was announced. One for each replica."""

    def __init__(self, pool: Pool, redis: Redis, stream: ChangeStream, ring: KeyRing) -> None:
        self._pool, self._redis, self._stream = pool, redis, stream
        self._sealer = Sealer(ring, PURPOSE)

    async def of(self, upto: int, within_s: float) -> Acknowledged:
        """Who has applied what the outbox held up to this number, at the latest after so many seconds or one look."""
        loop = asyncio.get_running_loop()
        deadline, wanted, found = loop.time() + within_s, None, NOBODY_ASKED
        while True:
            try:
                async with asyncio.timeout_at(max(deadline, loop.time() + _ONE_LOOK_S)):
                    wanted = wanted or await self._position(upto)
                    if wanted is not None:
                        found = await self._who_has(wanted)
                        if not found.silent:
                            return found
            except (RedisAway, StoreUnavailable, TimeoutError) as away:
                log.info("workers cannot be asked how far they are", extra={"why": str(away)})
            if loop.time() + _LOOK_S > deadline:
                return found
            await asyncio.sleep(_LOOK_S)

    async def _position(self, upto: int) -> StreamHead | None:
        """Where the stream stood once all up to this number was published; None before."""
        async with transaction(self._pool, readonly=True) as connection:
            if await publication.change_waits(connection, upto):
                return None
        return await self._stream.position()

    async def _who_has(self, wanted: StreamHead) -> Acknowledged:
        said = await self._all()
        silent = tuple(one for one in said if not _has_applied(one, wanted))
        return Acknowledged(True, len(said) - len(silent), silent)

    async def _all(self) -> Sequence[Acknowledgement]:
        names = await self._redis.script(SHOW_WORKERS, [WORKERS], [worker_key(""), MOST, LARGEST])
        said = []
        for name, sealed in zip(names[::2], names[1::2], strict=True):
            try:
                said.append(open_acknowledgement(name.decode(), sealed, self._sealer))
            except (AcknowledgementBroken, UnicodeDecodeError):
                log.warning("what stands in redis for a worker is not its word")
        return said


def _has_applied(said: Acknowledgement, wanted: StreamHead) -> bool:
    """Another epoch began later: whoever is in one has doubted everything that it held before."""
    return said.epoch != wanted.epoch or said.number >= wanted.number
