"""aiohttp's clients for servers whose addresses are held to an environment's policy: one for each policy.

So no connection that was opened under one policy serves another, nor the same one after it was changed. Used by
`transport`, where our own pool does not serve (the pool tells connections apart by itself).
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from core.egress.client import CONNECT_SECONDS, Egress
from core.egress.faults import UpstreamFault
from core.egress.held import Held

MOST: Final = 32
"""Policies that have a client at once; for another one, the client goes that was not used for longest."""


class _Client:
    """A client, and how many requests it has under way."""

    def __init__(self, egress: Egress) -> None:
        self.egress, self.under_way = egress, 0


class HeldClients:
    """Clients by policy. `make` makes one."""

    def __init__(self, make: Callable[[Held], Egress]) -> None:
        self._make = make
        self._clients: dict[str, _Client] = {}
        """In the order of their last use."""
        self._opened = self._failed = 0
        """Of those that are gone."""

    @property
    def opened(self) -> int:
        """Connections opened since the start."""
        return self._opened + sum(one.egress.opened for one in self._clients.values())

    @property
    def failed(self) -> int:
        """Attempts to open one that failed."""
        return self._failed + sum(one.egress.failed for one in self._clients.values())

    @asynccontextmanager
    async def client(self, held: Held) -> AsyncIterator[Egress]:
        """The client of this policy, for one request. Raises UpstreamFault where all are in use by others."""
        known = self._clients.pop(held.key, None)
        gone = self._unused() if known is None and len(self._clients) >= MOST else None
        client = self._clients[held.key] = known or _Client(self._make(held))
        client.under_way += 1
        try:
            if gone is not None:
                await gone.egress.close()
            yield client.egress
        finally:
            client.under_way -= 1

    async def close(self) -> None:
        """Close them all; requests under way fail."""
        for client in self._clients.values():
            await client.egress.close()

    def _unused(self) -> _Client:
        """The one that goes, which is counted on."""
        key = next((key for key, one in self._clients.items() if not one.under_way), None)
        if key is None:
            detail = f"ClientsFull: {MOST} egress policies are connected to at once"
            raise UpstreamFault("slow", sent=False, kind="pool_full", detail=detail, figure=CONNECT_SECONDS)
        gone = self._clients.pop(key)
        self._opened += gone.egress.opened
        self._failed += gone.egress.failed
        return gone
