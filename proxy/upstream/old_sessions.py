"""Sessions with servers that speak only the transport of 2024-11-05: which these are, and one for each owner.

`conversation` asks here where a server opens no session by the later transport; `probe` where it is discovered. A
connection lives in one worker, so that each worker has its own; one that has ended is made again with the next call.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from core.egress.faults import UpstreamFault
from core.mcp.versions import MODERN, Era
from core.resolve import ResolvedInstallation
from core.single_flight import SingleFlight
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.refusals import Refusal
from proxy.upstream.addresses import policy_of
from proxy.upstream.answers import Json
from proxy.upstream.handshake import OPEN_S, Opened, UpstreamSession, initialize
from proxy.upstream.old_connection import OldConnection
from proxy.upstream.old_transport import speaks_old_transport
from proxy.upstream.refused_calls import SessionLost
from proxy.upstream.running_call import RunningCall
from proxy.upstream.transport import Transport

MOST: Final = 1_000
"""Connections of one worker; of more, the one that was not used for longest is closed."""
_MET: Final = 10_000
"""Servers of which it is known whether they speak it."""
_MET_S: Final = 3600.0
_NOT_S: Final = 60.0
"""For so long a server that does not speak it is not asked again."""
Send = Callable[[Json, dict[str, str], UpstreamSession, str], Awaitable[Json]]
"""Sends a message with these headers in this session of this key, and reads the answer. Raises SessionLost, too."""


class OldSessions:
    """`posts` and `streams`: transports for requests, and for streams that stay open."""

    def __init__(self, posts: Transport, streams: Transport, tasks: Tasks, *, most: int) -> None:
        self._posts, self._streams, self._tasks, self._most = posts, streams, tasks, most
        self._met: Bounded[str, tuple[bool, float]] = Bounded(_MET)
        """Whether a server speaks it, and until when that is believed (monotonic)."""
        self._open: Bounded[str, tuple[OldConnection, asyncio.Task[None]]] = Bounded(MOST)
        self._opening = SingleFlight[OldConnection]("open a session by the old transport", tasks)
        self._asking = SingleFlight[bool]("ask for the old transport", tasks)

    def speaks(self, installation: ResolvedInstallation) -> bool:
        """Whether its server is known to speak only this."""
        if installation.protocol == MODERN:
            return False
        met, until = self._met.get(_place(installation)) or (False, 0.0)
        return met and time.monotonic() < until

    async def is_behind(self, refusal: Refusal, installation: ResolvedInstallation) -> bool:
        """Ask whether a server that refuses to open a session speaks this, once for all who wait."""
        status = refusal.words.get("status")  # a server that answers in JSON-RPC, or fails, has another transport
        if refusal.reason != "upstream_status" or not isinstance(status, int) or not 400 <= status < 500:
            return False
        if installation.protocol == MODERN:
            return False
        place = _place(installation)
        met, until = self._met.get(place) or (False, 0.0)
        if time.monotonic() < until:
            return met
        return await self._asking.result(place, lambda: self._ask(place, installation))

    async def call(self, call: RunningCall, key: str, send: Send) -> Json:
        """The answer to a call, in the session under this key. Raises UpstreamFault or Refusal."""
        installation = call.installation
        call.era = Era.LEGACY
        for _ in range(2):
            connection, call.in_new_session = await self.connection(key, installation, call.outbound.declared)
            session = connection.session
            message, headers = call.outbound.legacy(session.version, None)
            call.installation, call.through = connection.at, connection
            try:
                return await send(message, headers, session, key)
            except SessionLost:
                self.close(key, connection)
        raise UpstreamFault("broken", sent=True, whole=True, detail="the upstream loses every new session at once")

    async def connection(
        self, key: str, installation: ResolvedInstallation, capabilities: Mapping[str, object]
    ) -> tuple[OldConnection, bool]:
        """The session under this key, and whether it was opened just now, once for all who wait. Raises UpstreamFault
        or Refusal.
        """
        known, _ = self._open.get(key) or (None, None)
        if known is not None and not known.over:
            if known.is_held_as(installation):
                return known, False
            self.close(key, known)  # what was opened under another policy serves no call under this one

        async def opened() -> OldConnection:
            return (await self._opened(key, installation, OPEN_S, capabilities))[0]

        return await self._opening.result(f"{key} {policy_of(installation)}", opened), True

    async def open_anew(
        self, key: str, installation: ResolvedInstallation, capabilities: Mapping[str, object]
    ) -> Opened:
        """A new session, for discovery. Raises as `connection`."""
        return (await self._opened(key, installation, OPEN_S, capabilities))[1]

    def close(self, key: str, connection: OldConnection) -> None:
        """It is used no more: the server has lost its session."""
        known, reading = self._open.get(key) or (None, None)
        if known is connection and reading is not None:
            self._open.pop(key)
            reading.cancel()

    def forget_installation(self, identifier: str) -> None:
        """The installation is gone, or has another server or credential."""
        for place in self._met:
            if place.startswith(identifier + "/"):
                self._met.pop(place)
        for key, (connection, _) in self._open.items():
            if key.startswith(identifier + "/"):
                self.close(key, connection)

    def doubt(self) -> None:
        """News may have been missed: what is held to a policy is closed where no call runs, and opened with the next
        one as is allowed then.
        """
        for key, (connection, _) in self._open.items():
            if policy_of(connection.at) and not connection.in_use:
                self.close(key, connection)

    async def _ask(self, place: str, installation: ResolvedInstallation) -> bool:
        speaks = await speaks_old_transport(self._posts, installation)
        self._met.put(place, (speaks, time.monotonic() + (_MET_S if speaks else _NOT_S)))
        return speaks

    async def _opened(
        self, key: str, installation: ResolvedInstallation, within: float, capabilities: Mapping[str, object]
    ) -> tuple[OldConnection, Opened]:
        connection = OldConnection(self._posts, self._streams, installation, self._most)
        task = self._tasks.spawn("a session by the old transport", connection.read())
        try:
            async with asyncio.timeout(within):
                await connection.endpoint_known()
                opened = await initialize(connection, connection.at, within, capabilities)
        except BaseException as error:
            task.cancel()
            if isinstance(error, Refusal):
                self._met.pop(_place(installation))  # it may speak otherwise by now
            if isinstance(error, TimeoutError):
                raise UpstreamFault("slow", sent=True, detail="no session by the old transport") from None
            raise
        connection.agreed(opened.session.version)
        before = self._open.pop(key)
        gone = self._open.put(key, (connection, task))
        for one in (before, gone):
            if one is not None:
                one[1].cancel()
        return connection, opened


def _place(installation: ResolvedInstallation) -> str:
    return f"{installation.installation_id}/{installation.url}"
