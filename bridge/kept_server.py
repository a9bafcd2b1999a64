"""Keeps the server running: starts it, greets it, names its state, and starts it again when it ends or is silent.

Run by `__main__.py` as one task. After each end there is a pause that grows while the server lives for short times
only; calls are refused meanwhile. Left out: what is said in a run (`run.py`).
"""

import asyncio
import errno
import json
import logging
import math
import time
from typing import Final

from bridge.child_process import ChildProcess
from bridge.greeting import EndedAtProbe, NotGreeted, greet
from bridge.memory import killed_for_memory
from bridge.options import Options
from bridge.orphans import reaped
from bridge.other_era import envelope
from bridge.packages import Package, running_packages
from bridge.printed import Printed
from bridge.refused import Refused, away
from bridge.run import Run
from bridge.state import State, how_it_ended
from core.bridge_terms import ANSWERS, DOES_NOT_RUN
from core.children.pauses import Pauses
from core.mcp.versions import Era
from core.tasks import Tasks

log = logging.getLogger(__name__)
STEADY_S: Final = 60.0
"""A server that lived for so long is started again at once."""
LONGEST_PAUSE_S: Final = 60.0
MARGIN_S: Final = 10.0
"""Before the end of the token that the server was started with, in which it is ended: no call begins with it."""
_TOKEN_ENDED: Final = ("no_token", "The token that it was started with has ended, and no other one has come.")
_PACKAGES_S: Final = 2.0
_NO_PROGRAM: Final = frozenset({errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.EISDIR})


