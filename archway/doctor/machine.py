"""Checks of the machine: Python, the state folder, its disk."""

import os
import shutil
import stat
import sys
from pathlib import Path

from archway.doctor.finding import Finding, note

OLDEST_PYTHON = (3, 11)
LEAST_FREE = 500 << 20
_PRIVATE_FILES = ("keys.env", "servers.json", "setup.json", "up.json")


def check_python() -> list[Finding]:
    """Whether Python is too old to have what we use."""
    if sys.version_info >= OLDEST_PYTHON:
        return []
    return [
        Finding(f"Python {sys.version.split()[0]}", "Archway uses 3.11's task groups", "install Python 3.11 or newer")
    ]


def check_state(root: Path) -> list[Finding]:
    """Whether others may read the state folder, and whether its disk has room."""
    if not root.exists():
        return [note(f"{root} does not exist yet", cure="`archway up` makes it")]
    findings = [_too_open(path, 0o077) for path in (root, *(root / name for name in _PRIVATE_FILES)) if path.exists()]
    if root.stat().st_uid != os.geteuid():
        findings.append(
            Finding(
                f"{root} belongs to another user",
                "files in it cannot be kept private",
                "choose a folder of your own with --state",
            )
        )
    free = shutil.disk_usage(root).free
    if free < LEAST_FREE:
        findings.append(
            Finding(f"{free >> 20} MiB free on the disk of {root}", "PostgreSQL stops when it is full", "make room")
        )
    return [finding for finding in findings if finding is not None]


def _too_open(path: Path, forbidden: int) -> Finding | None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & forbidden:
        return None
    right = "700" if path.is_dir() else "600"
    return Finding(f"{path} has mode {mode:o}", "other users may read keys or tokens in it", f"chmod {right} {path}")
