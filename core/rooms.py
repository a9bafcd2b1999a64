"""Places for what is done at the same time: so many for each name, so that none crowds out another.

Called by control before an account is leased, by its provider: whoever waits for a place must not use up a lease. And
by the proxy before control is asked which credential serves a call, by the tool.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Rooms:
    """Rooms by name, each with as many places; one that nobody is in, or waits for, is forgotten."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._rooms: dict[str, asyncio.Semaphore] = {}
        self._inside: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._rooms)

    @asynccontextmanager
    async def place(self, name: str, within: float | None = None) -> AsyncIterator[None]:
        """A place in this room; those who wait for one get it in their order. Raises TimeoutError where none is free
        `within` so many seconds; without it, waits as long as that takes.
        """
        room = self._rooms.setdefault(name, asyncio.Semaphore(self._places))
        self._inside[name] += 1
        try:
            async with asyncio.timeout(within):
                await room.acquire()
            try:
                yield
            finally:
                room.release()
        finally:
            self._inside[name] -= 1
            if not self._inside[name]:
                del self._inside[name], self._rooms[name]
