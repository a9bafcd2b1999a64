"""Sessions with legacy upstreams: made on first use, one per owner, remade when the upstream has lost one.

The owner is the entry's choice: the caller (default), the caller's own session, or everybody where the entry says so.
A session is never used for another owner. Copies in Redis (`session_copies`) let another worker use it. Called by
`sent_call`, `conversation` and `probe`; how one is opened is in `handshake`, what an answer says of one in
`session_loss`, and how those end that are used no more in `session_ends`.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import orjson

from core.egress.faults import UpstreamFault
from core.keys import KeyRing
from core.resolve import ResolvedInstallation
from core.single_flight import SingleFlight
from core.tasks import Tasks, forever
from proxy.caches.bounded import Bounded
from proxy.caches.standing import Standing
from proxy.redis import Redis
from proxy.upstream.addresses import address_of
from proxy.upstream.answers import is_answer_to, is_success, messages
from proxy.upstream.handshake import OPEN_S, Opened, UpstreamSession, initialize
from proxy.upstream.outbound import Outbound
from proxy.upstream.session_copies import AGE_S, SessionCopies
from proxy.upstream.session_ends import SessionEnds
from proxy.upstream.session_loss import speaks_of_session
from proxy.upstream.transport import Transport

MOST = 20_000
_PING_S = 5.0
_TICK_S: Final = 1.0
_SWEEP_S: Final = 60.0
"""How often those are looked for that grew old without being used."""
LEAVE_S: Final = 1.0
"""How long a worker that stops takes to end its sessions."""
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
"""Capabilities of a session in which a server asks nothing."""


@dataclass(slots=True, eq=False)
class HeldSession:
    """A session that this worker uses, and since when (monotonic)."""

    key: str
    session: UpstreamSession
    since: float
    installation: ResolvedInstallation
    """With whose credential it was opened, or found."""
    stands: bool = True
    """False once it is used no more."""

    @property
    def good_until(self) -> float:
        """Monotonic time after which it is looked for again."""
        return self.since + AGE_S


class UpstreamSessions:
    """The sessions with legacy upstreams, by owner and upstream."""

    def __init__(self, transport: Transport, redis: Redis, ring: KeyRing, tasks: Tasks) -> None:
        self._transport = transport
        self._copies = SessionCopies(redis, ring)
        self.ends = SessionEnds(transport, self._copies)
        self._held: Standing[str, HeldSession] = Standing(MOST)
        self._fresh: Bounded[str, UpstreamSession] = Bounded(MOST)
        """Which one this worker opened last."""
        self._doubted: Bounded[str, tuple[HeldSession, float]] = Bounded(MOST)
        self._lost: Bounded[str, UpstreamSession] = Bounded(MOST)
        """Which one was lost last: Redis may have been away when its copy was to be deleted."""
        self._sweeps_at = 0.0
        self._opening = SingleFlight[UpstreamSession]("open upstream session", tasks)

    @staticmethod
    def key(
        installation: ResolvedInstallation, principal_key: str, session_jti: str | None, profile: str = ""
    ) -> str:
        """Who shares this session. One that declares capabilities (`profile`) is its client's alone: the server asks
        that client, and no other. What was opened with a credential that is another for each caller is theirs alone.
        """
        owns = installation.made_for or principal_key
        if profile:
            client = f"session:{session_jti}" if session_jti else owns
            return f"{installation.installation_id}/{installation.version}/{client}/{profile}"
        owner = {"shared": installation.made_for or "*", "principal": owns}.get(installation.isolation)
        if owner is None:
            owner = f"session:{session_jti}" if session_jti else owns
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
        self._give_up_doubted(key)
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
        self.ends.take_back(key, session)
        await self._copies.drop(key, session)  # if it is there still: another worker may have opened a new one

    async def leave(self, key: str, session: UpstreamSession) -> None:
        """The upstream refuses a call in this session without a word why: it is used no more."""
        held = self._held.peek(key)
        await self.lost(key, session)
        if held is not None and held.session == session:
            self.ends.give_up(key, session, held.installation)

    def doubt(self, key: str, session: UpstreamSession) -> None:
        """The upstream failed, perhaps because of this session: ask it with a `ping` before it is used again."""
        held = self._held.get(key)
        if held is not None and held.session == session:
            self._held.pop(key)
            self._doubted.put(key, (held, time.monotonic()))

    def forget_installation(self, identifier: str) -> None:
        """The installation is gone, or has another server or credential: its sessions are over."""
        for key in {*self._held, *self._doubted}:
            if key.startswith(identifier + "/"):
                self._give_up(key)

    async def keep_ending(self) -> None:
        """End what is used no more, until cancelled."""
        await forever("ends of upstream sessions", self._end_due, _TICK_S)

    async def close(self) -> None:
        """The worker stops, and its calls have ended: end the sessions that no other worker uses."""
        for key in {*self._held, *self._doubted}:
            self._give_up(key)
        await self.ends.end_all(LEAVE_S)

    async def _end_due(self) -> None:
        await asyncio.sleep(_TICK_S)
        if time.monotonic() >= self._sweeps_at:
            self._sweeps_at = time.monotonic() + _SWEEP_S
            self._give_up_old()
        await self.ends.end_due()

    def _give_up_old(self) -> None:
        now = time.monotonic()
        for key, held in self._held.items():
            if now > held.good_until:
                self._give_up(key)
        for key, (_, since) in self._doubted.items():
            if now > since + AGE_S:
                self._give_up_doubted(key)

    def _give_up(self, key: str) -> None:
        """What is held, or doubted, under this key is used no more."""
        held = self._held.pop(key)
        if held is not None:
            self.ends.give_up(key, held.session, held.installation)
        self._give_up_doubted(key)

    def _give_up_doubted(self, key: str) -> None:
        doubted = self._doubted.pop(key)
        if doubted is not None:
            self.ends.give_up(key, doubted[0].session, doubted[0].installation)

    async def _find_or_open(
        self, key: str, installation: ResolvedInstallation, within: float, capabilities: Mapping[str, object]
    ) -> UpstreamSession:
        session = await self._doubted_that_lives(key, installation) or await self._copies.read(key)
        of_another_pin = session is not None and installation.revision not in ("", session.version)
        if session is None or of_another_pin or session == self._lost.peek(key):
            return (await self._opened(key, installation, within, capabilities)).session
        await self._copies.join(key, session)
        self._hold(key, session, installation)
        return session

    async def _opened(
        self, key: str, installation: ResolvedInstallation, within: float, capabilities: Mapping[str, object]
    ) -> Opened:
        opened = await initialize(self._transport, installation, within, capabilities)
        session = opened.session
        self._fresh.put(key, session)
        await self._copies.share(key, session)
        self._hold(key, session, installation)
        return opened

    def _hold(self, key: str, session: UpstreamSession, installation: ResolvedInstallation) -> None:
        """Use the session from now on, and no other under this key or with the credential before."""
        self.ends.take_back(key, session)
        self._give_up(_key_before(key, installation))
        before = self._held.peek(key)
        if before is not None and before.session != session:
            self._give_up(key)
        gone = self._held.put(key, HeldSession(key, session, time.monotonic(), installation))
        if gone is not None:
            self.ends.give_up(gone.key, gone.session, gone.installation)

    async def _doubted_that_lives(self, key: str, installation: ResolvedInstallation) -> UpstreamSession | None:
        doubted = self._doubted.peek(key)
        if doubted is None or time.monotonic() - doubted[1] > AGE_S:
            self._give_up_doubted(key)
            return None
        self._doubted.pop(key)
        session = doubted[0].session
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
        url, body = address_of(installation), orjson.dumps(message)
        async with self._transport.request("POST", url, headers, body, deadline=_PING_S) as response:
            if not is_success(response.status):
                return False
            async for answer in messages(response, cap_bytes=1 << 16):
                if is_answer_to(answer, outbound.id):
                    error = answer.get("error")
                    return not isinstance(error, dict) or not speaks_of_session(error)
        return False


def _key_before(key: str, installation: ResolvedInstallation) -> str:
    """The key of the same owner's session with the credential before this one."""
    identifier, _, owner = key.split("/", 2)
    return f"{identifier}/{installation.version - 1}/{owner}"
