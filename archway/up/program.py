"""What is known about one program before it runs."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Ready = Callable[[], Awaitable[bool]]
"""Asks once whether the program answers; quick, never raises for one that does not yet."""


@dataclass(frozen=True, slots=True)
class Program:
    """One child of `archway up`."""

    name: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    record: Path
    ready: Ready
    stop: int = signal.SIGTERM
    run_as: str = "-"
    grace_s: float = 10.0
    ready_within_s: float = 30.0
    tries: int = 3
    """How often it may end before it first answers; then its own words say why."""
