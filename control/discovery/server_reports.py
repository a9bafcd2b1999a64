"""What runtimes report of servers: kept, the latest of each, and a server that has become ready asked what it offers.

`take` is what a runtime is given as its `Report`. A report that cannot be kept, because the database is away, is kept
as soon as it is back, unless there is a newer one by then. A server is asked once for each of its generations, by the
same discovery as a remote one (`discover.py`); where that fails it is tried again some times, and then whenever the
server is reported ready once more.
"""

import asyncio
import logging
from typing import Final, Protocol

from control.changes import server_states as changes
from control.changes.write import changing
from control.discovery.discover import SERVER, Discovery
from control.registry.server_state import ServerState
from control.store import server_states
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from core.tasks import Tasks

log = logging.getLogger(__name__)

MOST: Final = 20_000
"""Reports that wait for the database, one of each installation; one more is not kept, until that server changes."""
ASKED_AT_ONCE: Final = 10
"""Discoveries; each holds a proxy's answer in memory."""
_KEEP_AGAIN_S: Final = 1.0
_ASK_AGAIN_S: Final = (2.0, 10.0, 60.0)
_LOST = (StoreUnavailable, StoreConflict)


class Discovers(Protocol):
    """A part that asks an installation's server what it offers, and keeps that (`discover.py`)."""

    async def discover(self, installation_id: str) -> Discovery | None:
        """Ask and keep; None where there is nothing to keep it with."""


class ServerReports:
    """Takes reports of whichever runtime there is. `close` it: a runtime tells all that runs when it begins again."""

    def __init__(self, pool: Pool, discoverer: Discovers) -> None:
        self._pool, self._discoverer = pool, discoverer
        self._tasks, self._places = Tasks("server-reports"), asyncio.Semaphore(ASKED_AT_ONCE)
        self._latest: dict[str, ServerState] = {}
        """What is still to be kept, by installation."""
        self._keeping: set[str] = set()
        self._asking: set[str] = set()

    async def take(self, state: ServerState) -> None:
        """Keep how a server does, in the order of its reports; never raises for a database that is away."""
        name = state.installation_id
        if name not in self._latest and len(self._latest) >= MOST:
            log.warning("a report of a server is not kept", extra={"installation": name, "phase": state.phase})
            return
        self._latest[name] = next_one = state
        if name in self._keeping:
            return  # whoever keeps the one before takes this one next
        self._keeping.add(name)
        try:
            while name in self._latest:
                next_one = self._latest.pop(name)
                await self._keep(next_one)
        except _LOST as lost:
            _ = self._latest.setdefault(name, next_one)
            log.info("a report of a server waits", extra={"installation": name, "fault": str(lost)})
            _ = self._tasks.spawn("again", self._again(name))
        finally:
            self._keeping.discard(name)

    async def close(self) -> None:
        """Give up what runs."""
        await self._tasks.close()

    async def _again(self, name: str) -> None:
        await asyncio.sleep(_KEEP_AGAIN_S)
        if (state := self._latest.get(name)) is not None:
            await self.take(state)

    async def _keep(self, state: ServerState) -> None:
        async with changing(self._pool, SERVER) as write:
            kept = await changes.keep(write, state)
            to_ask = kept and await server_states.to_ask(write.connection, state.installation_id)
        if kept:
            log.info("a server is in another state", extra=_told(state))
        if to_ask and state.installation_id not in self._asking:
            self._asking.add(state.installation_id)
            _ = self._tasks.spawn("ask a server", self._ask(state.installation_id))

    async def _ask(self, name: str) -> None:
        """Have the server asked until it was, for the generation that runs then."""
        try:
            for pause in (*_ASK_AGAIN_S, None):
                if await self._asked(name) or pause is None:
                    return
                await asyncio.sleep(pause)
        finally:
            self._asking.discard(name)

    async def _asked(self, name: str) -> bool:
        """Whether there is nothing left to ask."""
        try:
            async with transaction(self._pool, readonly=True) as connection:
                state = await server_states.one(connection, name)
                if state is None or not await server_states.to_ask(connection, name):
                    return True
            async with self._places:
                found = await self._discoverer.discover(name)
            if found is None or found.state != "ready":
                return False
            async with changing(self._pool, SERVER) as write:
                await changes.asked(write, name, state.generation)
                return not await server_states.to_ask(write.connection, name)
        except _LOST as lost:
            log.info("a server is asked later", extra={"installation": name, "fault": str(lost)})
            return False


def _told(state: ServerState) -> dict[str, object]:
    return {
        "installation": state.installation_id,
        "phase": state.phase,
        "cause": state.cause,
        "generation": state.generation,
        "restarts": state.restarts,
    }
