"""What a server said, out of its log's file: its latest lines, and those to come.

The file is kept within bounds here too: it grows while the server runs, which may say much.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

LONGEST: Final = 8 << 20
"""Bytes of the log of one run."""
_KEPT: Final = 1 << 20
"""What is left of one that has become longer, and how far back its latest lines are looked for."""
_PIECE: Final = 64 << 10
_LOOK_S: Final = 0.25


def trim(path: Path) -> None:
    """Keep the end alone of a log that has become too long: its writer appends, and so goes on behind it."""
    with contextlib.suppress(OSError):
        if path.stat().st_size > LONGEST:
            latest = _end(path)
            with path.open("rb+") as file:
                file.truncate(0)
                file.write(latest)


def latest_lines(path: Path, lines: int, *, before: int | None = None) -> list[bytes]:
    """The last lines, each with its end, of what lies before a place; none where there is no log."""
    try:
        return _end(path, before).splitlines(keepends=True)[-lines:] if lines else []
    except FileNotFoundError:
        return []


async def follow(path: Path, lines: int) -> AsyncIterator[bytes]:
    """The last lines, and those to come, until the reader leaves. A new run's log is read from its beginning."""
    place = _Place(path)
    for line in latest_lines(path, lines, before=place.at):
        yield line
    unfinished = b""
    while True:
        piece = place.read()
        if not piece:
            await asyncio.sleep(_LOOK_S)
            continue
        *whole, unfinished = (unfinished + piece).splitlines(keepends=True)
        if unfinished.endswith(b"\n") or len(unfinished) > _PIECE:
            whole, unfinished = [*whole, unfinished], b""
        for line in whole:
            yield line


class _Place:
    """Where one reader is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file, self.at = self._now()

    def _now(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_ino, found.st_size

    def read(self) -> bytes:
        """What has come since, a piece of it."""
        file, size = self._now()
        if file != self._file or size < self.at:
            self._file, self.at = file, 0
        if size <= self.at:
            return b""
        with self._path.open("rb") as log:
            log.seek(self.at)
            piece = log.read(_PIECE)
        self.at += len(piece)
        return piece


def _end(path: Path, before: int | None = None) -> bytes:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size if before is None else before
        file.seek(max(0, size - _KEPT))
        latest = file.read(min(size, _KEPT))
    return latest if size <= _KEPT else latest.partition(b"\n")[2]
