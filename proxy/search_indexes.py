"""The indexes of gateways whose tools are looked for: made in a thread, one at a time for each gateway.

`proxy/stages/search_tools.py` asks for the index of the gateway that it has. That of a newer revision is made when
somebody looks for the first time; calls of tools never wait for one.
"""

import asyncio
from typing import Final

from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.single_flight import SingleFlight
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.tool_search import ToolSearch

MOST: Final = 32
"""Indexes at hand; one of a thousand tools takes about 17 MB, and is made again in a tenth of a second."""


class SearchIndexes:
    """The indexes over the tools of gateways that one worker has at hand."""

    def __init__(self, tasks: Tasks) -> None:
        self._made: Bounded[str, tuple[int, ToolSearch]] = Bounded(MOST)
        self._making: SingleFlight[ToolSearch] = SingleFlight("index of tools", tasks)

    async def of(self, gateway: CompiledGateway) -> ToolSearch:
        """The index of this very revision."""
        made = self._made.get(gateway.id)
        revision = gateway.snapshot.revision
        if made is not None and made[0] == revision:
            return made[1]
        return await self._making.result(f"{gateway.id}/{revision}", lambda: self._make(gateway))

    async def _make(self, gateway: CompiledGateway) -> ToolSearch:
        index = await asyncio.to_thread(ToolSearch, gateway.visible)
        self._made.put(gateway.id, (gateway.snapshot.revision, index))
        return index
