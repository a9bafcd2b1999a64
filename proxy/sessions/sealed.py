"""Legacy sessions: an identifier that says everything about its session and can be read by any worker.

A session id is sealed {128-bit jti, version, capability bits, issued}, bound to the gateway, the principal and the
way of authenticating, never to a credential: it opens for nobody else and on no other gateway, and a client cannot
choose one. It proves no identity. A session that is ended before its time leaves a tombstone in Redis, for as long
as it would have lived; `endings.py` tells the workers that know the session already. Used by the stage
`enter_gateway`.
"""

import base64
import binascii
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from core import redis_names
from core.keys import KeyRing
from core.mcp.methods import LOG_LEVELS
from core.resolve import Way
from core.sealing import SealBroken, Sealer
from proxy.caches.bounded import Bounded
from proxy.caches.standing import Standing
from proxy.caller import Caller
from proxy.redis import Redis, RedisAway

LIFETIME_S = 86_400
_CACHED = 50_000
_LONGEST_ID = 512
_AT_ONCE = 500
_LEVELS = frozenset(level.encode() for level in LOG_LEVELS)

_Key = tuple[str, str, str, Way]
"""Identifier, gateway, principal, way of authenticating."""


@dataclass(slots=True)
class Session:
    """A legacy client's session, as its sealed identifier says it."""

    jti: str
    version: str
    capabilities: int
    issued: int
    log_level: str = field(default="", compare=False)
    """From which on its client hears what servers log; empty where it said none, and each server decides."""
    stands: bool = field(default=True, compare=False)
    """False once this worker holds it no more, or may have missed its end."""

    @property
    def is_over(self) -> bool:
        """Whether its time is over, whoever has it open."""
        return time.time() - self.issued > LIFETIME_S


class _Inside(msgspec.Struct, array_like=True):
    jti: bytes
    version: str
    capabilities: int
    issued: int


