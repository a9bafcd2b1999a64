"""Makes what runs be what is wanted: one loop for all servers of a deployment, in either runtime.

Level-based: whatever wakes it only says which installations to look at, and a look reads what is wanted now and has
the runtime apply it, or take it away. So nothing depends on a wake-up: one that was lost is made up for by the next
poll, a change in the runtime that nobody told by the next resync.

Whoever leads runs it (`control/replica.py` composes it); with its end, what runs goes on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from control.registry.server_state import ServerState
from control.servers.keys import Keys
from control.servers.orphans import TooManyOrphans, orphans
from control.servers.runtime import Refused, Report, Runtime, RuntimeAway
from control.servers.troubles import away, refused
from control.servers.wanted import ConfinedServer, WantedServer
from core.spreading import between
from core.tasks import forever

log = logging.getLogger(__name__)

AT_ONCE: Final = 16
"""Installations that are worked on at the same time."""
POLL_EVERY_S: Final = 5.0
"""How late a change is seen where a pooler forbids LISTEN."""
POLL_SPACING_S: Final = 0.2
"""Between two looks at the rows, however often they are told of: the first look after many changes sees them all."""
RESYNC_S: Final = (240.0, 360.0)
APPLY_WITHIN_S: Final = 60.0
AGAIN_S: Final = 1.0
"""After a part of the loop failed, such as a look at a database that is away."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the loop reads of the database; each raises when it cannot be read."""

    versions: Callable[[], Awaitable[Mapping[str, str]]]
    """Each installation that is to run, with a word that is another one after each change of it or of its entry."""
    wanted: Callable[[str], Awaitable[WantedServer | None]]
    """What is to run for this installation: None is nothing. Raises Refused where it cannot be run as it is."""
    confined: Callable[[str], Awaitable[ConfinedServer | None]]
    """What it may reach, whether or not it can be run as it is: None is one of which nothing is to run."""
    kept: Callable[[str], Awaitable[ServerState | None]]
    """How its server did when it was last heard of."""


class ServerLoop:
    """The loop over all installations that run in one runtime."""

    def __init__(self, runtime: Runtime, rows: Rows, report: Report) -> None:
        self._runtime, self._rows, self._report = runtime, rows, report
        self._seen: Mapping[str, str] = {}
        self._going: set[str] = set()
        """Those whose rows went, until they are removed: somebody else may lead in between."""
        self._told = asyncio.Event()

    def wake(self) -> None:
        """Rows may have changed."""
        self._told.set()

    async def run(self) -> None:
        """Keep what runs as it is wanted, until cancelled."""
        keys = Keys()
        for key in self._going:
            keys.add(key)
        self._seen = dict.fromkeys(self._seen, "")  # looked at again, and those that are gone by now are missed
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "runtime": lambda: self._runtime.run(self._report, lambda key: self._woken(keys, key)),
            "rows": lambda: self._look_at_rows(keys),
            "resync": lambda: self._resync(keys),
        }
        works |= {f"worker-{number}": lambda: self._work(keys) for number in range(AT_ONCE)}
        try:
            async with asyncio.TaskGroup() as group:
                for name, step in works.items():
                    group.create_task(forever(f"servers/{name}", step, AGAIN_S), name=f"servers/{name}")
        finally:
            keys.close()

    def _woken(self, keys: Keys, key: str) -> None:
        """What the runtime tells of one that has no row is left to the resync, which takes none away unguarded."""
        if key in self._seen:
            keys.add(key)

    async def _look_at_rows(self, keys: Keys) -> None:
        """Once; ends when there is reason for the next look."""
        self._told.clear()
        seen = await self._rows.versions()
        for key in seen.keys() | self._seen.keys():
            if seen.get(key) != self._seen.get(key):
                keys.add(key, changed=True)
        self._going |= self._seen.keys() - seen.keys()
        self._seen = seen
        await asyncio.sleep(POLL_SPACING_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_EVERY_S):
                await self._told.wait()

    async def _resync(self, keys: Keys) -> None:
        """Look at all of them once more, after minutes, and at what runs for nobody."""
        await asyncio.sleep(between(*RESYNC_S))
        try:
            present: Collection[str] = await self._runtime.present()
        except RuntimeAway as fault:
            log.info("what runs cannot be asked for", extra={"fault": str(fault)})
            present = ()
        wanted = await self._rows.versions()  # after what is there was read
        for key in wanted:
            keys.add(key)
        try:
            for key in orphans(present, wanted):
                log.warning("a server without an installation is removed", extra={"installation": key})
                keys.add(key)
        except TooManyOrphans as many:
            log.error("servers without an installation are not removed", extra={"reason": str(many)})

    async def _work(self, keys: Keys) -> None:
        """One installation, as soon as there is one to look at."""
        key = await keys.take()
        try:
            async with asyncio.timeout(APPLY_WITHIN_S):
                await self._reconcile(key)
        except Exception as fault:
            again = keys.failed(key)
            extra = {"installation": key, "fault": str(fault) or type(fault).__name__, "again_in_s": round(again, 1)}
            if isinstance(fault, RuntimeAway | TimeoutError):
                log.info("a server is looked at again later", extra=extra)
            else:
                unforeseen = None if isinstance(fault, Refused) else fault
                log.warning("a server is not as it is wanted", exc_info=unforeseen, extra=extra)
        else:
            keys.done(key)

    async def _reconcile(self, key: str) -> None:
        """Make one installation be as its rows say now; raises what they and the runtime raise."""
        place, generation = self._runtime.place, 0
        try:
            wanted = await self._rows.wanted(key)
            if wanted is None:
                await self._runtime.remove(key)
                self._going.discard(key)
                return
            generation = wanted.generation
            await self._runtime.apply(wanted)
        except Refused as why:
            told = refused(key, generation, place, why, await self._rows.kept(key))
            try:
                await self._end_or_confine(key, why)
            finally:
                await self._report(told)
            raise
        except RuntimeAway as why:
            if generation and (state := away(key, generation, place, why, await self._rows.kept(key))):
                await self._report(state)
            raise

    async def _end_or_confine(self, key: str, why: Refused) -> None:
        """What runs of one that is refused goes on, and then reaches no more than it may by now."""
        if why.ends:
            await self._runtime.remove(key)
        elif (confined := await self._rows.confined(key)) is not None:
            await self._runtime.confine(confined)