class KeptServer:
    """The server behind the bridge. `run` is there while calls are let through."""

    def __init__(self, options: Options, printed: Printed) -> None:
        self._options, self._printed = options, printed
        self._tasks = Tasks("server")
        self._child: ChildProcess | None = None
        self._stopping = False
        self._silent: Run | None = None
        """The run that is ended because it did not answer."""
        self._doubted: Run | None = None
        self._probe = True
        self._next_start = 0.0
        self._killed_before = 0
        self._answers = asyncio.Event()
        self._waiting = 0
        self._current: Run | None = None
        """The latest run, whose calls may go on when no more are let through."""
        self.run: Run | None = None
        self.state = State("starting")
        self.packages: list[Package] = []
        """Those of the run that answers, or answered last."""

    @property
    def is_stopping(self) -> bool:
        """Whether the bridge was asked to end."""
        return self._stopping

    @property
    def calls(self) -> int:
        """How many calls run whose answer somebody waits for."""
        return 0 if self._current is None else self._current.calls.awaited

    def run_now(self) -> Run:
        """The run that calls go to. Raises Refused where there is none."""
        if self.run is None:
            state = self.state
            raise away(state.phase, state.cause, state.message, self._seconds_until_next())
        return self.run

    async def run_soon(self) -> Run:
        """The same; where there will be one soon, it is waited for."""
        may_wait = self._next_start - time.monotonic() < self._options.wait_s and not self._stopping
        if self.run is None and may_wait and self._waiting < self._options.max_in_flight:
            self._waiting += 1
            try:
                async with asyncio.timeout(self._options.wait_s):
                    await self._answers.wait()
            except TimeoutError:
                pass
            finally:
                self._waiting -= 1
        return self.run_now()

    async def keep(self) -> None:
        """Keep it running until cancelled."""
        pauses, restarts = Pauses(STEADY_S, LONGEST_PAUSE_S), 0
        while self._left() > 0:
            self.state = State("starting", self.state.cause, self.state.message, restarts)
            began = time.monotonic()
            cause, message = await self._run_once(restarts)
            if self._stopping:
                return
            if self._left() <= 0:
                break
            pause = pauses.after(time.monotonic() - began)
            self._next_start = time.monotonic() + pause
            self.state = State("failed", cause, message, restarts)
            told = {"cause": cause, "why": message, "pause_s": pause}
            log.warning(DOES_NOT_RUN, extra=told)
            await asyncio.sleep(pause)
            restarts += 1
        self.state = State("failed", *_TOKEN_ENDED, restarts)
        log.warning(DOES_NOT_RUN, extra={"cause": self.state.cause, "why": self.state.message})
        await asyncio.Event().wait()  # for whoever ends this bridge

    async def stop(self, drain_s: float) -> None:
        """Take no more calls, let those that run end for so many seconds, then end it."""
        self._stopping = True
        self.state = State("stopping", restarts=self.state.restarts)
        if self.run is not None:
            await asyncio.sleep(self._options.linger_s)
        run, self.run = self.run, None
        self._answers.set()  # nobody waits any more: there will be none
        if run is not None:
            await run.calls.idle(drain_s)
        if self._child is not None:
            await self._child.stop(self._options.stop_s)
        await self._tasks.close()

    def reap(self) -> None:
        """Children of this process have ended."""
        for pid, status in reaped():
            if self._child is not None and pid == self._child.pid:
                self._child.note_end(status)

    def doubt(self, run: Run) -> None:
        """A call has waited for too long: ask whether the server answers anything, and end it if it does not."""
        if run is self.run and run is not self._doubted:
            self._doubted = run
            _ = self._tasks.spawn("ask whether it lives", self._ask_whether_it_lives(run))

    async def _run_once(self, restarts: int) -> tuple[str, str]:
        """One run; why it is over: a cause, and a sentence."""
        options = self._options
        self._printed.forget()
        self._killed_before = killed_for_memory()
        child = self._child = ChildProcess()
        run = Run(child.send, self._printed, options.max_in_flight, options.max_line)
        try:
            await child.start(options.command, options.environment, run.take, self._printed.words, options.max_line)
        except OSError as error:
            await child.stop(0)
            cause = "no_such_program" if error.errno in _NO_PROGRAM else "crashed"
            return cause, f"{options.command[0]}: {error.strerror}"
        ending = self._tasks.spawn("wait for its end", _end_with(child, run))
        try:
            async with asyncio.timeout(min(options.start_s, self._left())):
                await greet(run, probe=self._probe)
        except TimeoutError:
            return await self._given_up(child, ending, f"It has not answered within {options.start_s:g} s.")
        except NotGreeted as refused:
            return await self._given_up(child, ending, str(refused))
        except EndedAtProbe:
            self._probe = False
            return self._why_it_ended(await ending)
        except Refused:
            return self._why_it_ended(await ending)
        self.packages = await self._packages()
        if ending.done() or self._stopping:
            return self._why_it_ended(await ending)
        self._current = self.run = run
        self.state = State("ready", restarts=restarts)
        self._answers.set()
        era = run.era.value if run.era else ""
        log.info(ANSWERS, extra={"era": era, "pid": child.pid, "packages": json.dumps(self.packages)})
        _ = await asyncio.wait({ending}, timeout=None if self._left() == math.inf else self._left())
        self.run = None
        self._answers.clear()
        if not ending.done():
            return await self._let_go(run, child, ending)
        status = ending.result()
        if self._silent is run:
            return (
                "not_answering",
                f"It answered neither a call nor a question whether it lives.\n{self._printed.latest}",
            )
        return self._why_it_ended(status)

    async def _given_up(self, child: ChildProcess, ending: "asyncio.Task[int]", why: str) -> tuple[str, str]:
        """End a server that did not begin."""
        stray = self._printed.stray
        await child.stop(self._options.stop_s)
        _ = await ending
        if stray:
            return "bad_output", f"{why} It printed {stray} lines that are no messages.\n{self._printed.latest}"
        return "not_answering", f"{why}\n{self._printed.latest}"

    async def _packages(self) -> list[Package]:
        """What the command came to; nothing where that cannot be told: no server waits for it."""
        try:
            async with asyncio.timeout(_PACKAGES_S):
                return await asyncio.to_thread(running_packages)
        except Exception:
            log.exception("the packages of the server are not known")
            return []

    async def _let_go(self, run: Run, child: ChildProcess, ending: "asyncio.Task[int]") -> tuple[str, str]:
        """End a server whose token ends: its calls have what time is left."""
        self.state = State("failed", *_TOKEN_ENDED, self.state.restarts)
        await run.calls.idle(MARGIN_S / 2)
        await child.stop(MARGIN_S / 2)
        _ = await ending
        return _TOKEN_ENDED

    def _left(self) -> float:
        """Seconds for which calls may begin; without end where nothing ends."""
        ends_at = self._options.ends_at
        return ends_at - MARGIN_S - time.time() if ends_at else math.inf

    def _why_it_ended(self, status: int) -> tuple[str, str]:
        cause = "crashed" if killed_for_memory() == self._killed_before else "out_of_memory"
        return cause, f"{how_it_ended(status)}\n{self._printed.latest}"

    async def _ask_whether_it_lives(self, run: Run) -> None:
        modern = run.era is Era.MODERN
        try:
            async with asyncio.timeout(self._options.ping_s):
                method, params = ("server/discover", {"_meta": envelope()}) if modern else ("ping", {})
                _ = await run.ask(method, params, "ping").next()
        except (TimeoutError, Refused):
            if run is self.run and self._child is not None and not run.is_over:
                self._silent, self.run = run, None
                self._answers.clear()
                log.warning("the server does not answer and is ended")
                await self._child.stop(self._options.stop_s)
        finally:
            self._doubted = None

    def _seconds_until_next(self) -> int:
        return max(1, math.ceil(self._next_start - time.monotonic()))


async def _end_with(child: ChildProcess, run: Run) -> int:
    """Wait for the end of a run, which ends all that runs in it; the status. What it started is ended, too."""
    status = await child.wait()
    run.end()
    await child.stop(0)
    return status
