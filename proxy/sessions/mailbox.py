"""Rare messages for whoever has the call: one channel that every worker reads, each looking in its own table.

Nothing is registered per call. Messages are sealed with the proxy key; what does not open is dropped.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

import msgspec

from core import redis_names
from core.keys import KeyRing
from core.sealing import SealBroken, Sealer
from core.tasks import forever
from proxy.redis import FAULTS, Redis, RedisAway

log = logging.getLogger(__name__)
_RETRY_S = 0.5
_POLL_S = 1.0


class Letter(msgspec.Struct, array_like=True, frozen=True):
    """A message to the other workers about the session `jti`: `cancel` its call `id`; it has `ended`; it hears what
    servers log from the `level` on that stands in `id`; its `answer` to the question `id` is in `body`; what it is
    `subscribed` to has changed. Of suspended calls see `elsewhere.py`.
    """

    kind: Literal["cancel", "ended", "level", "answer", "subscribed", "resume", "resumes", "resumed"]
    jti: str
    id: str | int = ""
    body: bytes = b""
    """Of an `answer` JSON; of a suspended call what `elsewhere.py` packs."""


class Mailbox:
    """One worker's end of the channel on which workers send each other letters."""

    def __init__(self, redis: Redis, ring: KeyRing, deliver: Callable[[Letter], None]) -> None:
        self._redis = redis
        self._sealer = Sealer(ring, "mailbox")
        self._deliver = deliver
        self.reconnected: Callable[[], None] = lambda: None
        """Called whenever letters may have been missed."""

    async def post(self, letter: Letter) -> bool:
        """Send a letter to every worker; False when it could not be sent. This worker reads it too."""
        sealed = self._sealer.seal(msgspec.msgpack.encode(letter))
        try:
            await self._redis.ask(self._redis.commands.publish(redis_names.MAILBOX, sealed))
        except RedisAway:
            return False
        return True

    async def read(self) -> None:
        """Run until cancelled."""
        await forever("mailbox", self._read_while_open, _RETRY_S)

    async def _read_while_open(self) -> None:
        try:
            async with self._redis.blocking.pubsub() as channel:
                await channel.subscribe(redis_names.MAILBOX)
                self.reconnected()
                while True:
                    message = await channel.get_message(ignore_subscribe_messages=True, timeout=_POLL_S)
                    if message is not None:
                        self._open(message["data"])
        except FAULTS as error:
            log.info("the mailbox is closed for now", extra={"why": type(error).__name__})
            await asyncio.sleep(_RETRY_S)

    def _open(self, sealed: bytes) -> None:
        try:
            self._deliver(msgspec.msgpack.decode(self._sealer.open(sealed), type=Letter))
        except (SealBroken, msgspec.MsgspecError) as broken:
            log.error("a letter was not ours", extra={"why": str(broken)})
