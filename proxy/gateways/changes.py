"""The change stream, followed: what control announced, applied here within a second.

The stream is trusted while its numbers have no holes within one epoch. On a hole, another epoch, a reconnect, and
every soft age, all that is held is compared with the index before the stream is trusted again; after a hole, verdicts
and connections are doubted too, since what revoked them may be what was missed. While Redis is away the comparison
goes to control, so that a revocation is at most one soft age late.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from core import redis_names
from core.changes import Change, ChangeBroken, open_change
from core.signing import Verifier
from core.tasks import forever
from proxy.gateways.holder import Gateways
from proxy.redis import FAULTS, Redis

log = logging.getLogger(__name__)

_BLOCK_MS = 1000
_READ_S = 5.0
_AT_ONCE = 50
_LARGEST = 64 << 10
"""Bytes of one entry; a change of ours is some hundreds."""
_RETRY_S = 0.5

Apply = Callable[[Change], Awaitable[None]]


class ChangeStream:
    """One worker's reader of the change stream."""

    def __init__(
        self,
        redis: Redis,
        verifier: Verifier,
        gateways: Gateways,
        *,
        apply: Apply,
        doubt: Callable[[], None],
        compare_every: float,
    ) -> None:
        self._redis, self._verifier, self._gateways = redis, verifier, gateways
        self._apply, self._doubt = apply, doubt
        self._compare_every = compare_every
        self._compared = 0.0
        self.epoch = ""
        self.number = 0
        self._position = "$"
        self._behind = False
        self._reading = False
        self.holes = 0
        self.news = asyncio.Event()
        """Set whenever more of the stream is applied; for who tells of it, and clears it."""
        self.compared_once = asyncio.Event()
        """Set once the first comparison was made, whatever its outcome."""

    async def follow(self) -> None:
        """Run until cancelled: a reader that ended would leave this worker deaf to revocations for good."""
        await forever("changes", self._follow_while_trusted, _RETRY_S)

    async def _follow_while_trusted(self) -> None:
        try:
            await self._catch_up()
            while True:
                await self._read()
        except (*FAULTS, _TrustLost) as lost:
            log.info("the change stream is not trusted now", extra={"why": f"{type(lost).__name__}: {lost}"})
        except Exception:
            log.exception("the change stream cannot be read")
        await self._wait_out()

    async def _wait_out(self) -> None:
        """Go on without the stream; a first loss of trust is followed up at once."""
        self._gateways.index_current = False
        if self._reading:
            self._reading = False
            return
        await self._compare_if_due()
        await asyncio.sleep(_RETRY_S)

    async def _catch_up(self) -> None:
        """Take a position at the stream's end, then compare: what came before is in what we compare with."""
        # The position before the number: an event that comes in between is then read as a hole, never passed over.
        last = await self._redis.blocking.xrevrange(redis_names.CHANGES, count=1)
        epoch, number = await self._head()
        known = (self.epoch, self.number) == (epoch, number)
        if not known:
            self._doubt()
        self.epoch, self.number = epoch, number
        self._position = last[0][0] if last else "0-0"
        self._behind = False
        await self._compare()
        self.news.set()

    async def _read(self) -> None:
        # A bound for all of it: each piece of an answer has the socket's own time.
        async with asyncio.timeout(_READ_S):
            found = await self._redis.blocking.xread(
                {redis_names.CHANGES: self._position}, count=_AT_ONCE, block=_BLOCK_MS
            )
        self._reading = True
        if not found:
            await self._check_head()
            await self._compare_if_due()
            return
        self._behind = False
        for position, fields in found[0][1]:
            change = self._opened(fields)
            await self._apply(change)
            self.number, self._position = change.number, position  # after: what could not be applied is a hole
            self.news.set()
        if self._gateways.unseen:
            await self._compare()
        else:
            await self._compare_if_due()  # a stream that is never quiet must not put it off

    def _opened(self, fields: dict[bytes, bytes]) -> Change:
        size = sum(len(name) + len(value) for name, value in fields.items())
        if size > _LARGEST:
            raise _TrustLost(f"an entry of {size} bytes")
        try:
            change = open_change(fields.get(b"e", b""), self.epoch, self._verifier)
        except ChangeBroken as broken:
            raise _TrustLost(f"not an event of this epoch: {broken}") from broken
        if change.number != self.number + 1:
            self.holes += 1
            raise _TrustLost(f"event {change.number} came after {self.number}")
        return change

    async def _check_head(self) -> None:
        """A quiet stream may be a new one, or lack its newest events: compare its epoch and number with ours."""
        epoch, number = await self._head()
        if epoch != self.epoch or number < self.number:
            raise _TrustLost("the stream began again")
        if number > self.number and self._behind:
            self.holes += 1
            raise _TrustLost(f"events up to {number} are gone and were not read after {self.number}")
        self._behind = number > self.number  # once: an event came just now, and the next read has it

    async def _head(self) -> tuple[str, int]:
        """Epoch and number of the newest event; '' and 0 where there is none."""
        epoch, number = await self._redis.blocking.hmget(redis_names.CHANGES_HEAD, "epoch", "number")
        try:
            return (epoch or b"").decode(), int(number or 0)
        except ValueError:
            raise _TrustLost("the stream's head is not one of ours") from None

    async def _compare_if_due(self) -> None:
        if time.monotonic() - self._compared >= self._compare_every:
            await self._compare()

    async def _compare(self) -> None:
        self._compared = time.monotonic()
        await self._gateways.compare(self.epoch)
        self.compared_once.set()


class _TrustLost(Exception):
    """The stream cannot be followed from where we stand."""
