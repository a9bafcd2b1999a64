"""`archway up`, step by step: the order in which things start, what each waits for, and how they end.

Called by launch.py, which holds the state folder's lock meanwhile. Every child ends with this process, however it
ends: its guard sees to that (core/children). Left out: what each program is (postgres.py, redis.py, planes.py,
archway/demo/server.py).
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archway.admin_client import AdminApi
from archway.demo.server import demo_server, demo_url
from archway.up import postgres, redis
from archway.up.environment import Wiring, public_url
from archway.up.first_call import FirstCall
from archway.up.first_servers import FirstServers, first_servers
from archway.up.first_setup import ARGUMENTS, Gone, Setup, finished, set_up
from archway.up.form import form
from archway.up.given_servers import tell_away
from archway.up.keys_file import keys_for
from archway.up.orphans import end_all
from archway.up.planes import control, proxy
from archway.up.ports import LOOPBACK
from archway.up.remembered import recall, settle_ports
from archway.up.report import Report, step
from archway.up.state import StateFolder
from archway.up.summary import end_sentence, summary
from archway.up.up_file import UpFacts, UpFile
from archway.up.way_in import way_in
from core.children.child import Child
from core.children.program import Program
from core.compiled_form import root
from core.tasks import Tasks
from core.tokens import digest, new_token

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends `archway up`: Ctrl-C, `archway down`, a closed terminal."""
_STOP_ORDER = ("demo", "proxy", "control", "postgres", "redis")
"""Those who use a server go before the server does."""
_REFRESH_S = 0.25
_FIRST_CALL_TRIES = 20


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line of `archway up` said."""

    proxy_port: int | None = None
    control_port: int | None = None
    workers: int = 1
    demo: bool = True
    servers: bool = True
    foreground: bool = True


class BrokenOff(Exception):
    """A signal came before everything ran."""

    def __init__(self, number: int) -> None:
        super().__init__("the start was broken off; what had started is stopped")
        self.status = 128 + number


class Stack:
    """One run of everything that `archway up` starts."""

    def __init__(self, state: StateFolder, options: Options, given: Mapping[str, str], report: Report) -> None:
        self._state, self._options, self._given, self._report = state, options, given, report
        self._children: dict[str, Child] = {}
        self._up: UpFile | None = None
        self._beside = Tasks("up")

    async def run(self, ready: Callable[[], None]) -> None:
        """Start, call `ready`, stay until a signal, end everything. Raises what kept it from starting.

        BrokenOff when the signal came before `ready`.
        """
        told, begun = _StopSignal(), False
        try:
            await self._start()
            begun = True
            ready()
            await self._keep_up_file()
        except asyncio.CancelledError:
            if not told.number:
                raise
            told.taken()
            if not begun:
                raise BrokenOff(told.number) from None
        finally:
            await self._end()

    async def _start(self) -> None:
        wiring, admin_token = await asyncio.to_thread(self._wire)
        servers = self._servers(wiring)
        planes = (control(self._state, wiring, self._given), proxy(self._state, wiring, self._given))
        work = [self._run_both(servers, planes)]
        if self._options.demo:
            work.append(self._run(demo_server(self._state, wiring.ports.demo, self._given)))
        work.append(tell_away(self._given, self._report))
        await _together(work)
        await self._introduce(wiring, admin_token)

    def _wire(self) -> tuple[Wiring, str]:
        """Everything that must be known before the first program starts. Blocks while it ends orphans."""
        end_all(self._state.runs, self._state.ports)
        known = recall(self._state.remembered)
        ports = settle_ports(self._state.remembered, known, self._options.proxy_port, self._options.control_port)
        admin_token = new_token()
        cache = self._state.root / "proxy-cache"
        cache.mkdir(mode=0o700, exist_ok=True)
        wiring = Wiring(
            ports=ports,
            keys=keys_for(self._state.keys, self._given),
            database_url=self._given.get("ARCHWAY_DATABASE_URL")
            or postgres.url(ports.postgres, known.postgres_password),
            redis_url=self._given.get("ARCHWAY_REDIS_URL") or redis.url(ports.redis, known.redis_password),
            run_token_sha256=digest(admin_token),
            workers=self._options.workers,
            cache=str(cache),
            servers=str(self._state.servers),
        )
        return wiring, admin_token

    def _servers(self, wiring: Wiring) -> list[Awaitable[None]]:
        """Those that were not given."""
        servers: list[Awaitable[None]] = []
        if not self._given.get("ARCHWAY_DATABASE_URL"):
            servers.append(self._run_postgres(wiring.ports.postgres))
        if not self._given.get("ARCHWAY_REDIS_URL"):
            password = recall(self._state.remembered).redis_password
            servers.append(self._run(redis.server(self._state, wiring.ports.redis, password)))
        return servers

    async def _run_postgres(self, port: int) -> None:
        known = recall(self._state.remembered)
        home = Path(known.postgres_home)
        with step(self._report, "Database folder"):
            cluster = await asyncio.to_thread(postgres.prepare, self._state, known.postgres_password, home)
        await self._run(postgres.server(self._state, cluster, port))

    async def _run_both(self, first: list[Awaitable[None]], then: tuple[Program, ...]) -> None:
        await _together(first)
        await _together([self._run(program) for program in then])

    async def _run(self, program: Program) -> None:
        child = self._children[program.name] = Child(program)
        with step(self._report, program.title):
            await child.start()

    async def _introduce(self, wiring: Wiring, admin_token: str) -> None:
        """The first setup, `up.json`, and the words for the person who waits."""
        control_url = f"http://{LOOPBACK}:{wiring.ports.control}"
        api = AdminApi(control_url, admin_token)
        found = await self._set_up(api, wiring)
        sign_in = await asyncio.to_thread(way_in, api)
        setup, gone = (found, None) if isinstance(found, Setup) else (None, found)
        base = public_url(wiring.ports, self._given)
        facts = UpFacts(
            proxy_url=f"http://{LOOPBACK}:{wiring.ports.proxy}",
            control_url=control_url,
            control_public_url=f"http://{LOOPBACK}:{wiring.ports.control_public}",
            metrics_url=f"http://{LOOPBACK}:{wiring.ports.metrics}/metrics",
            admin_token=admin_token,
            gateway_url=base + setup.gateway_path if setup else None,
            gateway_token=setup.token if setup else None,
        )
        self._up = UpFile(self._state, facts, self._children)
        self._up.refresh()
        call = FirstCall(base + setup.gateway_path, setup.token, setup.tool, ARGUMENTS) if setup else None
        trouble = await self._try(call) if call and self._options.demo else None
        servers = first_servers() if setup and self._options.demo and self._options.servers else ()
        if servers:
            work = FirstServers(api, self._state.first_servers, self._report.note)
            _ = self._beside.spawn("first-servers", work.run(servers))
        self._report.say(
            summary(
                self._state.root,
                control_url,
                call,
                trouble,
                gone.what if gone else "",
                end_sentence(self._state.root, foreground=self._options.foreground),
                form(self._given, root()),
                sign_in,
                [server.name for server in servers],
            )
        )

    async def _set_up(self, api: AdminApi, wiring: Wiring) -> Setup | Gone | None:
        if not self._options.demo:
            return await asyncio.to_thread(finished, api, self._state.setup)
        with step(self._report, "Demo entry, gateway and token"):
            return await asyncio.to_thread(set_up, api, self._state.setup, demo_url(wiring.ports.demo))

    async def _try(self, call: FirstCall) -> str | None:
        """A new gateway needs a moment until proxies know it."""
        trouble: str | None = None
        with step(self._report, "First call"):
            for _ in range(_FIRST_CALL_TRIES):
                trouble = await asyncio.to_thread(call.try_once)
                if trouble is None:
                    break
                await asyncio.sleep(0.25)
        return trouble

    async def _keep_up_file(self) -> None:
        """Until cancelled. A disk that does not take the file is no reason to end what runs: it is tried again."""
        behind = False
        while True:
            await asyncio.sleep(_REFRESH_S)
            try:
                if self._up is not None:
                    self._up.refresh()
                behind = False
            except OSError as error:
                if not behind:
                    self._report.note(f"{self._state.up} cannot be written now: {error.strerror}")
                behind = True

    async def _end(self) -> None:
        await self._beside.close()
        if self._children:
            with step(self._report, "Stopped"):
                for name in _STOP_ORDER:
                    if name in self._children:
                        await self._children[name].stop()
        for path in (self._state.ports, self._state.up):
            with contextlib.suppress(OSError):  # one that stays is told apart by the identities in it
                path.unlink()


class _StopSignal:
    """Turns the first stop signal into the cancellation of the running task; later ones change nothing."""

    def __init__(self) -> None:
        self.number = 0
        """The first signal's."""
        self._task = asyncio.current_task()
        for number in STOP_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._give, number)

    def _give(self, number: int) -> None:
        if not self.number and self._task is not None:
            self.number = number
            self._task.cancel()

    def taken(self) -> None:
        """The task ends by itself from here on."""
        if self._task is not None:
            self._task.uncancel()


async def _together(work: Sequence[Awaitable[None]]) -> None:
    """All at once; the first failure cancels the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(_awaited(one))
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


async def _awaited(work: Awaitable[None]) -> None:
    await work
