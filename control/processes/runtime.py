"""The runtime of servers as processes of this machine, for the loop of `control/servers`.

Each server is a child of control and ends with it. What a control that was killed left behind is ended before
anything starts. An image cannot be run here, and nothing is run while strangers could reach a listener of ours over a
network, unless the operator names it.
"""

import asyncio
import contextlib
import itertools
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from control.processes.isolation import Isolation, NoIsolation, confinement, end_all_of, find_isolation, user_for
from control.processes.layout import SECRETS, Layout, open_layout
from control.processes.limits import limits_of
from control.processes.logs import follow as followed
from control.processes.logs import latest_lines
from control.processes.open_listeners import open_listeners
from control.processes.program import started
from control.processes.server import RunningServer
from control.processes.turns import Turns
from control.registry.server_state import Place, ServerState
from control.servers.runtime import Refused, Report, RuntimeAway
from control.servers.troubles import asleep, refused
from control.servers.wanted import ConfinedServer, WantedServer, of_a_process
from control.settings import ControlSettings
from core.children.program import Program
from core.redaction import Redaction

_GRACE_S: Final = 6.0
_LISTENS_WITHIN_S: Final = 120.0
_UNKNOWN: Final = b"[a line of before control started: shown when the server has been started again]\n"


class ProcessRuntime:
    """Runs each server as a process of this machine."""

    place: Place = "process"

    def __init__(
        self, folder: Path, users: range, may_read: tuple[str, ...], open_to_others: tuple[str, ...]
    ) -> None:
        self._folder, self._users, self._may_read = folder, users, may_read
        self._open = open_to_others
        self._servers: dict[str, Turns] = {}
        self._given: dict[str, tuple[str, ...]] = {}
        """What each was last given: its log of then is still there when it is given something else."""
        self._redactions: dict[str, Redaction] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._opening = asyncio.Lock()
        self._numbers = itertools.count(2)
        self._layout: Layout | None = None
        self._isolation: Isolation | None = None
        self._report: Report | None = None
        self._reporting = asyncio.Event()

    async def run(self, report: Report, wake: Callable[[str], None]) -> None:
        """Until cancelled; then everything ends. Nothing is ever woken: what is here was made here."""
        self._report = report
        self._reporting.set()
        for turns in self._servers.values():
            turns.tell_again()
        try:
            await asyncio.Event().wait()
        finally:
            servers, self._servers = self._servers, {}
            _ = await asyncio.gather(*(turns.stop() for turns in servers.values()))

    async def apply(self, wanted: WantedServer) -> None:
        """Run it as wanted; raises Refused and RuntimeAway. Returns before it answers."""
        async with self._locks[wanted.installation_id]:
            turns = self._servers.get(wanted.installation_id)
            newest = None if turns is None else turns.newest
            if newest is not None and of_a_process(newest.wanted) == of_a_process(wanted):
                newest.renumbered(wanted.generation)
                await newest.say_again()
                return
            if wanted.asleep:
                await self._end(wanted.installation_id)
                await self._tell(asleep(wanted, self.place))
                return
            beside = turns if turns is not None and turns.answers and wanted.drain_s else None
            try:
                if beside is None:
                    await self._end(wanted.installation_id)
                self._refuse(wanted)
                await self._begin(wanted, beside)
            except Refused as why:
                await self._end(wanted.installation_id)
                await self._tell(refused(wanted.installation_id, wanted.generation, self.place, why, None))
                raise

    async def confine(self, wanted: ConfinedServer) -> None:
        """Processes are held to no rules of egress."""

    async def remove(self, installation_id: str) -> None:
        """End it and take its folder away; raises RuntimeAway."""
        async with self._locks[installation_id]:
            layout = await self._open_folder()
            await self._end(installation_id)
            try:
                await asyncio.to_thread(layout.take_away, installation_id)
            except OSError as error:
                raise RuntimeAway(f"the folder of the server cannot be taken away: {error.strerror}") from None
        for known in (self._given, self._redactions, self._locks):
            known.pop(installation_id, None)

    async def present(self) -> frozenset[str]:
        """Those that have a folder here; raises RuntimeAway."""
        layout = await self._open_folder()
        return await asyncio.to_thread(layout.present)

    async def try_out(self, wanted: WantedServer) -> str:
        """Nothing of a cluster's is of any use here."""
        return "The override was not tried out: servers run as processes here, which have no Deployment."

    async def logs(self, installation_id: str, *, lines: int, previous: bool, follow: bool) -> AsyncIterator[bytes]:
        """Its lines, each with its end; raises RuntimeAway."""
        layout = await self._open_folder()
        if previous:
            for line in await asyncio.to_thread(latest_lines, layout.previous_log(installation_id), lines):
                yield self._shown(installation_id, line)
        elif follow:
            async for line in followed(layout.log(installation_id), lines):
                yield self._shown(installation_id, line)
        else:
            for line in await asyncio.to_thread(latest_lines, layout.log(installation_id), lines):
                yield self._shown(installation_id, line)

    def _shown(self, installation_id: str, line: bytes) -> bytes:
        """Without what this server and the one before it were given; of one that is not known, nothing."""
        known = self._redactions.get(installation_id)
        return known(line.decode(errors="replace")).encode() if known else _UNKNOWN

    def _refuse(self, wanted: WantedServer) -> None:
        if wanted.image:
            raise Refused("no_runtime", "an image needs a cluster, and servers run as processes here")
        if not wanted.command:
            raise Refused("configuration", "there is no command to run")
        if self._open:
            raise Refused(
                "no_runtime",
                f"{', '.join(self._open)} can be reached from other machines; servers run as processes beside it "
                "only where ARCHWAY_SERVERS_BESIDE_LISTENERS names it",
            )

    async def _begin(self, wanted: WantedServer, beside: Turns | None) -> None:
        """Start it; `beside`: one that answers meanwhile, and whose place it takes then."""
        name, turn = wanted.installation_id, f".{next(self._numbers)}" if beside else ""
        try:
            layout = await self._open_folder()
            isolation = await self._isolate(layout)
            user = await asyncio.to_thread(user_for, isolation, layout, name)
            if user is not None and beside is None:
                await asyncio.to_thread(end_all_of, user)
            await asyncio.to_thread(layout.make_home, name, user, dict(wanted.files), turn)
        except NoIsolation as error:
            raise Refused("no_runtime", str(error)) from None
        except OSError as error:
            raise RuntimeAway(f"{error.filename or self._folder}: {error.strerror}") from None
        programs = _Programs(isolation, layout, user, turn)

        async def left() -> None:
            with contextlib.suppress(OSError):  # it goes with the next start, or with the installation
                await asyncio.to_thread(layout.forget_files, name, turn)

        turns = self._servers[name] = beside or Turns(name, self._tell)
        server = turns.begin(lambda tell: RunningServer(wanted, isolation.word, programs, tell, user), left)
        given = server.secrets
        self._redactions[name] = Redaction((*given, *self._given.get(name, ())))
        self._given[name] = given

    async def _end(self, installation_id: str) -> None:
        turns = self._servers.pop(installation_id, None)
        if turns is not None:
            await turns.stop()
        user = (await self._open_folder()).user_of(installation_id)
        if user is not None and user in self._users:
            await asyncio.to_thread(end_all_of, user)

    async def _open_folder(self) -> Layout:
        """Once; and what an earlier control left running there is ended. Raises RuntimeAway."""
        async with self._opening:
            if self._layout is None:
                try:
                    layout = await asyncio.to_thread(open_layout, self._folder.absolute())
                    await asyncio.to_thread(layout.end_leftovers)
                except OSError as error:
                    raise RuntimeAway(f"{error.filename or self._folder}: {error.strerror}") from None
                self._layout = layout
            return self._layout

    async def _isolate(self, layout: Layout) -> Isolation:
        """Once: how servers can be kept apart here. Raises NoIsolation."""
        async with self._opening:
            if self._isolation is None:
                self._isolation = await asyncio.to_thread(find_isolation, layout, self._users, self._may_read)
            return self._isolation

    async def _tell(self, state: ServerState) -> None:
        await self._reporting.wait()
        assert self._report is not None
        await self._report(state)


