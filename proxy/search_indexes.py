"""The indexes of gateways whose tools are looked for: made between calls, one at a time for each gateway.

`proxy/stages/search_tools.py` asks for the index of the gateway that it has. That of a newer revision is made when
somebody looks for the first time, who is answered from the one before if it takes long; calls of tools never wait
for one.
"""

import asyncio
import time
from typing import Final

from core.single_flight import SingleFlight
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.tool_search import ToolSearch

MOST: Final = 32
"""Indexes at hand; one of a thousand tools takes about 7 MB, and is made again in some tenths of a second."""
_SLICE_S: Final = 0.0003
"""For which tools are taken in before calls have their turn: a thread would take turns with them at worse moments."""
_REST: Final = 3
"""How much longer than a slice the pause behind it is: an index takes a quarter of a worker while it is made."""
PATIENCE_S: Final = 1.0
"""That a search waits for the index of a new revision, where that of the one before is at hand."""


class SearchIndexes:
    """The indexes over the tools of gateways that one worker has at hand."""

    def __init__(self, tasks: Tasks) -> None:
        self._made: Bounded[str, tuple[int, ToolSearch]] = Bounded(MOST)
        self._making: SingleFlight[ToolSearch] = SingleFlight("index of tools", tasks)

    async def of(self, gateway: CompiledGateway) -> ToolSearch:
        """The index of this revision, or one of before while that is made: its hits may not be there any more."""
        made = self._made.get(gateway.id)
        revision = gateway.snapshot.revision
        if made is not None and made[0] == revision:
            return made[1]
        making = self._making.run(f"{gateway.id}/{revision}", lambda: self._make(gateway))
        _ = await asyncio.wait((making,), timeout=None if made is None else PATIENCE_S)
        return made[1] if made is not None and not _is_made(making) else making.result()

    async def _make(self, gateway: CompiledGateway) -> ToolSearch:
        index, clock = ToolSearch(), time.perf_counter
        began = clock()
        for definition in gateway.visible.values():
            index.add(definition)
            if (took := clock() - began) > _SLICE_S:
                await asyncio.sleep(took * _REST)
                began = clock()
        await asyncio.to_thread(index.finish)
        self._made.put(gateway.id, (gateway.snapshot.revision, index))
        return index


def _is_made(making: "asyncio.Task[ToolSearch]") -> bool:
    return making.done() and not making.cancelled() and making.exception() is None
