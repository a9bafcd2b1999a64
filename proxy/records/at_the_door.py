"""How many records the refusals at the door may leave: those of callers who are known, before there is a call.

Asked by `proxy/answers/at_the_door.py`, which makes such records. One caller who is refused over and over fills no
table: after a few records they get one now and then, which says how many of theirs before it have none. Left out:
callers who are not known, of whom the log and the metrics tell.
"""

import time
from typing import Final

from proxy.caches.bounded import Bounded

AT_ONCE: Final = 10
"""Records of one caller that may follow each other."""
EVERY_S: Final = 10.0
"""Seconds after which the caller may leave one more."""
ALL_AT_ONCE, ALL_PER_SECOND = 200, 20.0
"""The same for all callers of a worker."""
_CALLERS: Final = 4_096


class DoorRecords:
    """Says which refusals leave a record; bounded for one caller, and for all of a worker."""

    def __init__(self, callers: int = _CALLERS) -> None:
        self._all = _Allowance(ALL_AT_ONCE, ALL_PER_SECOND)
        self._of: Bounded[str, _Allowance] = Bounded(callers)

    def take(self, principal_key: str) -> int | None:
        """How many refusals of this caller had no record since their last one; None: this one has none either."""
        now = time.monotonic()
        own = self._of.get(principal_key)
        if own is None:
            own = _Allowance(AT_ONCE, 1 / EVERY_S)
            self._of.put(principal_key, own)
        if not (own.take(now) and self._all.take(now)):
            own.left_out += 1
            return None
        left_out, own.left_out = own.left_out, 0
        return left_out


class _Allowance:
    __slots__ = ("_at", "_level", "_most", "_rate", "left_out")

    def __init__(self, most: float, rate: float) -> None:
        self._most, self._rate, self._level, self._at = most, rate, float(most), time.monotonic()
        self.left_out = 0

    def take(self, now: float) -> bool:
        self._level = min(self._most, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