class _Programs:
    """Makes the program of one server for each of its starts."""

    def __init__(self, isolation: Isolation, layout: Layout, user: int | None, turn: str) -> None:
        self._isolation, self._layout, self._user, self._turn = isolation, layout, user, turn

    def __call__(self, wanted: WantedServer, port: int, ready: Callable[[], Awaitable[bool]]) -> Program:
        layout, name = self._layout, wanted.installation_id
        limits = limits_of(wanted.resources, counted_alone=self._isolation.word != "none")
        confined = confinement(self._isolation, layout, layout.home(name), self._user, **limits)
        what = started(wanted, layout.home(name), port, os.environ, f"{SECRETS}{self._turn}")
        return Program(
            name=name,
            title=wanted.entry,
            command=confined.command(what.command),
            environment=what.environment,
            log=layout.log(name),
            record=layout.record(name, self._turn),
            ready=ready,
            grace_s=_GRACE_S,
            ready_within_s=_LISTENS_WITHIN_S,
            tries=1,
            log_of_each_run=True,
        )


def process_runtime(settings: ControlSettings) -> ProcessRuntime:
    """The runtime as the settings want it."""
    unnamed = tuple(name for name in open_listeners(settings) if name not in settings.servers_beside_listeners)
    return ProcessRuntime(Path(settings.servers_folder), settings.users, settings.servers_may_read, unnamed)
