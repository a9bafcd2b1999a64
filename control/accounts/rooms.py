"""Places for what is asked of providers at the same time: so many for each of them, so that none crowds out another.

Called by `renewals.py` before an account is leased, since whoever waits for a place must not use up a lease.
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
    async def place(self, name: str) -> AsyncIterator[None]:
        """A place in this room; waits for one."""
        room = self._rooms.setdefault(name, asyncio.Semaphore(self._places))
        self._inside[name] += 1
        try:
            async with room:
                yield
        finally:
            self._inside[name] -= 1
            if not self._inside[name]:
                del self._inside[name], self._rooms[name]
