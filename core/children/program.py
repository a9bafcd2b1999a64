"""What is known about one program before it runs: made by whoever wants it to run, kept running by child.py."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.children.guard import AS_WE_ARE

Ready = Callable[[], Awaitable[bool]]
"""Asks once whether the program answers; quick, never raises for one that does not yet."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program that a process of ours keeps running as its child."""

    name: str
    title: str
    """What people call it, in sentences and reports."""
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    """All of its environment, secrets among it: nothing is inherited."""
    log: Path
    record: Path
    """Where its guard writes down which processes these are."""
    ready: Ready
    stop: int = signal.SIGTERM
    run_as: str = AS_WE_ARE
    """As guard.py takes it; run_as.py finds one for a program that must not run as root."""
    grace_s: float = 10.0
    ready_within_s: float = 30.0
    tries: int = 3
    """How often it may end before it first answers; then its own words say why."""
    log_of_each_run: bool = False
    """Whether the log begins afresh with each start, with the one before it kept beside it."""