class Sessions:
    """Makes, opens and ends the sessions of legacy clients."""

    def __init__(self, ring: KeyRing, redis: Redis) -> None:
        self._sealer = Sealer(ring, "session")
        self._redis = redis
        self._seen: Standing[_Key, Session] = Standing(_CACHED)
        """Sessions that were looked for in Redis and had not ended; none that this worker knows to be over."""
        self._keys: dict[str, _Key] = {}
        """Under which key a session is in `_seen`, by its jti."""
        self._ended: Bounded[str, bool] = Bounded(_CACHED)
        """The latest that have ended, by their jti. Of those forgotten here, Redis has the tombstone."""
        self._doubts = 0

    def new(self, gateway_id: str, caller: Caller, version: str, capabilities: int) -> tuple[str, Session]:
        """A session and its identifier, visible ASCII (MCP 2025-11-25, transports, "Session Management")."""
        jti = secrets.token_bytes(16)
        session = Session(jti.hex(), version, capabilities, int(time.time()))
        inside = msgspec.msgpack.encode(_Inside(jti, version, capabilities, session.issued))
        sealed = self._sealer.seal(inside, gateway_id, caller.key, caller.way)
        return _text(sealed), session

    def known(self, text: str, gateway_id: str, caller: Caller) -> Session | None:
        """The session, if this worker has seen and checked it. The warm path."""
        key = (text, gateway_id, caller.key, caller.way)
        session = self._seen.peek(key)
        if session is None or time.time() - session.issued > LIFETIME_S:
            return None
        self._seen.touch(key)
        return session

    def holds(self, session: Session) -> bool:
        """Whether it is this very session that `known` gives."""
        key = self._keys.get(session.jti)
        return key is not None and self._seen.peek(key) is session

    async def open(self, text: str, gateway_id: str, caller: Caller) -> Session | None:
        """The session behind an identifier; None for what is forged, foreign, expired or ended."""
        session = self._read(text, gateway_id, caller)
        if session is None or session.jti in self._ended:
            return None
        doubts = self._doubts
        try:
            names = [redis_names.tombstone_key(session.jti), redis_names.log_level_key(session.jti)]
            buried, level = await self._redis.ask(self._redis.commands.mget(names))
        except RedisAway:
            # Not remembered as seen: while no tombstone can be read, it is asked about again.
            return None if session.jti in self._ended else session
        if buried:
            self.end_here(session.jti)
        if session.jti in self._ended:  # perhaps since we asked
            return None
        session.log_level = _level(level)
        if doubts == self._doubts:
            self._remember((text, gateway_id, caller.key, caller.way), session)
        return session

    async def bury(self, session: Session) -> bool:
        """Leave a tombstone in Redis, for workers that have not seen the session; False where Redis is away."""
        left = max(1, int(session.issued + LIFETIME_S - time.time()))
        try:
            await self._redis.ask(self._redis.commands.set(redis_names.tombstone_key(session.jti), b"1", ex=left))
        except RedisAway:
            return False
        return True

    async def keep_level(self, session: Session, level: str) -> bool:
        """From which level on a session hears what servers log, here and for workers that meet it later; False where
        Redis is away.
        """
        session.log_level = level
        self.hears_from(session.jti, level)
        name = redis_names.log_level_key(session.jti)
        try:
            await self._redis.ask(self._redis.commands.set(name, level.encode(), ex=LIFETIME_S))
        except RedisAway:
            return False
        return True

    def hears_from(self, jti: str, level: str) -> None:
        """A session's level is known. It is another session then, so that what rests on the one before ends."""
        key = self._keys.get(jti)
        session = None if key is None else self._seen.peek(key)
        if key is not None and session is not None:
            self._remember(key, replace(session, log_level=_level(level.encode()), stands=True))

    async def look_for(self, jtis: Sequence[str]) -> bool:
        """Learn which of these sessions have a tombstone; False where Redis is away."""
        for start in range(0, len(jtis), _AT_ONCE):
            some = jtis[start : start + _AT_ONCE]
            try:
                stones = await self._redis.ask(
                    self._redis.commands.mget([redis_names.tombstone_key(jti) for jti in some])
                )
            except RedisAway:
                return False
            for jti, stone in zip(some, stones, strict=True):
                if stone is not None:
                    self.end_here(jti)
        return True

    def end_here(self, jti: str) -> None:
        """Take the session for ended in this worker."""
        self._ended.put(jti, True)
        key = self._keys.pop(jti, None)
        if key is not None:
            self._seen.pop(key)

    def has_ended(self, jti: str) -> bool:
        """Whether this worker knows the session to be over."""
        return jti in self._ended

    def forget_seen(self) -> None:
        """Look for tombstones again: this worker may have missed the mailbox."""
        self._doubts += 1
        self._seen.clear()
        self._keys.clear()

    def _remember(self, key: _Key, session: Session) -> None:
        gone = self._seen.put(key, session)
        self._keys[session.jti] = key
        if gone is not None:
            del self._keys[gone.jti]

    def _read(self, text: str, gateway_id: str, caller: Caller) -> Session | None:
        if len(text) > _LONGEST_ID:
            return None
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            if _text(sealed) != text:
                return None  # base64 has several spellings of the same bytes; a session has one identifier
            opened = self._sealer.open(sealed, gateway_id, caller.key, caller.way)
            inside = msgspec.msgpack.decode(opened, type=_Inside)
        except (binascii.Error, ValueError, SealBroken, msgspec.MsgspecError):
            return None
        if time.time() - inside.issued > LIFETIME_S:
            return None
        return Session(inside.jti.hex(), inside.version, inside.capabilities, inside.issued)


def _level(kept: bytes | None) -> str:
    """A level that was kept, if it is one: whatever stands in Redis, no more can be meant by it."""
    level = b"" if kept is None else kept
    return level.decode() if level in _LEVELS else ""


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
