"""The workers: as many as asked for, replaced when they die, rolled one by one, ended together.

Called by run.py on its event loop. Every child of this process is reaped here, also those that were never ours: as
process 1 of a container the supervisor inherits orphans. So nothing else in this process may wait for children.
"""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from archway.supervisor.worker import Worker, start
from core.children.pauses import Pauses
from proxy.telemetry.counting import clear_gauges

log = logging.getLogger(__name__)
STEADY_S = 5.0
"""A worker that lived shorter than this died at once."""
LONGEST_PAUSE_S = 5.0
MOST_EARLY_DEATHS = 6
"""When the first workers die at once this often, the cause is a setting; then the supervisor gives up and says so."""
READY_WITHIN_S = 30.0
"""How long a new worker may take to say that it is ready; the one that it replaces serves on until then."""
_TICK_S = 0.25
_NO_ROOM_S = 2.0
"""Until the next try where the system could not make a process."""


class NoWorkerLives(Exception):
    """Workers die at once and none has ever lived; the log of the last says why."""


@dataclass(frozen=True, slots=True)
class CrewPlan:
    """What every worker is started with."""

    size: int
    command: tuple[str, ...]
    environment: Mapping[str, str]
    descriptors: tuple[int, ...]
    metrics_folder: Path
    leave_s: float
    """How long a leaving worker may take until it is killed."""


class Crew:
    """The supervisor's living workers, kept complete, rolled one by one, and ended together."""

    def __init__(self, plan: CrewPlan, changed: Callable[["Crew"], None]) -> None:
        self._plan = plan
        self._changed = changed
        self._workers: dict[int, Worker] = {}
        self._child_ended = asyncio.Event()
        self._roll_wanted = asyncio.Event()
        self._pauses = Pauses(STEADY_S, LONGEST_PAUSE_S)
        self._ever_steady = False
        self._start_after = 0.0

    @property
    def workers(self) -> list[Worker]:
        """The living workers, by number."""
        return sorted(self._workers.values(), key=lambda worker: worker.number)

    async def keep(self) -> None:
        """Keep the crew complete until cancelled; raises NoWorkerLives."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._child_ended.set)
        while True:
            self.reap()
            if self._pauses.early >= MOST_EARLY_DEATHS and not self._ever_steady:
                raise NoWorkerLives(f"{self._pauses.early} workers died as soon as they started")
            self._fill()
            await self._something_happens()

    def want_roll(self) -> None:
        """Replace every worker, soon; asked for during a roll, there is one more after it."""
        self._roll_wanted.set()

    async def keep_rolling(self) -> None:
        """Do one roll after another, as they are asked for, until cancelled."""
        while True:
            await self._roll_wanted.wait()
            self._roll_wanted.clear()
            await self.roll()

    async def roll(self) -> bool:
        """Replace each worker: the new one first, then the old one leaves. Never fewer than asked for.

        It ends at a new worker that dies or is not ready in time: workers not replaced yet go on serving. Says
        whether all were replaced.
        """
        log.info("rolling", extra={"workers": len(self._workers)})
        for old in self.workers:
            if self._is_gone(old) or old.leaving:
                continue
            fresh = self._try_to_start()
            if fresh is None:
                return False
            await self._until(partial(self._is_decided, fresh), READY_WITHIN_S)
            if self._is_gone(fresh) or not fresh.ready:
                await self._give_up(fresh)
                return False
            old.leave()
            await self._until(partial(self._is_gone, old), self._plan.leave_s)
            self._kill(old)
        log.info("rolled", extra={"workers": len(self._workers)})
        return True

    async def end(self) -> None:
        """Ask all to leave; kill those still here after their time."""
        for worker in self.workers:
            worker.leave()
        await self._until(lambda: not self._workers, self._plan.leave_s)
        for worker in self.workers:
            self._kill(worker)
        await self._until(lambda: not self._workers, 2.0)

    def reap(self) -> None:
        """Take the status of every child that ended, ours or adopted."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            worker = next((one for one in self._workers.values() if one.pid == pid), None)
            if worker is not None:
                self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: Worker, status: int) -> None:
        del self._workers[worker.number]
        worker.ended(status)
        clear_gauges(self._counts(worker.number))
        lived = time.monotonic() - worker.began
        self._changed(self)
        if worker.leaving:
            took_s = round(time.monotonic() - worker.asked, 2)
            log.info("worker left", extra={"worker": worker.number, "status": status, "took_s": took_s})
            return
        log.error("worker died", extra={"worker": worker.number, "status": status, "lived_s": round(lived, 1)})
        pause = self._pauses.after(lived)
        if self._pauses.early:
            self._start_after = time.monotonic() + pause
        else:
            self._ever_steady = True

    async def _give_up(self, fresh: Worker) -> None:
        why = "it died" if self._is_gone(fresh) else f"it was not ready within {READY_WITHIN_S:g} s"
        log.error("rolling stopped: a new worker failed, the old ones serve on", extra=_told(fresh, why))
        if not self._is_gone(fresh):
            fresh.leave()
            await self._until(partial(self._is_gone, fresh), self._plan.leave_s)
            self._kill(fresh)

    def _kill(self, worker: Worker) -> None:
        """Kill a worker that was asked to leave and is still here after its time."""
        if not self._is_gone(worker):
            log.error("worker did not end in time", extra={"worker": worker.number, "leave_s": self._plan.leave_s})
            worker.signal(signal.SIGKILL)

    def _is_decided(self, fresh: Worker) -> bool:
        return self._is_gone(fresh) or fresh.ready

    def _is_gone(self, worker: Worker) -> bool:
        return self._workers.get(worker.number) is not worker

    def _fill(self) -> None:
        if any(time.monotonic() - one.began >= STEADY_S for one in self._workers.values()):
            self._ever_steady = True
            self._pauses.steady()
        staying = sum(not worker.leaving for worker in self._workers.values())
        for _ in range(self._plan.size - staying):
            if time.monotonic() < self._start_after or self._try_to_start() is None:
                return

    def _try_to_start(self) -> Worker | None:
        """A new worker; None where the system has no process, pipe or memory for it now. Then it is tried again."""
        try:
            return self._start()
        except OSError as error:
            log.error("a worker cannot be started now", extra={"why": str(error), "again_in_s": _NO_ROOM_S})
            self._start_after = time.monotonic() + _NO_ROOM_S
            return None

    def _start(self) -> Worker:
        number = next(n for n in range(1, 10_000) if n not in self._workers)
        environment = {**self._plan.environment, "ARCHWAY_METRICS_FILE": str(self._counts(number))}
        worker = start(number, self._plan.command, environment, self._plan.descriptors)
        self._workers[number] = worker
        log.info("worker started", extra={"worker": number, "worker_pid": worker.pid})
        self._changed(self)
        return worker

    def _counts(self, number: int) -> Path:
        return self._plan.metrics_folder / f"worker-{number}.counts"

    async def _something_happens(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._child_ended.wait(), _TICK_S)
        self._child_ended.clear()

    async def _until(self, done: Callable[[], bool], within: float) -> None:
        deadline = time.monotonic() + within
        while not done() and time.monotonic() < deadline:
            self.reap()
            await asyncio.sleep(0.05)


def _told(worker: Worker, why: str) -> dict[str, object]:
    return {"worker": worker.number, "why": why}
