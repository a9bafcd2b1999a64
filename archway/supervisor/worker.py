"""One worker as the supervisor sees it: a process, a number, a lifeline."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Worker:
    """A running worker; its number names its metrics file, and no two living workers share one."""

    number: int
    process: "subprocess.Popen[bytes]"
    began: float = field(default_factory=time.monotonic)
    leaving: bool = False
    asked: float = 0.0
    """When it was asked to leave."""
    _ready_pipe: int = -1
    _ready: bool = False

    @property
    def pid(self) -> int:
        """The number of the worker's process."""
        return self.process.pid

    @property
    def ready(self) -> bool:
        """Whether the worker has said that it is ready; stays false in one that ended before."""
        if self._ready_pipe >= 0:
            try:
                said = os.read(self._ready_pipe, 1)
            except BlockingIOError:
                return False
            self._ready = bool(said)
            self._close_pipe()
        return self._ready

    def signal(self, number: int) -> None:
        """Send a signal; it is no error if the worker is gone already."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def leave(self) -> None:
        """Ask the worker to finish its calls and go; its end is then no accident."""
        self.leaving, self.asked = True, time.monotonic()
        self.signal(signal.SIGTERM)

    def ended(self, status: int) -> None:
        """Let go of the lifeline of a worker that was reaped."""
        self.process.returncode = status
        self._close_pipe()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def _close_pipe(self) -> None:
        if self._ready_pipe >= 0:
            os.close(self._ready_pipe)
            self._ready_pipe = -1


def start(
    number: int, command: tuple[str, ...], environment: Mapping[str, str], descriptors: tuple[int, ...]
) -> Worker:
    """A new worker that inherits the listening sockets, and a pipe in which it says that it is ready."""
    hear, say = os.pipe()
    os.set_blocking(hear, False)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            env={**environment, "ARCHWAY_WORKER_NUMBER": str(number), "ARCHWAY_READY_FD": str(say)},
            pass_fds=(*descriptors, say),
            start_new_session=True,  # a terminal's Ctrl-C reaches the supervisor, which then decides
        )
    except BaseException:
        os.close(hear)
        raise
    finally:
        os.close(say)
    return Worker(number, process, _ready_pipe=hear)
