"""Legacy sessions: an identifier that says everything about its session and can be read by any worker.

A session id is sealed {128-bit jti, version, capability bits, issued}, bound to the gateway, the principal and the
kind of authentication, never to a token: it opens for nobody else and on no other gateway, and a client cannot
choose one. It proves no identity. DELETE leaves a tombstone: in Redis for as long as the session would have lived,
and on the mailbox for the workers that know the session already.
"""

import base64
import binascii
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass

import msgspec

from core import redis_names
from core.keys import KeyRing
from core.sealing import SealBroken, Sealer
from proxy.redis import Redis, RedisAway

LIFETIME_S = 86_400
_CACHED = 50_000
_LONGEST_ID = 512


@dataclass(frozen=True, slots=True)
class Session:
    """A legacy client's session."""

    jti: str
    version: str
    capabilities: int
    issued: int


class _Inside(msgspec.Struct, array_like=True):
    jti: bytes
    version: str
    capabilities: int
    issued: int


class Sessions:
    """Makes, opens and ends sessions."""

    def __init__(self, ring: KeyRing, redis: Redis) -> None:
        self._sealer = Sealer(ring, "session")
        self._redis = redis
        self._seen: OrderedDict[tuple[str, str, str], Session] = OrderedDict()
        self._ended: OrderedDict[str, float] = OrderedDict()

    def new(self, gateway_id: str, principal_key: str, version: str, capabilities: int) -> tuple[str, Session]:
        """A session and its identifier, visible ASCII (MCP 2025-11-25, transports, "Session Management")."""
        jti = secrets.token_bytes(16)
        session = Session(jti.hex(), version, capabilities, int(time.time()))
        inside = msgspec.msgpack.encode(_Inside(jti, version, capabilities, session.issued))
        sealed = self._sealer.seal(inside, gateway_id, principal_key, "token")
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode(), session

    def known(self, text: str, gateway_id: str, principal_key: str) -> Session | None:
        """The session, if this worker has seen and checked it. The warm path."""
        session = self._seen.get((text, gateway_id, principal_key))
        if session is None or time.time() - session.issued > LIFETIME_S or session.jti in self._ended:
            return None
        return session

    async def open(self, text: str, gateway_id: str, principal_key: str) -> Session | None:
        """The session behind an identifier; None for what is forged, foreign, expired or ended."""
        session = self._read(text, gateway_id, principal_key)
        if session is None or session.jti in self._ended:
            return None
        try:
            if await self._redis.ask(self._redis.commands.exists(redis_names.tombstone_key(session.jti))):
                self.end_here(session.jti)
                return None
        except RedisAway:
            return (
                session  # not remembered as seen: asked again while Redis is away, where a tombstone cannot be read
            )
        self._seen[(text, gateway_id, principal_key)] = session
        while len(self._seen) > _CACHED:
            self._seen.popitem(last=False)
        return session

    async def end(self, session: Session) -> None:
        """End a session before its time; the caller tells the other workers."""
        self.end_here(session.jti)
        left = max(1, int(session.issued + LIFETIME_S - time.time()))
        try:
            await self._redis.ask(self._redis.commands.set(redis_names.tombstone_key(session.jti), b"1", ex=left))
        except RedisAway:
            return

    def end_here(self, jti: str) -> None:
        """Take the session for ended in this worker."""
        self._ended[jti] = time.monotonic()
        while len(self._ended) > _CACHED:
            self._ended.popitem(last=False)

    def has_ended(self, jti: str) -> bool:
        """Whether this worker knows the session to be over."""
        return jti in self._ended

    def forget_seen(self) -> None:
        """Look for tombstones again: this worker may have missed the mailbox."""
        self._seen.clear()

    def _read(self, text: str, gateway_id: str, principal_key: str) -> Session | None:
        if len(text) > _LONGEST_ID:
            return None
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            inside = msgspec.msgpack.decode(
                self._sealer.open(sealed, gateway_id, principal_key, "token"), type=_Inside
            )
        except (binascii.Error, ValueError, SealBroken, msgspec.MsgspecError):
            return None
        if time.time() - inside.issued > LIFETIME_S:
            return None
        return Session(inside.jti.hex(), inside.version, inside.capabilities, inside.issued)
