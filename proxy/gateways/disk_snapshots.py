"""Snapshots of the copy on disk: what workers before this one held and nobody has called here yet.

The holder asks here when control and Redis cannot be asked. A snapshot from disk is believed like any other, by
control's signature, and serves up to the hard age after control last vouched for it.
"""

import time

from proxy.caches.disk_copy import DiskCopy, Kept, newest
from proxy.caches.redis_copy import CLOCK_SKEW_S

NAME = "gateways"


class DiskSnapshots:
    """Signed documents of gateways from disk, by identifier and by slug, the newest `most` of them."""

    def __init__(self, max_stale: float, most: int) -> None:
        self._max_stale, self._most = max_stale, most
        self._kept: dict[str, Kept] = {}
        self._by_slug: dict[str, str] = {}

    def load(self, disk: DiskCopy) -> bool:
        """Have what is on disk at hand; whether anything is."""
        found = disk.read(NAME)
        self._kept = newest(((key, kept) for key, kept in found.items() if self._is_of_use(kept)), self._most)
        oldest_first = reversed(self._kept.items())  # of two that had one slug after another, the later is meant
        self._by_slug = {kept.content.split(b" ", 1)[0].decode(): key for key, kept in oldest_first}
        return bool(found)

    def identifier(self, name: str) -> str:
        """The identifier behind a slug that is on disk; else the name as it is."""
        return self._by_slug.get(name, name)

    def find(self, gateway_id: str) -> tuple[bytes, float] | None:
        """The document, and the age in seconds of control's word for it."""
        kept = self._kept.get(gateway_id)
        if kept is None or not self._is_of_use(kept):
            return None
        return kept.content.split(b" ", 1)[1], max(time.time() - kept.asked, 0.0)

    def forget(self, gateway_id: str) -> None:
        """Let go of a gateway that was deleted."""
        self._kept.pop(gateway_id, None)

    def still_of_use(self) -> dict[str, Kept]:
        """What nobody has called here yet and must not be lost with the files in which it was."""
        self._kept = {key: kept for key, kept in self._kept.items() if self._is_of_use(kept)}
        return dict(self._kept)

    def _is_of_use(self, kept: Kept) -> bool:
        return -CLOCK_SKEW_S <= time.time() - kept.asked <= self._max_stale


def to_keep(slug: str, document: bytes, confirmed: float) -> Kept:
    """What is kept of one gateway; `confirmed` in Unix seconds."""
    return Kept(confirmed, b"%s %s" % (slug.encode(), document))
