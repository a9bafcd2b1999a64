"""Processes told apart by more than their number: a pid alone may have gone to a stranger since it was written down.

An identity is the pid and the moment its process began, within one boot. Each process that a guard starts is written
down with it; whoever signals or believes a record later compares first. Linux reads /proc; elsewhere `ps` says when a
process began. Needs only the standard library, since guard.py loads this file by its place.
"""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Identity:
    """One process; `began` is opaque and compared whole."""

    pid: int
    began: str

    @property
    def row(self) -> list[int | str]:
        """The identity as it is written into a JSON file; `from_row` reads it."""
        return [self.pid, self.began]


def from_row(row: object) -> Identity | None:
    """The identity in one value of a JSON file; None for a value that is not one."""
    match row:
        case [int(pid), str(began)]:
            return Identity(pid, began)
    return None


def identify(pid: int) -> Identity | None:
    """The identity of a living process; None for a dead one or a zombie, which only waits to be reaped."""
    began = _began_linux(pid) if _PROC.joinpath("self/stat").exists() else _began_by_ps(pid)
    return Identity(pid, began) if began else None


def lives(identity: Identity) -> bool:
    """Whether this very process still runs."""
    return identify(identity.pid) == identity


def end(identities: list[Identity], stop: int = signal.SIGTERM, grace: float = 5.0) -> None:
    """Ask the living ones to stop; kill what has not after `grace` seconds. Blocks, at most `grace` and a second."""
    _signal(identities, stop)
    if not _gone(identities, grace):
        _signal(identities, signal.SIGKILL)
        _gone(identities, 1.0)


def _signal(identities: list[Identity], number: int) -> None:
    for identity in identities:
        if lives(identity):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(identity.pid, number)


def _gone(identities: list[Identity], within: float) -> bool:
    deadline = time.monotonic() + within
    while any(lives(identity) for identity in identities):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _began_linux(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The program's name stands in parentheses and may hold anything; fields are counted after its end (proc(5)).
    state, *fields = stat[stat.rindex(b")") + 2 :].split()
    if state in {b"Z", b"X"}:
        return None
    return f"{_boot()}/{fields[18].decode()}"


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _began_by_ps(pid: int) -> str | None:
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=5
    )
    state, _, began = asked.stdout.strip().partition(" ")
    return None if not began or state.startswith("Z") else began.strip()
