"""The files of this repository as git knows them, for the tests about the repository itself."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ("archway", "control", "core", "proxy")


@cache
def tracked() -> tuple[str, ...]:
    """Every tracked path that exists, relative to the root."""
    # A container often runs as another user than the one who made the clone; reading the list is harmless.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    return tuple(path for path in listed.decode().split("\0") if path and (ROOT / path).is_file())


def python_files(*folders: str) -> list[str]:
    return [path for path in tracked() if path.endswith(".py") and path.split("/")[0] in folders]


def text_of(path: str) -> str | None:
    """The text of a file; None for a picture or another binary file."""
    raw = (ROOT / path).read_bytes()
    return None if b"\0" in raw else raw.decode("utf-8", "replace")
