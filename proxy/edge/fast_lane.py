"""The fast lane of one worker: the factory of its connections, what they share, and their end.

Behind it stands the aiohttp lane's `Listener`: it gets every connection on which something comes that is not plain.
"""

import asyncio
from typing import Final

from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.fast_connection import FastConnection
from proxy.edge.head_memory import HeadMemory
from proxy.edge.head_rules import HeadReader
from proxy.edge.listener import Listener
from proxy.edge.stream_sweep import StreamSweep
from proxy.edge.turned_away import TurnedAway

_LOOK_S: Final = 0.02


class FastLane:
    """A protocol factory for the public listener."""

    def __init__(self, deps: Deps, listener: Listener) -> None:
        self.deps, self.listener = deps, listener
        self.heads, self.memory, self.answer_heads = HeadReader(), HeadMemory(), AnswerHeads()
        self.turned_away = TurnedAway(deps, self.answer_heads)
        self.sweep = StreamSweep(deps)
        self.connections: set[FastConnection] = set()

    def __call__(self) -> FastConnection:
        """The protocol of a new connection."""
        return FastConnection(self)

    @property
    def open_connections(self) -> int:
        """How many there are, idle ones and those that were handed over too."""
        return len(self.connections) + self.listener.open_connections

    def forget(self, connection: FastConnection) -> None:
        """It was closed, or handed over."""
        self.connections.discard(connection)
        self.sweep.drop(connection)

    async def shutdown(self, seconds: float) -> None:
        """Close what is idle, wait so long for what is being answered, then cut off what is left."""
        await asyncio.gather(self._end(seconds), self.listener.shutdown(seconds))

    async def _end(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        for connection in list(self.connections):
            connection.close_if_idle()
        while any(connection.busy for connection in self.connections) and loop.time() < deadline:
            await asyncio.sleep(_LOOK_S)
            for connection in list(self.connections):
                connection.close_if_idle()
        for connection in list(self.connections):
            connection.cut()
        await asyncio.sleep(0)  # the transports tell their protocols in the loop's next round
