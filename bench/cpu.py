"""What processes cost, read from /proc: user + system time of all their threads, and resident memory."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pids: Iterable[int]) -> float:
    """User + system of processes that live, since they began; ended children that were waited for included."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / _TICK


def resident_mib(pids: Iterable[int]) -> float:
    """Resident memory of the processes, each by itself: pages that they share count for each."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * _PAGE / (1 << 20)


def with_children(pid: int) -> list[int]:
    """A process and those that it started, and those that they started."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += with_children(int(child))
    return found


def keep_on(pids: Iterable[int], cores: Iterable[int]) -> None:
    """Let all threads of the processes run on these cores only; what they start later inherits it."""
    wanted = set(cores)
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # it ended meanwhile
                os.sched_setaffinity(int(thread.name), wanted)


def step_back(pids: Iterable[int]) -> None:
    """Give way to everybody else who wants the processor."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, 19)


@contextlib.contextmanager
def in_front(pids: Iterable[int]) -> Iterator[None]:
    """Those who gave way do so no more, as long as the block lasts, where we may say so."""
    known = list(pids)
    before = {pid: os.getpriority(os.PRIO_PROCESS, pid) for pid in known}
    for pid in known:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, min(0, before[pid]))
    try:
        yield
    finally:
        for pid in known:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, pid, before[pid])
