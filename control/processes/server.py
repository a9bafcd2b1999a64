"""One server as a process of this machine: started, watched, restarted, ended; and how it does, told as it changes.

`runtime.py` keeps one for each installation. It gets another port with each start that we make, and what does not run
has no endpoint: nobody is called who has taken the port of one that ended, nor who took one before its server did
(`listening.py`).
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from control.processes.confine import NO_SUCH_PROGRAM
from control.processes.health import Health, ask_bridge, ask_http, listens
from control.processes.listening import is_its_own
from control.processes.logs import trim
from control.processes.program import LOOPBACK, endpoint
from control.registry.server_state import LONGEST_MESSAGE, ServerState
from control.servers.wanted import WantedServer
from core.children.child import Child, DidNotStart, end_of_log
from core.children.pauses import Pauses
from core.children.program import Program
from core.redaction import Redaction
from core.tasks import Tasks

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
"""Between two looks at one that is ready."""
_LOOK_SOON_S: Final = 0.25
_STEADY_S: Final = 30.0
_LONGEST_PAUSE_S: Final = 60.0
_SILENT_S: Final = 120.0
"""How long one that runs may say nothing before that is told: `npx` and `uvx` may have to fetch it first."""
_LINES_OF_LOG: Final = 6
_STOP_S: Final = 20.0

_PORT_TAKEN: Final = Health("failed", "not_answering", "another program took the port that was chosen for it")

Tell = Callable[[ServerState], Awaitable[None]]
Programs = Callable[[WantedServer, int, Callable[[], Awaitable[bool]]], Program]
"""Makes the program that runs a server on a port, and is ready when the last argument says so."""


class RunningServer:
    """One server, kept running from `start` to `stop`."""

    def __init__(
        self, wanted: WantedServer, isolation: str, programs: Programs, tell: Tell, user: int | None = None
    ) -> None:
        self.wanted, self._isolation, self._user = wanted, isolation, user
        self._without_secrets = Redaction(self.secrets)
        self._programs, self._tell = programs, tell
        self._tasks = Tasks(f"server/{wanted.installation_id}")
        self._kept: asyncio.Task[None] | None = None
        self._told: ServerState | None = None
        self._restarts = 0
        self._port = 0
        self._stopping = False

    @property
    def state(self) -> ServerState | None:
        """How it does, as it was told last; None before that."""
        return self._told

    def start(self) -> None:
        """Begin; how it goes is told."""
        self._kept = self._tasks.spawn("keep", self._keep())

    async def stop(self) -> None:
        """End it, and whatever it started; within some ten seconds."""
        if self._kept is not None:
            if not self._stopping:  # once: a second time would break off the end
                self._stopping = True
                self._kept.cancel()
            _ = await asyncio.wait({self._kept}, timeout=_STOP_S)

    async def idle(self, within_s: float) -> None:
        """Return once no call of its runs, at the latest after so many seconds, or when it answers no more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while (health := await ask_bridge(self._port)) is not None and health.calls:  # noqa: ASYNC110 (it tells nobody)
                    await asyncio.sleep(_LOOK_SOON_S)

    def renumbered(self, generation: int) -> None:
        """It runs as the new generation wants it already."""
        self.wanted = replace(self.wanted, generation=generation)

    async def say_again(self) -> None:
        """What was told last may not have been kept, as of one that was to be asleep."""
        if self._told is not None:
            await self._tell(self._told)

    def tell_again(self) -> None:
        """Whoever was told may not know any more."""
        self._told = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What it was given, and may not say."""
        return (*self.wanted.secret_environment.values(), *self.wanted.files.values(), self.wanted.bridge_token)

    async def _keep(self) -> None:
        pauses = Pauses(_STEADY_S, _LONGEST_PAUSE_S)
        while True:
            began = time.monotonic()
            try:
                await self._one_life()
            except OSError as error:  # no process, no memory, no folder
                await self._say(Health("failed", "crashed", f"it cannot be started: {error.strerror}"))
            self._restarts += 1
            await asyncio.sleep(pauses.after(time.monotonic() - began))

    async def _one_life(self) -> None:
        """Until it has ended, or never came to answer."""
        port = self._port = free_port(self.wanted.port if self.wanted.transport == "http" else 0)
        program = self._programs(self.wanted, port, lambda: listens(port))
        child = Child(program)
        await self._say(Health("starting"))
        try:
            await child.start()
            ended = await self._watch(child, port)
        except DidNotStart:
            ended = self._why_it_ended(program)
        finally:
            await child.stop()
        await self._say(ended)

    async def _watch(self, child: Child, port: int) -> Health:
        """Until it has ended, or may not be called; why."""
        pid, silent_since = child.pid, time.monotonic()
        while (now := child.pid) is not None:
            self._restarts += now != pid
            pid = now
            if health := await self._ask(port):
                silent_since = time.monotonic()
                if not await asyncio.to_thread(is_its_own, port, now, self._user):
                    return _PORT_TAKEN
            elif time.monotonic() - silent_since > _SILENT_S:
                health = Health("failed", "not_answering", f"nothing answered for {_SILENT_S:.0f} s")
            if health is not None and child.pid == now:  # else somebody else may have answered on its port
                await self._say(health, endpoint(self.wanted, port))
            await asyncio.to_thread(trim, child.program.log)
            await asyncio.sleep(LOOK_S if health and health.phase == "ready" else _LOOK_SOON_S)
        return self._why_it_ended(child.program)

    async def _ask(self, port: int) -> Health | None:
        if self.wanted.transport == "http":
            return await ask_http(port, self.wanted.health_path)
        return await ask_bridge(port)

    def _why_it_ended(self, program: Program) -> Health:
        said = " ".join(end_of_log(program.log, _LINES_OF_LOG).split())
        cause = "no_such_program" if NO_SUCH_PROGRAM in said else "crashed"
        return Health("failed", cause, said)

    async def _say(self, health: Health, at: str = "") -> None:
        state = ServerState(
            installation_id=self.wanted.installation_id,
            place="process",
            phase=health.phase,
            generation=self.wanted.generation,
            cause=health.cause,
            message=self._without_secrets(health.message)[:LONGEST_MESSAGE],
            restarts=self._restarts,
            endpoint=at,
            isolation=self._isolation,
            resolved=None if health.packages is None else {"packages": health.packages},
        )
        if state == self._told:
            return
        try:
            await self._tell(state)
        except Exception:  # the next look tells it again
            log.exception("a state was not taken", extra={"installation": state.installation_id})
        else:
            self._told = state


def free_port(preferred: int = 0) -> int:
    """A port on which nobody listens now: the preferred one, or any."""
    with socket.socket() as tried:
        try:
            tried.bind((LOOPBACK, preferred))
        except OSError:
            return free_port()
        return int(tried.getsockname()[1])
