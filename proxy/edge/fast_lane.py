"""The fast lane of one worker: the factory of its connections, and their end.

Behind it stands the aiohttp lane's `Listener`: it gets every connection on which something comes that is not plain.
"""

import asyncio
from typing import Final, cast

from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.fast_connection import FastConnection
from proxy.edge.lane_parts import LaneParts
from proxy.edge.listener import Listener
from proxy.edge.overload_refusals import OverloadRefusals
from proxy.edge.stream_sweep import StreamSweep

_LOOK_S: Final = 0.02


class FastLane:
    """The fast lane of one worker: makes a protocol for each connection of the public listener, and ends them."""

    def __init__(self, deps: Deps, listener: Listener, sweep: StreamSweep) -> None:
        heads = AnswerHeads()
        self.parts = LaneParts(deps, listener, sweep, heads, OverloadRefusals(deps, heads))

    def __call__(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return cast("asyncio.Protocol", FastConnection(self.parts))  # in all but name, see `Wire`

    @property
    def open_connections(self) -> int:
        """How many there are, idle ones and those that were handed over too."""
        return len(self.parts.connections) + self.parts.listener.open_connections

    async def shutdown(self, seconds: float) -> None:
        """Close what is idle, wait so long for what is being answered, then cut off what is left."""
        await asyncio.gather(self._end(seconds), self.parts.listener.shutdown(seconds))

    async def _end(self, seconds: float) -> None:
        loop, connections = asyncio.get_running_loop(), self.parts.connections
        deadline = loop.time() + seconds
        for connection in list(connections):
            connection.close_if_idle()
        while any(connection.busy for connection in connections) and loop.time() < deadline:
            await asyncio.sleep(_LOOK_S)
            for connection in list(connections):
                connection.close_if_idle()
        for connection in list(connections):
            connection.cut()
        await asyncio.sleep(0)  # the transports tell their protocols in the loop's next round
