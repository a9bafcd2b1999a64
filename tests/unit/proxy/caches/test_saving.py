from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from core.keys import new_key, parse_key_ring
from core.tasks import Tasks
from proxy.caches import saving
from proxy.caches.disk_copy import DiskCopy
from proxy.caches.saving import Saving


class Memory:
    """Something remembered, of which each change is written once."""

    def __init__(self) -> None:
        self.changed = True
        self.written = 0

    def pending_write(self, disk: DiskCopy) -> Callable[[], None] | None:
        if not self.changed:
            return None
        self.changed = False

        def write() -> None:
            self.written += 1

        return write


def disk(folder: Path | str) -> DiskCopy:
    return DiskCopy(str(folder), parse_key_ring("proxy", new_key()))


async def test_what_changed_is_written_and_nothing_else(tmp_path: Path) -> None:
    one, other = Memory(), Memory()
    other.changed = False
    made = Saving(disk(tmp_path), (one, other))
    for _ in range(2):
        await made.save()
    assert (one.written, other.written) == (1, 0)


async def test_it_goes_on_until_it_is_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "EVERY_S", 0.01)
    tasks, memory = Tasks("test"), Memory()
    _ = tasks.spawn("saving", Saving(disk(tmp_path), (memory,)).keep_saving())
    async with asyncio.timeout(30):
        for times in (1, 2):
            while memory.written < times:  # noqa: ASYNC110 - nothing tells of a written file
                await asyncio.sleep(0.01)
            memory.changed = True
    await tasks.close()


async def test_without_a_folder_there_is_nothing_to_do() -> None:
    await Saving(disk(""), (Memory(),)).keep_saving()
