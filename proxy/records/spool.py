"""The spool: record batches that Redis did not take, in one file each, bounded in number and bytes.

Batches are sealed before they come here. A worker that dies leaves its files behind; the next worker in the same
folder sends them. With no folder the spool has no room. `put`, `oldest` and `remove` wait for the disk: the keeper
calls them on a thread, one at a time.
"""

import logging
import os
import re
from pathlib import Path

log = logging.getLogger(__name__)
MAX_BYTES = 64 << 20
_AT_ONCE = 50
_NAME = re.compile(r"(?P<worker>.+)\.(?P<number>[0-9]{1,18})\.batch")


class Spool:
    """A folder of batches, `{worker}.{number}.batch`."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder) / "records" if folder else None
        self._bytes = 0
        self._sent_but_here: set[str] = set()
        """Batches that the disk would not let go of."""
        if self._folder is not None:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:  # full or read-only: what is there can still be sent, and calls go on
                log.error("the spool cannot be written", extra={"why": str(error)})
            self._bytes = sum(path.stat().st_size for path in self._batches())

    @property
    def has_room(self) -> bool:
        """Whether another batch would fit."""
        return self._folder is not None and self._bytes < MAX_BYTES

    def put(self, worker: str, number: int, sealed: bytes) -> bool:
        """Keep a batch; whether it is on disk now."""
        if self._folder is None or self._bytes + len(sealed) > MAX_BYTES:
            return False
        path = self._path(worker, number)
        try:
            part = path.with_suffix(".part")
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(sealed)
            part.replace(path)
        except OSError as error:
            log.error("the spool cannot be written", extra={"why": str(error)})
            return False
        self._bytes += len(sealed)
        return True

    @property
    def may_hold_some(self) -> bool:
        """Whether a look into the folder is worth it."""
        return self._folder is not None and self._bytes > 0

    def oldest(self) -> list[tuple[str, int, bytes]]:
        """The oldest batches by worker and number, at most 50."""
        found: list[tuple[str, int, bytes]] = []
        kept = sorted(self._batches(), key=_age) if self.may_hold_some else []
        if not kept:
            self._bytes = 0  # other workers in this folder sent what we had counted
        for path in kept[:_AT_ONCE]:
            named = _NAME.fullmatch(path.name)
            assert named is not None
            try:
                found.append((named["worker"], int(named["number"]), path.read_bytes()))
            except FileNotFoundError:
                continue  # another worker sent it
            except OSError as error:
                log.error("a batch in the spool cannot be read", extra={"file": path.name, "why": str(error)})
        return found

    def remove(self, worker: str, number: int) -> None:
        """Remove a batch that was sent."""
        path = self._path(worker, number)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            log.error("a batch in the spool cannot be removed", extra={"file": path.name, "why": str(error)})
            self._sent_but_here.add(path.name)  # or it would be sent for ever, and nothing after it
            return
        self._bytes = max(0, self._bytes - size)

    def _batches(self) -> list[Path]:
        """The files that are batches by their names; whatever else lies there is left alone."""
        assert self._folder is not None
        return [
            path
            for path in self._folder.glob("*.batch")
            if _NAME.fullmatch(path.name) and path.is_file() and path.name not in self._sent_but_here
        ]

    def _path(self, worker: str, number: int) -> Path:
        assert self._folder is not None
        return self._folder / f"{worker}.{number:012d}.batch"


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0  # another worker sent it
