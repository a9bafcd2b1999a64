"""How a worker leaves: nothing that can finish within the grace is cut, and nobody is hung up on between two calls.

`deps.draining` says that it has begun: `/ready` fails, each further answer says `Connection: close`, and GET streams
end one after another. Connections that are idle stay: a caller may be sending its next request this very moment, and
to close under it would lose the call. At the end of the grace what is left is cut (`proxy/listeners.py`).
"""

import asyncio
from typing import Protocol

from core.spreading import between

GOODBYE = b": goodbye, this worker is being replaced\nretry: 1000\n\n"
"""The last event of a GET stream: reconnect after a second (WHATWG HTML 9.2.6, `retry`)."""
LONGEST_GOODBYE_S = 10.0
_TICK_S = 0.05


def goodbye_after(grace_s: float) -> float:
    """Seconds that one stream waits with its goodbye: thousands must not reconnect in the same moment."""
    return between(0.0, min(grace_s / 2, LONGEST_GOODBYE_S))


def look_within(grace_s: float, usual_s: float) -> float:
    """How often a stream looks whether the worker drains: often enough to have its goodbye in a short grace."""
    return min(usual_s, grace_s / 4)


class _Open(Protocol):
    @property
    def open_connections(self) -> int: ...


async def emptied(listener: _Open, until: float) -> bool:
    """Wait until the last caller has left, at most to this moment of the loop's clock; whether all have."""
    clock = asyncio.get_running_loop().time
    while listener.open_connections and clock() < until:  # noqa: ASYNC110 - nobody tells when the last one leaves
        await asyncio.sleep(_TICK_S)
    return not listener.open_connections
