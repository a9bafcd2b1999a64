"""In the place of what discovers tools (`control/discovery/discover.py`): it keeps what it was asked for.

discovered = Discovered()
news = NewsOfLists(pool, discovered)
...
await discovered.times(1)
"""

from __future__ import annotations

import asyncio

from control.discovery.discover import Discovery


class Discovered:
    """Set `answer` (or `hold`) before; read `asked` afterwards: the installations, in order."""

    def __init__(self) -> None:
        self.answer: Discovery | None = Discovery("ready")
        self.hold: asyncio.Event | None = None
        self.asked: list[str] = []
        self._changed = asyncio.Event()

    async def discover(self, installation_id: str, *, heard: bool) -> Discovery | None:
        assert heard
        self.asked.append(installation_id)
        self._changed.set()
        if self.hold is not None:
            await self.hold.wait()
        return self.answer

    async def times(self, number: int) -> None:
        """Until it was asked so often, and no more often than that."""
        async with asyncio.timeout(30):
            while len(self.asked) < number:
                self._changed.clear()
                await self._changed.wait()
        for _ in range(10):  # whoever asked goes on
            await asyncio.sleep(0)
        assert len(self.asked) == number
