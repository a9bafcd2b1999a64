"""Everything that the server started: reaped when it ends, and ended when the server does, whatever it did to leave.

The bridge is process 1 of its container, or makes itself the one to which the orphans of its descendants fall
(prctl(2), PR_SET_CHILD_SUBREAPER). So a program that forks, begins a session of its own and lets its parent end is
still a child of ours. Linux only; elsewhere only the server's own process group is ended.
"""

import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)
_PR_SET_DUMPABLE: Final = 4
_PR_SET_CHILD_SUBREAPER: Final = 36
_ROUNDS: Final = 100
"""Looks for descendants at one end: each finds what was started since the one before."""


def take_in_orphans() -> None:
    """From now on orphans of our descendants are our children; and nobody of our user reads our environment.

    The environment holds the token with which the server is called: /proc/PID/environ of a process that is not
    dumpable is root's alone (proc(5)).
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        for option, value in ((_PR_SET_CHILD_SUBREAPER, 1), (_PR_SET_DUMPABLE, 0)):
            if library.prctl(option, value, 0, 0, 0) != 0:
                log.warning("prctl was refused", extra={"option": option, "why": os.strerror(ctypes.get_errno())})


def reaped() -> Iterator[tuple[int, int]]:
    """The children that have ended since, with their statuses as `subprocess` has them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def signal_group(pid: int, what: int) -> None:
    """Send a signal to the process group that a child of ours leads; one that is gone gets none."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, what)


def end_descendants() -> None:
    """End all our descendants by force. They are gone once they are reaped."""
    for _ in range(_ROUNDS):
        found = [pid for pid in descendants(os.getpid()) if _ended(pid)]
        if not found:
            return


def _ended(pid: int) -> bool:
    """Kill it; False where there is nothing left to kill."""
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def descendants(root: int) -> list[int]:
    """The processes below `root` that have not ended yet; [] where /proc does not tell."""
    parents = dict(_parents())
    found: list[int] = []
    for pid in parents:
        above, steps = parents.get(pid), 0
        while above is not None and above != root and steps < len(parents):
            above, steps = parents.get(above), steps + 1
        if above == root:
            found.append(pid)
    return found


def _parents() -> Iterator[tuple[int, int]]:
    """Each process with its parent, but for those that have ended and wait to be reaped."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "stat").read_bytes()
        except OSError:
            continue  # it has ended since
        # proc_pid_stat(5): the name is in parentheses and may hold any byte; behind it the state and the parent.
        state, parent = told.rpartition(b")")[2].split()[:2]
        if state not in {b"Z", b"X"}:
            yield int(entry.name), int(parent)
