"""Ends sessions with legacy upstreams that were given up, with DELETE, so that servers need not keep them.

`sessions` gives up what it uses no more: a session that grew old or had to make room, one of an installation that is
gone or was filled in otherwise, one whose credential was replaced, and all when the worker stops. A call may still
run in it: so it is ended when no call of its installation's version runs here any more, and by the last worker that
used it (`session_copies`). What cannot be ended is left to the server, which ends what is idle: a server that refuses
(405 says that clients end nothing here) or cannot be reached, more sessions than `MOST`, a Redis that is away.
MCP 2025-11-25, transports, "Session Management".
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from core.egress.faults import UpstreamFault
from core.resolve import ResolvedInstallation
from proxy.caches.bounded import Bounded
from proxy.upstream.addresses import address_of
from proxy.upstream.courtesy import headers_of_end
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.session_copies import SessionCopies
from proxy.upstream.transport import Transport

log = logging.getLogger(__name__)
MOST: Final = 5_000
"""Sessions that wait to be ended."""
LONGEST_S: Final = 660.0
"""After this no call of before runs: a little more than the ceiling of a call."""
DELETE_S: Final = 5.0
AT_ONCE: Final = 32
_MOST_READ: Final = 1 << 16
"""Bytes of an answer, which says nothing that matters; they are read so that the connection is used again."""
Version = tuple[str, int]
"""An installation's identifier and version."""


@dataclass(frozen=True, slots=True)
class _GivenUp:
    key: str
    session: UpstreamSession
    installation: ResolvedInstallation
    since: float

    @property
    def version(self) -> Version:
        return self.installation.installation_id, self.installation.version


class SessionEnds:
    """The sessions that one worker has given up and not ended yet."""

    def __init__(self, transport: Transport, copies: SessionCopies) -> None:
        self._transport, self._copies = transport, copies
        self._waiting: Bounded[tuple[str, str], _GivenUp] = Bounded(MOST)
        self.running: Callable[[], Collection[Version]] = set
        """Through which installations calls run just now; the worker says it."""

    def __len__(self) -> int:
        return len(self._waiting)

    def give_up(self, key: str, session: UpstreamSession, installation: ResolvedInstallation) -> None:
        """End this session when nobody needs it any more."""
        if session.id is None:
            return  # the server keeps none
        one = _GivenUp(key, session, installation, time.monotonic())
        if self._waiting.put((key, session.id), one) is not None:
            log.warning("more upstream sessions were given up than can wait to be ended", extra={"most": MOST})

    def take_back(self, key: str, session: UpstreamSession) -> None:
        """It is used again, or is lost: there is nothing to end."""
        if session.id is not None:
            _ = self._waiting.pop((key, session.id))

    async def end_due(self) -> None:
        """End those in which no call runs any more."""
        if not self._waiting:
            return
        running, latest = self.running(), time.monotonic() - LONGEST_S
        await self._end(one for one in self._waiting.values() if one.version not in running or one.since < latest)

    async def end_all(self, within: float) -> None:
        """The worker stops, and its calls have ended: end all, as far as that is done in so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._end(self._waiting.values())
        except TimeoutError:
            log.info("not all upstream sessions were ended", extra={"left": len(self._waiting)})

    async def _end(self, given_up: Iterable[_GivenUp]) -> None:
        rest = iter(list(given_up))

        async def end_the_next_ones() -> None:
            for one in rest:
                await self._end_one(one)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(self._waiting))):
                _ = group.create_task(end_the_next_ones())

    async def _end_one(self, one: _GivenUp) -> None:
        assert one.session.id is not None  # `give_up` sees to it
        if self._waiting.pop((one.key, one.session.id)) is None:
            return  # it was taken back
        if not await self._copies.is_last_to_leave(one.key, one.session):
            return
        await self._copies.drop(one.key, one.session)
        url, headers = address_of(one.installation), headers_of_end(one.installation, one.session)
        try:
            async with self._transport.request("DELETE", url, headers, deadline=DELETE_S) as response:
                _ = await response.read_capped(_MOST_READ)
        except (UpstreamFault, ValueError) as fault:
            log.info("an upstream session was not ended", extra={"entry": one.installation.entry, "why": str(fault)})
