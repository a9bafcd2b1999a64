"""The sealed copies on disk: with them a restarted worker serves the callers that were known, control and Redis away.

Each worker writes files of its own, one for each kind, whole, by a background task when something changed. It reads
those of all workers at its start, the dead ones' too, and takes the newest of what several hold: which worker gets
which caller after a restart, or how many workers there are then, makes no difference. What it read stands in its own
files as well, and once those are written, the files of workers that have ended are removed. A worker that lives is
known by the lock that it holds on its files; the lock ends with it, however that ends.

Values keep their ages: what is past the hard age, or past its own expiry, does not serve.
"""

import fcntl
import logging
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.keys import KeyRing
from core.sealing import SealBroken, Sealer

log = logging.getLogger(__name__)
MAX_BYTES = 256 << 20
"""Of one file, and of all files of one kind that a start reads, the newest first."""
MOST_FILES = 64
"""Of one kind that a start reads; there are as many as workers, or twice as many just after a restart."""
_SEAL_BYTES = 256
_FRAME_BYTES = 24
"""At most, of MessagePack around a key, an age and a value."""
_TRIES = 3


class Kept(NamedTuple):
    """One value of a copy: when control last vouched for it (Unix seconds), and its bytes."""

    asked: float
    content: bytes


class DiskCopy:
    """The copies on disk: sealed files in a private folder (0700); with no folder it keeps and finds nothing.

    `max_age`: seconds after which nobody reads a file any more, whatever is in it.
    """

    def __init__(self, folder: str, ring: KeyRing, max_age: float = 3600.0) -> None:
        self._folder = Path(folder) if folder else None
        self._sealer = Sealer(ring, "disk")
        self._max_age = max_age
        self._me = secrets.token_hex(4)
        self._locked: dict[str, int] = {}
        """Descriptors of our newest files, each of which holds the lock that says that we live."""
        self._others: dict[str, list[Path]] = {}
        """Files of others that were read, of which ours hold the content once they are written."""
        if self._folder is not None:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:  # each write says so again; only the copy is lost
                log.error("the copy on disk could not be written", extra={"file": folder, "why": str(error)})

    @property
    def kept(self) -> bool:
        """Whether there is a folder at all."""
        return self._folder is not None

    def write(self, name: str, values: Mapping[str, Kept]) -> bool:
        """Replace our file of this kind; whether it was. A disk that is full or read-only costs only the copy.

        What has no room in a file that can be read again is left out: the first values are kept.
        """
        if self._folder is None:
            return False
        sealed = self._sealer.seal(msgspec.msgpack.encode(_with_room(values)), name)
        path = self._folder / f"{name}.{self._me}"
        try:
            self._replace(name, path, sealed)
        except OSError as error:
            log.warning("the copy on disk could not be written", extra={"file": path.name, "why": str(error)})
            return False
        for other in self._others.pop(name, ()):
            _remove_if_left(other)
        return True

    def read(self, name: str) -> dict[str, Kept]:
        """What all workers wrote last, of each key the newest; nothing where there is nothing."""
        if self._folder is None:
            return {}
        self._tidy(name)
        found: dict[str, Kept] = {}
        read: list[Path] = []
        for path, values in self._files(name):
            read.append(path)
            for key, kept in values.items():
                known = found.get(key)
                if known is None or known.asked < kept.asked:
                    found[key] = kept
        self._others[name] = read
        return found

    def close(self) -> None:
        """Let go of our files: the next worker may take what is in them over."""
        for descriptor in self._locked.values():
            os.close(descriptor)
        self._locked.clear()

    def _replace(self, name: str, path: Path, sealed: bytes) -> None:
        part = path.with_name(path.name + ".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with suppress(OSError):  # some network file systems have no locks: then files go by their age alone
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(sealed)
            part.replace(path)
        except BaseException:
            os.close(descriptor)
            raise
        before = self._locked.pop(name, None)
        if before is not None:
            os.close(before)
        self._locked[name] = descriptor

    def _files(self, name: str) -> Iterator[tuple[Path, dict[str, Kept]]]:
        """The files of this kind that can be used, the newest first, and what is in them."""
        done: set[Path] = set()
        room, missed = MAX_BYTES, True
        for _ in range(_TRIES):  # another worker that starts now may take a dead one's file over while we look
            if not missed:
                return
            missed = False
            for path, size in self._listed(name):
                if path in done or len(done) >= MOST_FILES or size > room:
                    continue
                done.add(path)
                room -= size
                try:
                    yield path, self._opened(name, path)
                except FileNotFoundError:
                    missed = True
                except (OSError, SealBroken, msgspec.MsgspecError) as broken:
                    log.error("the copy on disk cannot be used", extra={"file": path.name, "why": str(broken)})

    def _opened(self, name: str, path: Path) -> dict[str, Kept]:
        return msgspec.msgpack.decode(self._sealer.open(path.read_bytes(), name), type=dict[str, Kept])

    def _listed(self, name: str) -> list[tuple[Path, int]]:
        """Path and size of the files of this kind, the newest first."""
        form = re.compile(re.escape(name) + r"\.[0-9a-f]{8}")
        found = [(told, path) for told, path in self._told(name) if form.fullmatch(path.name)]
        found.sort(key=lambda one: one[0].st_mtime_ns, reverse=True)
        return [(path, told.st_size) for told, path in found]

    def _told(self, name: str) -> Iterator[tuple[os.stat_result, Path]]:
        assert self._folder is not None
        form = re.compile(re.escape(name) + r"(\.[0-9a-f]{8})?(\.part)?")
        try:
            paths = [path for path in self._folder.iterdir() if form.fullmatch(path.name)]
        except OSError:
            return
        for path in paths:
            try:
                yield path.stat(), path
            except OSError:
                continue

    def _tidy(self, name: str) -> None:
        """Remove what is of no use to anybody: files that nobody has written to for so long, whoever wrote them."""
        oldest = time.time() - self._max_age
        for told, path in self._told(name):
            if told.st_mtime < oldest:
                with suppress(OSError):
                    path.unlink()


def _remove_if_left(path: Path) -> None:
    """Remove a file whose worker has ended. One that cannot be removed stays, until it is too old to be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):  # else it was replaced, and that one is locked
            path.unlink()
    except OSError:
        return
    finally:
        os.close(descriptor)


def _with_room(values: Mapping[str, Kept]) -> dict[str, Kept]:
    """As many of the first values as a readable file has room for."""
    room = MAX_BYTES - _SEAL_BYTES
    kept: dict[str, Kept] = {}
    for key, value in values.items():
        room -= len(key.encode()) + len(value.content) + _FRAME_BYTES
        if room < 0:
            break
        kept[key] = value
    return kept


def newest(values: Iterable[tuple[str, Kept]], most: int) -> dict[str, Kept]:
    """The newest so many of these, the newest first."""
    return dict(sorted(values, key=lambda one: one[1].asked, reverse=True)[:most])
