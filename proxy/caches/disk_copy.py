"""The sealed copy on disk: with it a restarted worker serves the callers it knew while control and Redis are down.

One file per kind, written whole by a background task when something changed, read once at start. Values keep their
ages: what is past the hard age, or past its own expiry, does not serve. Several workers share the folder; the last
writer wins, and any of their files will do.
"""

import logging
import os
from pathlib import Path
from typing import Any

import msgspec

from core.keys import KeyRing
from core.sealing import SealBroken, Sealer

log = logging.getLogger(__name__)
MAX_BYTES = 256 << 20
_SEAL_BYTES = 256
_FRAME_BYTES = 10
"""At most, of MessagePack around a key and a value."""


class DiskCopy:
    """The copy on disk: sealed files in a private folder (0700); with no folder it keeps and finds nothing."""

    def __init__(self, folder: str, ring: KeyRing) -> None:
        self._folder = Path(folder) if folder else None
        self._sealer = Sealer(ring, "disk")
        if self._folder is not None:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:  # each write says so again; only the copy is lost
                log.error("the copy on disk could not be written", extra={"file": folder, "why": str(error)})

    @property
    def kept(self) -> bool:
        """Whether there is a folder at all."""
        return self._folder is not None

    def write(self, name: str, values: dict[str, bytes]) -> bool:
        """Replace one file; whether it was. A disk that is full or read-only costs only the copy.

        What has no room in a file that can be read again is left out: the first values are kept.
        """
        if self._folder is None:
            return False
        sealed = self._sealer.seal(msgspec.msgpack.encode(_with_room(values)), name)
        part = self._folder / f"{name}.{os.getpid()}.part"
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
            part.replace(self._folder / name)
        except OSError as error:
            log.warning("the copy on disk could not be written", extra={"file": name, "why": str(error)})
            return False
        return True

    def read(self, name: str) -> dict[str, bytes]:
        """The values last written, or nothing."""
        if self._folder is None:
            return {}
        path = self._folder / name
        try:
            if path.stat().st_size > MAX_BYTES:
                return {}
            values: Any = msgspec.msgpack.decode(self._sealer.open(path.read_bytes(), name), type=dict[str, bytes])
        except FileNotFoundError:
            return {}
        except (OSError, SealBroken, msgspec.MsgspecError) as broken:
            log.error("the copy on disk cannot be used", extra={"file": name, "why": str(broken)})
            return {}
        return dict(values)


def _with_room(values: dict[str, bytes]) -> dict[str, bytes]:
    """As many of the first values as a readable file has room for."""
    room = MAX_BYTES - _SEAL_BYTES
    kept: dict[str, bytes] = {}
    for key, value in values.items():
        room -= len(key.encode()) + len(value) + _FRAME_BYTES
        if room < 0:
            break
        kept[key] = value
    return kept
