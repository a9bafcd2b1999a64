"""What a worker remembers, saved on disk every few seconds for the workers after it, and once more at its end.

`proxy/worker.py` runs it over its memories. Each says what there is to write and a thread writes it; where nothing
has changed, nothing is written. Leaves out the files themselves: `disk_copy.py`.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from core.tasks import forever
from proxy.caches.disk_copy import DiskCopy

EVERY_S: Final = 5.0


class Memory(Protocol):
    """Something remembered that the next worker can use."""

    def pending_write(self, disk: DiskCopy) -> Callable[[], None] | None:
        """What writes it, on a thread; None if nothing changed since the last time."""


class Saving:
    """Saves the memories of one worker."""

    def __init__(self, disk: DiskCopy, memories: Sequence[Memory]) -> None:
        self._disk, self._memories = disk, memories

    async def keep_saving(self) -> None:
        """Run until cancelled; at once over where no copy is kept."""
        if self._disk.kept:
            await forever("disk", self._save_after_a_while, EVERY_S)

    async def save(self) -> None:
        """What changed since the last time, copied here and written by a thread."""
        for memory in self._memories:
            write = memory.pending_write(self._disk)
            if write is not None:
                await asyncio.to_thread(write)

    async def _save_after_a_while(self) -> None:
        await asyncio.sleep(EVERY_S)
        await self.save()
