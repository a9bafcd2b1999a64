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

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    def signal(self, number: int) -> None:
        """Send a signal; one that is gone already is not an error."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def leave(self) -> None:
        """Ask it to finish its calls and go; its end is then no accident."""
        self.leaving = True
        self.signal(signal.SIGTERM)

    def ended(self, status: int) -> None:
        """It was reaped: let go of the lifeline."""
        self.process.returncode = status
        if self.process.stdin is not None:
            self.process.stdin.close()


def start(
    number: int, command: tuple[str, ...], environment: Mapping[str, str], descriptors: tuple[int, ...]
) -> Worker:
    """A new worker that inherits the listening sockets."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        env={**environment, "ARCHWAY_WORKER_NUMBER": str(number)},
        pass_fds=descriptors,
        start_new_session=True,  # a terminal's Ctrl-C reaches the supervisor, which then decides
    )
    return Worker(number, process)
