"""What a soak looks at: memory over each process's life, descriptors, and the figures of the metrics listener."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

MIB = 1 << 20
HOUR = 3600.0
ALLOWED_MIB_PER_HOUR = 5.0
NOISE_MIB = 6.0
"""What a process may gain however short the time was: caches fill, the allocator keeps what it had."""
SETTLES = 1 / 3
"""The part of a life in which a process may grow as it likes; an hour at most."""

Sample = tuple[float, int]
"""Seconds and bytes."""


@dataclass(slots=True)
class Life:
    """One process: its name, and its memory from its first to its last look."""

    name: str
    began: float
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Growth:
    """What a process gained once it had settled."""

    name: str
    hours: float
    mib: float
    mib_per_hour: float

    @property
    def too_much(self) -> bool:
        """More than the rate that is allowed, and more than noise."""
        return self.mib > max(ALLOWED_MIB_PER_HOUR * self.hours, NOISE_MIB)


class Watch:
    """Looks at processes by name; a new pid is a new life."""

    def __init__(self) -> None:
        self.lives: dict[int, Life] = {}

    def look(self, name: str, pids: Sequence[int]) -> None:
        """One sample of each; one that has gone is left out."""
        for pid in pids:
            try:
                memory = psutil.Process(pid).memory_info().rss
            except psutil.NoSuchProcess:
                continue
            now = time.monotonic()
            self.lives.setdefault(pid, Life(name, now)).samples.append((now, memory))

    def growths(self) -> list[Growth]:
        """Of each life that lasted long enough to say something."""
        found = [growth_of(life) for life in self.lives.values()]
        return [growth for growth in found if growth is not None]


def growth_of(life: Life) -> Growth | None:
    """By the straight line through its settled samples (least squares)."""
    if not life.samples:
        return None
    lasted = life.samples[-1][0] - life.began
    settled = [one for one in life.samples if one[0] - life.began >= min(lasted * SETTLES, HOUR)]
    if len(settled) < 5:
        return None
    times, sizes = [at / HOUR for at, _ in settled], [size / MIB for _, size in settled]
    mean_time, mean_size = sum(times) / len(times), sum(sizes) / len(sizes)
    spread = sum((at - mean_time) ** 2 for at in times)
    pairs = zip(times, sizes, strict=True)
    slope = sum((at - mean_time) * (size - mean_size) for at, size in pairs) / spread if spread else 0.0
    hours = times[-1] - times[0]
    return Growth(life.name, hours, slope * hours, slope)


def descriptors(pids: Sequence[int], apart: int) -> tuple[int, int]:
    """How many these processes hold, without their connections to the port `apart`; and those."""
    processes = [psutil.Process(pid) for pid in pids]
    connections = [one for process in processes for one in process.net_connections("tcp")]
    to_it = sum(1 for one in connections if one.raddr and one.raddr.port == apart)
    return sum(process.num_fds() for process in processes) - to_it, to_it
