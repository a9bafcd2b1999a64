"""Keeps one program running: starts it behind its guard, restarts it when it dies, stops it.

Called by `archway up` for its servers and planes (archway/up/stack.py). A program that dies is started again, after
a pause that grows while it dies soon (pauses.py), up to ten seconds; its log says why it died. Left out: which
programs there are, and in which order they start and stop.
"""

import asyncio
import contextlib
import logging
import os
import time
from pathlib import Path

from core.children.guard import guarded
from core.children.orphans import end_program, recorded
from core.children.pauses import Pauses
from core.children.program import Program
from core.tasks import Tasks

log = logging.getLogger(__name__)
LONGEST_LOG = 8 << 20
_LONGEST_END = 64 << 10
"""Bytes of a log in which its last lines are looked for."""
_LONGEST_PAUSE_S = 10.0
_STEADY_S = 30.0
_POLL_S = 0.05
_PROBE_S = 3.0


class DidNotStart(Exception):
    """A program never answered after its start; the sentence carries the end of its log."""


class Child:
    """One program, kept running from `start` to `stop`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: asyncio.subprocess.Process | None = None
        self._tasks = Tasks(f"child/{program.name}")
        self._stopping = False
        self._log_begins = 0

    async def start(self) -> None:
        """Run until it answers, then keep it running; raises DidNotStart."""
        deadline, ended = time.monotonic() + self.program.ready_within_s, 0
        while not await self._started(deadline):
            ended += 1
            if time.monotonic() > deadline or ended >= self.program.tries:
                status = self._process.returncode if self._process else None
                await self.stop()
                raise DidNotStart(_why_not(self.program, status, self._log_begins))
            await asyncio.sleep(0.25)
        _ = self._tasks.spawn("keep", self._keep())

    @property
    def pid(self) -> int | None:
        """The program's own pid, not its guard's; None while it does not run."""
        if self._process is None or self._process.returncode is not None:
            return None
        known = recorded(self.program.record)
        guard, program = known.get("guard"), known.get("program")
        # The record of a run before this one stays where the disk takes no other.
        return program.pid if guard and program and guard.pid == self._process.pid else None

    async def stop(self) -> None:
        """End the program and its guard: within about its grace and six seconds."""
        self._stopping = True
        await self._tasks.close()
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # the guard's sign to end its program
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), self.program.grace_s + 2)
        await asyncio.to_thread(end_program, self.program.record, 1.0)
        await process.wait()

    async def _started(self, deadline: float) -> bool:
        process = await self._spawn()
        while process.returncode is None and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                # A program may answer before its guard has written down which process it is: it could not be ended.
                if await asyncio.wait_for(self.program.ready(), _PROBE_S) and self.pid is not None:
                    return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _spawn(self) -> asyncio.subprocess.Process:
        program = self.program
        await asyncio.to_thread(end_program, program.record)
        log = _open_log(program.log, afresh=program.log_of_each_run)
        self._log_begins = os.fstat(log).st_size
        try:
            self._process = await asyncio.create_subprocess_exec(
                *guarded(
                    program.command,
                    stop=program.stop,
                    run_as=program.run_as,
                    grace_s=program.grace_s,
                    record=program.record,
                ),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=dict(program.environment),
                start_new_session=True,  # a terminal's Ctrl-C is ours alone
            )
        finally:
            os.close(log)
        return self._process

    async def _keep(self) -> None:
        pauses = Pauses(_STEADY_S, _LONGEST_PAUSE_S)
        while not self._stopping:
            assert self._process is not None
            began = time.monotonic()
            await self._process.wait()
            await asyncio.sleep(pauses.after(time.monotonic() - began))
            try:
                await self._started(time.monotonic() + self.program.ready_within_s)
            except OSError as error:  # no process, no memory, no folder: tried again after the next pause
                log.error("a program cannot be started now", extra={"program": self.program.name, "why": str(error)})


def end_of_log(path: Path, lines: int = 12, begin: int = 0) -> str:
    """The last lines of a program's log from byte `begin` on, for a person who must find out why."""
    try:
        with path.open("rb") as file:  # the log of a program of strangers may be of any size at its end
            file.seek(max(begin, os.fstat(file.fileno()).st_size - _LONGEST_END))
            text = file.read(_LONGEST_END).decode(errors="replace")
    except FileNotFoundError:
        return "    (it wrote nothing)"
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def _why_not(program: Program, status: int | None, begin: int) -> str:
    what = (
        f"did not answer within {program.ready_within_s:.0f} s" if status is None else f"ended with status {status}"
    )
    said = end_of_log(program.log, begin=begin) or "    (it wrote nothing)"
    return f"{program.title} {what}. Its log, {program.log}, ends:\n{said}"


def _open_log(path: Path, *, afresh: bool = False) -> int:
    """The log to append to; without one to be had the program runs and what it says is lost."""
    try:
        if path.exists() and (afresh or path.stat().st_size > LONGEST_LOG):
            path.replace(path.with_suffix(".log.1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
