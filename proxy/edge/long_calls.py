"""Calls that take long: their callers hear something before anybody on the way takes the connection for dead.

After fifteen seconds without an answer, and again after each fifteen more, a caller gets a comment on the stream of
the answer, which begins with it if nothing was sent before (MCP 2026-07-28, transports: a server may answer with one
JSON object or a stream). One task looks at all calls of a worker once a second, so that a call pays nothing for it
before it is a long one. Whether a caller takes a stream says the call (`UpstreamCall.keep_alive`); how a comment is
written, its lane.
"""

import asyncio
import time
from typing import Final

from core.tasks import forever
from proxy.limits.running_calls import Calls

KEEPALIVE_S: Final = 15.0
LOOK_S: Final = 1.0


class LongCalls:
    """The calls of one worker, by how long their callers have waited."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._due: dict[str, float] = {}
        """When each hears something, by its request: who holds no call keeps no answer in memory."""

    async def keep_looking(self) -> None:
        """Look now and then, until cancelled."""
        await forever("long calls", self._look_after_a_while, LOOK_S)

    async def _look_after_a_while(self) -> None:
        await asyncio.sleep(LOOK_S)
        self.look()

    def look(self) -> None:
        """Have those say something that are due."""
        now, before = time.monotonic(), self._due
        self._due = due = {}
        for call in self._calls.running():
            when = before.get(call.request_id, now + KEEPALIVE_S)
            if when <= now:
                call.keep_alive()
                when = now + KEEPALIVE_S
            due[call.request_id] = when
