"""What workers tell each other, by Redis, of sessions with legacy upstreams: a sealed copy, and who uses each.

`sessions` reads and shares copies, so that a session that one worker opened is used by the others; `session_ends`
asks who is the last to use one, for only that worker may end it. A worker that dies without a word stays among the
users until their list ends by its age: then nobody ends the session, and its server does so when it was idle for
long.
"""

import logging
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final

import msgspec

from core import redis_names
from core.identifiers import new_id
from core.keys import KeyRing
from core.sealing import SealBroken, Sealer
from proxy.redis import Redis, RedisAway
from proxy.upstream.handshake import UpstreamSession

log = logging.getLogger(__name__)
AGE_S: Final = 1500.0
"""SDK servers end a session that was idle for 30 minutes."""
_USERS_AGE_S: Final = int(2 * AGE_S)
"""A worker that found a copy at its end uses the session for as long again."""


class SessionCopies:
    """Copies of sessions under the keys of `UpstreamSessions.key`. Nothing is raised: where Redis is away, there are
    none.
    """

    def __init__(self, redis: Redis, ring: KeyRing) -> None:
        self._redis = redis
        self._sealer = Sealer(ring, "upstream-session")
        self._me = new_id()

    async def read(self, key: str) -> UpstreamSession | None:
        """The copy under this key."""
        try:
            sealed = await self._redis.ask(self._redis.commands.get(redis_names.upstream_session_key(key)))
            if sealed is None:
                return None
            return msgspec.msgpack.decode(self._sealer.open(sealed, key), type=UpstreamSession)
        except RedisAway:
            return None
        except (SealBroken, msgspec.MsgspecError) as broken:
            log.error("a kept upstream session was not ours", extra={"why": str(broken)})
            return None

    async def share(self, key: str, session: UpstreamSession) -> None:
        """Put a copy of a session that this worker opened, and uses, where the others find it."""
        sealed = self._sealer.seal(msgspec.msgpack.encode(session), key)
        pipeline = self._redis.commands.pipeline(transaction=True)
        pipeline.set(redis_names.upstream_session_key(key), sealed, ex=int(AGE_S))
        await self._join(pipeline, key, session)

    async def drop(self, key: str, session: UpstreamSession) -> None:
        """Take the copy away, unless it is of another session by now."""
        if await self.read(key) != session:
            return
        with suppress(RedisAway):
            await self._redis.ask(self._redis.commands.delete(redis_names.upstream_session_key(key)))

    async def join(self, key: str, session: UpstreamSession) -> None:
        """This worker uses the session from now on, as others do."""
        await self._join(self._redis.commands.pipeline(transaction=True), key, session)

    async def is_last_to_leave(self, key: str, session: UpstreamSession) -> bool:
        """This worker uses the session no more; whether nobody else does. False where Redis cannot say."""
        if session.id is None:
            return False
        users = _users(key, session.id)
        pipeline = self._redis.commands.pipeline(transaction=True)
        pipeline.srem(users, self._me)
        pipeline.scard(users)
        try:
            return int((await self._redis.ask(pipeline.execute()))[1]) == 0
        except RedisAway:
            return False

    async def _join(self, pipeline: Any, key: str, session: UpstreamSession) -> None:
        """Run the pipeline, with this worker among the session's users."""
        if session.id is not None:  # else there is nothing that could be ended
            pipeline.sadd(_users(key, session.id), self._me)
            pipeline.expire(_users(key, session.id), _USERS_AGE_S)
        with suppress(RedisAway):
            await self._redis.ask(pipeline.execute())


def _users(key: str, session_id: str) -> str:
    """Two workers may have opened a session each under one key."""
    return redis_names.upstream_session_users_key(key, sha256(session_id.encode()).hexdigest()[:32])
