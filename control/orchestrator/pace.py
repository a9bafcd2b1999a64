"""How quickly the cluster's API is asked: so many calls a second, and none while it wants to be left alone."""

import asyncio
from typing import Final

from control.servers.runtime import RuntimeAway

BURST_S: Final = 1.0
"""Calls that were not made are made up for, as many as fit into this time."""


class Pace:
    """The turn of each call to one API."""

    def __init__(self, per_second: float) -> None:
        self._each = 1.0 / per_second
        self._next = float("-inf")
        self._quiet_until = float("-inf")

    def be_quiet(self, seconds: float) -> None:
        """Make no call for so long: the API said so by Retry-After (RFC 9110, 10.2.3)."""
        self._quiet_until = max(self._quiet_until, _now() + seconds)

    async def wait(self, longest: float) -> None:
        """Until it is this call's turn; raises RuntimeAway at once when that is later than `longest` seconds."""
        now = _now()
        turn = max(self._next, now - BURST_S, self._quiet_until)
        if turn - now > longest:
            raise RuntimeAway(f"the cluster's API wants to be left alone for {turn - now:.0f} s")
        self._next = turn + self._each
        if turn > now:
            await asyncio.sleep(turn - now)


def _now() -> float:
    return asyncio.get_running_loop().time()
