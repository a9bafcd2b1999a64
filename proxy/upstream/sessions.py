"""Sessions with legacy upstreams: made on first use, one per owner, remade when the upstream has lost one.

The owner is the entry's choice: the caller (default), the caller's own session, or everybody where the entry says so.
A session is never used for another owner. Sealed copies in Redis let another worker use it. Called by `sent_call`,
`conversation` and `probe`; how one is opened is in `handshake`, what an answer says of one in `session_loss`.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec
import orjson

from core import redis_names
from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.keys import KeyRing
from core.resolve import ResolvedInstallation
from core.sealing import SealBroken, Sealer
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.single_flight import SingleFlight
from proxy.caches.standing import Standing
from proxy.redis import Redis, RedisAway
from proxy.upstream.answers import is_answer_to, is_success, messages
from proxy.upstream.handshake import OPEN_S, Opened, UpstreamSession, initialize
from proxy.upstream.outbound import Outbound
from proxy.upstream.session_loss import speaks_of_session
from proxy.upstream.transport import Transport

log = logging.getLogger(__name__)
_KEPT = 20_000
_AGE_S = 1500.0
"""SDK servers end a session that was idle for 30 minutes."""
_PING_S = 5.0
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
"""Capabilities of a session in which a server asks nothing."""


@dataclass(slots=True, eq=False)
class HeldSession:
    """A session that this worker uses, and since when (monotonic)."""

    session: UpstreamSession
    since: float
    stands: bool = True
    """False once it is used no more."""

    @property
    def good_until(self) -> float:
        """Monotonic time after which it is looked for again."""
        return self.since + _AGE_S


class UpstreamSessions:
    """The sessions with legacy upstreams, by owner and upstream."""

    def __init__(self, transport: Transport, redis: Redis, ring: KeyRing, tasks: Tasks) -> None:
        self._transport, self._redis = transport, redis
        self._sealer = Sealer(ring, "upstream-session")
        self._held: Standing[str, HeldSession] = Standing(_KEPT)
        self._fresh: Bounded[str, UpstreamSession] = Bounded(_KEPT)
        """Which one this worker opened last."""
        self._doubted: Bounded[str, tuple[UpstreamSession, float]] = Bounded(_KEPT)
        self._lost: Bounded[str, UpstreamSession] = Bounded(_KEPT)
        """Which one was lost last: Redis may have been away when its copy was to be deleted."""
        self._opening = SingleFlight[UpstreamSession]("open upstream session", tasks)

    @staticmethod
    def key(
        installation: ResolvedInstallation, principal_key: str, session_jti: str | None, profile: str = ""
    ) -> str:
        """Who shares this session. One that declares capabilities (`profile`) is its client's alone: the server asks
        that client, and no other.
        """
        if profile:
            client = f"session:{session_jti}" if session_jti else principal_key
            return f"{installation.installation_id}/{installation.version}/{client}/{profile}"
        owner = {"shared": "*", "principal": principal_key}.get(installation.isolation)
        if owner is None:
            owner = f"session:{session_jti}" if session_jti else principal_key
        return f"{installation.installation_id}/{installation.version}/{owner}"

    def known(self, key: str) -> UpstreamSession | None:
        """The session, if this worker has it. The warm path."""
        held = self._held.peek(key)
        if held is None or time.monotonic() > held.good_until:
            return None
        self._held.touch(key)
        return held.session

    def held(self, key: str) -> HeldSession | None:
        """What `known` rests on."""
        return self._held.peek(key)

    async def open(
        self,
        key: str,
        installation: ResolvedInstallation,
        within: float = OPEN_S,
        capabilities: Mapping[str, object] = NOTHING,
    ) -> UpstreamSession:
        """The session, from Redis or by `initialize`, once for all who wait. Raises UpstreamFault or Refusal."""
        return await self._opening.result(key, lambda: self._find_or_open(key, installation, within, capabilities))

    async def open_anew(
        self,
        key: str,
        installation: ResolvedInstallation,
        within: float = OPEN_S,
        capabilities: Mapping[str, object] = NOTHING,
    ) -> Opened:
        """A new session, whatever is remembered of one: for discovery, which begins afresh. Raises as `open`."""
        self._doubted.pop(key)
        return await self._opened(key, installation, within, capabilities)

    def is_fresh(self, key: str, session: UpstreamSession) -> bool:
        """Whether this worker has opened it, and not found it in Redis."""
        return self._fresh.peek(key) == session

    async def lost(self, key: str, session: UpstreamSession) -> None:
        """The upstream does not know this session any more: forget it, unless another took its place already."""
        held = self._held.get(key)
        if held is not None and held.session == session:
            self._held.pop(key)
        self._lost.put(key, session)
        if await self._copy(key) != session:
            return  # another worker has opened a new one already
        try:
            await self._redis.ask(self._redis.commands.delete(redis_names.upstream_session_key(key)))
        except RedisAway:
            return

    def doubt(self, key: str, session: UpstreamSession) -> None:
        """The upstream failed, perhaps because of this session: ask it with a `ping` before it is used again."""
        held = self._held.get(key)
        if held is not None and held.session == session:
            self._held.pop(key)
            self._doubted.put(key, (session, time.monotonic()))

    def forget_installation(self, identifier: str) -> None:
        """The installation changed."""
        for key in {*self._held, *self._doubted}:
            if key.startswith(identifier + "/"):
                self._held.pop(key)
                self._doubted.pop(key)

    async def _find_or_open(
        self, key: str, installation: ResolvedInstallation, within: float, capabilities: Mapping[str, object]
    ) -> UpstreamSession:
        session = await self._doubted_that_lives(key, installation) or await self._copy(key)
        of_another_pin = session is not None and installation.revision not in ("", session.version)
        if session is None or of_another_pin or session == self._lost.peek(key):
            return (await self._opened(key, installation, within, capabilities)).session
        self._held.put(key, HeldSession(session, time.monotonic()))
        return session

    async def _opened(
        self, key: str, installation: ResolvedInstallation, within: float, capabilities: Mapping[str, object]
    ) -> Opened:
        opened = await initialize(self._transport, installation, within, capabilities)
        session = opened.session
        self._fresh.put(key, session)
        await self._leave_copy(key, session)
        self._held.put(key, HeldSession(session, time.monotonic()))
        return opened

    async def _doubted_that_lives(self, key: str, installation: ResolvedInstallation) -> UpstreamSession | None:
        doubted = self._doubted.pop(key)
        if doubted is None or time.monotonic() - doubted[1] > _AGE_S:
            return None
        session = doubted[0]
        try:
            lives = await self._answers_ping(installation, session)
        except UpstreamFault as fault:
            if not fault.sent:  # the server was not reached: nothing is known yet
                self._doubted.put(key, doubted)
                raise
            lives = False
        if lives:
            return session
        await self.lost(key, session)
        return None

    async def _answers_ping(self, installation: ResolvedInstallation, session: UpstreamSession) -> bool:
        outbound = Outbound("ping", {}, installation.own_headers)
        message, headers = outbound.legacy(session.version, session.id)
        url, body = PublicUrl(installation.url), orjson.dumps(message)
        async with self._transport.request("POST", url, headers, body, deadline=_PING_S) as response:
            if not is_success(response.status):
                return False
            async for answer in messages(response, cap_bytes=1 << 16):
                if is_answer_to(answer, outbound.id):
                    error = answer.get("error")
                    return not isinstance(error, dict) or not speaks_of_session(error)
        return False

    async def _copy(self, key: str) -> UpstreamSession | None:
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

    async def _leave_copy(self, key: str, session: UpstreamSession) -> None:
        sealed = self._sealer.seal(msgspec.msgpack.encode(session), key)
        try:
            await self._redis.ask(
                self._redis.commands.set(redis_names.upstream_session_key(key), sealed, ex=int(_AGE_S))
            )
        except RedisAway:
            return
