"""What a legacy session is subscribed to, kept in Redis: the worker that has its stream is seldom the one it asked.

Each is sealed under the session's jti, so that Redis can neither add one nor give it to another session; it may lose
them, as anything in it. Called by `subscriptions`.
"""

import hashlib
import logging
from typing import Final

import msgspec

from core import redis_names
from core.keys import KeyRing
from core.sealing import SealBroken, Sealer
from proxy.gateways.stream_news import Subscribed
from proxy.redis import Redis, RedisAway
from proxy.refusals import Refusal
from proxy.sessions.sealed import LIFETIME_S

log = logging.getLogger(__name__)
MOST_OF_SESSION: Final = 100


class OfSessions:
    """The subscriptions of legacy sessions, whichever worker they were asked of."""

    def __init__(self, redis: Redis, ring: KeyRing) -> None:
        self._redis, self._sealer = redis, Sealer(ring, "subscription")

    async def add(self, jti: str, one: Subscribed) -> None:
        """Keep one more. Refuses `subscriptions_away` and `too_many_subscriptions`."""
        name, commands = redis_names.subscribed_key(jti), self._redis.commands
        sealed = self._sealer.seal(msgspec.msgpack.encode(one), jti)
        try:
            if await self._redis.ask(commands.hlen(name)) >= MOST_OF_SESSION:
                raise Refusal("too_many_subscriptions", most=MOST_OF_SESSION)
            await self._redis.ask(commands.hset(name, _field(one.exposed), sealed))
            await self._redis.ask(commands.expire(name, LIFETIME_S))
        except RedisAway:
            raise Refusal("subscriptions_away") from None

    async def remove(self, jti: str, exposed: str) -> None:
        """Keep it no more. Refuses `subscriptions_away`."""
        try:
            await self._redis.ask(self._redis.commands.hdel(redis_names.subscribed_key(jti), _field(exposed)))
        except RedisAway:
            raise Refusal("subscriptions_away") from None

    async def all(self, jti: str) -> list[Subscribed] | None:
        """All of a session; None where Redis cannot say."""
        try:
            kept = await self._redis.ask(self._redis.commands.hvals(redis_names.subscribed_key(jti)))
        except RedisAway:
            return None
        return [one for sealed in kept[: 2 * MOST_OF_SESSION] if (one := self._read(jti, sealed)) is not None]

    def _read(self, jti: str, sealed: bytes) -> Subscribed | None:
        try:
            return msgspec.msgpack.decode(self._sealer.open(sealed, jti), type=Subscribed)
        except (SealBroken, msgspec.MsgspecError) as broken:
            log.error("a kept subscription was not ours", extra={"why": str(broken)})
            return None


def _field(exposed: str) -> bytes:
    """A URI may be long; under its digest each stands once."""
    return hashlib.sha256(exposed.encode("utf-8", "surrogatepass")).digest()
