"""The file of one worker's numbers: a directory of names that only grows, and a slot of 64 bits for each number.

One process writes, another reads at any moment. A name is written first and then made to count, by moving the mark
up to which names are whole; each carries a check sum besides, so that a reader never takes half a name for one. A
worker that dies leaves its file behind, and the next one of its number goes on in it: totals never fall.

`proxy/telemetry/counting.py` writes, `proxy/telemetry/exposition.py` reads. What a name means is in
`proxy/telemetry/metrics.py`.
"""

import logging
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)
CAPACITY: Final = 12_288
"""Slots of a file; `proxy/telemetry/counting.py` stays below it."""
NAME_BYTES: Final = 2 << 20
"""Room for names. All of it is taken on the disk at once: a page that finds no room later would kill the worker."""
_MAGIC: Final = b"archslt1"
_HEADER: Final = 64
_MARK: Final = 8
"""Where the mark stands: how many bytes of the directory are whole."""
_NAMES: Final = _HEADER + 8 * CAPACITY
SIZE: Final = _NAMES + NAME_BYTES
_ENTRY: Final = struct.Struct("<cHHI")
"""Kind, slots, length of the name, CRC-32 of what is before and behind it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in the directory of a file of counts, and where its numbers are."""

    kind: str
    """One letter; see `proxy/telemetry/metrics.py`."""
    name: str
    first: int
    """Its first slot."""
    slots: int


class SlotsFile:
    """The writer's side of a file of counts; without a path it is in this process's memory only."""

    def __init__(self, path: str = "") -> None:
        self._memory = _mapped(path)
        whole = memoryview(self._memory)
        self.values: Final = whole[_HEADER:_NAMES].cast("d")
        self._mark: Final = whole[_MARK : _MARK + 8].cast("Q")
        self._names: Final = whole[_NAMES:]
        self._entries = self._adopted(whole)
        self._end = self._mark[0]
        self._used = max((entry.first + entry.slots for entry in self._entries), default=0)

    @property
    def entries(self) -> list[Entry]:
        """What the directory holds, of a worker before this one too."""
        return self._entries

    def has_room(self, name: str, slots: int, spare_slots: int = 0, spare_bytes: int = 0) -> bool:
        """Whether a name would fit with so much room left for others."""
        return (
            self._used + slots + spare_slots <= CAPACITY
            and self._end + _ENTRY.size + len(_bytes(name)) + spare_bytes <= NAME_BYTES
        )

    def append(self, kind: str, name: str, slots: int = 1) -> int:
        """Add a name; its first slot. Raises OverflowError where there is no room."""
        if not self.has_room(name, slots):
            raise OverflowError("the file of counts is full")
        raw = _bytes(name)
        begin = self._end
        end = begin + _ENTRY.size + len(raw)
        self._names[begin:end] = _ENTRY.pack(kind.encode(), slots, len(raw), _sum(kind, slots, raw)) + raw
        self._end = self._mark[0] = end  # only now is it there
        entry = Entry(kind, name, self._used, slots)
        self._entries.append(entry)
        self._used += slots
        return entry.first

    def _adopted(self, whole: memoryview) -> list[Entry]:
        if bytes(whole[:_MARK]) != _MAGIC:
            whole[:_MARK] = _MAGIC
        entries = list(_entries_in(bytes(self._names[: min(self._mark[0], NAME_BYTES)])))
        self._mark[0] = sum(_ENTRY.size + len(_bytes(entry.name)) for entry in entries)
        return entries


def read(path: Path) -> list[tuple[Entry, tuple[float, ...]]] | None:
    """Every name and its numbers, as they are now; None for what is no such file."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
            if header[:_MARK] != _MAGIC or os.fstat(file.fileno()).st_size != SIZE:
                return None
            file.seek(_NAMES)
            entries = list(_entries_in(file.read(min(struct.unpack_from("=Q", header, _MARK)[0], NAME_BYTES))))
            used = max((entry.first + entry.slots for entry in entries), default=0)
            file.seek(_HEADER)
            values = struct.unpack(f"={used}d", file.read(8 * used))
    except (OSError, struct.error):
        return None
    return [(entry, values[entry.first : entry.first + entry.slots]) for entry in entries]


def clear(path: Path, kinds: str) -> None:
    """Set the numbers of these kinds to 0 in the file of a worker that is dead."""
    held = read(path)
    if held is None:
        return
    try:
        with path.open("r+b") as file:
            for entry, _ in held:
                if entry.kind in kinds:
                    file.seek(_HEADER + 8 * entry.first)
                    file.write(bytes(8 * entry.slots))
    except OSError:
        return


def _mapped(path: str) -> mmap.mmap:
    """The file, or this process's own memory where there is none or no room for it: calls matter more than counts."""
    if not path:
        return mmap.mmap(-1, SIZE)
    try:
        return _on_disk(path)
    except OSError as error:
        log.error("this worker's counts are not told", extra={"file": path, "why": str(error)})
        return mmap.mmap(-1, SIZE)


def _on_disk(path: str) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_size != SIZE or os.pread(descriptor, _MARK, 0) != _MAGIC:
            os.ftruncate(descriptor, 0)
        os.posix_fallocate(descriptor, 0, SIZE)
        return mmap.mmap(descriptor, SIZE)
    except OSError:
        os.ftruncate(descriptor, 0)
        raise
    finally:
        os.close(descriptor)


def _entries_in(names: bytes) -> Iterator[Entry]:
    """The whole names of a directory, up to the first that is not."""
    at = first = 0
    while at + _ENTRY.size <= len(names):
        kind, slots, length, told = _ENTRY.unpack_from(names, at)
        raw = names[at + _ENTRY.size : at + _ENTRY.size + length]
        letter = kind.decode("latin-1")
        if len(raw) != length or told != _sum(letter, slots, raw) or first + slots > CAPACITY:
            return
        yield Entry(letter, raw.decode("utf-8", "replace"), first, slots)
        at, first = at + _ENTRY.size + length, first + slots


def _sum(kind: str, slots: int, raw: bytes) -> int:
    return zlib.crc32(raw, zlib.crc32(b"%s%d" % (kind.encode("latin-1"), slots)))


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "replace")
