"""A line in the log for requests that were refused: at most one a second per source, and so many in all.

Whoever floods us with bad tokens or broken HTTP must not fill a disk with what we say about it. What was left unsaid
is counted, and told with the source's next line; the counters of refusals (`proxy/telemetry/counting.py`) miss
nothing.
"""

import logging
import time

from proxy.caches.bounded import Bounded
from proxy.limits.budget import household
from proxy.refusals import Refusal

log = logging.getLogger(__name__)
_SOURCES = 4096
_EVERY_S = 1.0
_A_SECOND = 20
"""Lines a second from all sources together: many sources are one attack."""


class RefusalLog:
    """One worker's log of refused requests, bounded in lines a second; never waits."""

    def __init__(self) -> None:
        self.unsaid = 0
        self._of: Bounded[str, _Source] = Bounded(_SOURCES)
        self._second = 0
        self._said = 0

    def note(
        self, address: str, refusal: Refusal, request_id: str, *, principal: str = "", gateway: str = ""
    ) -> None:
        """One refused request from `address`; `principal` (its key) and `gateway` (its slug) where they are known."""
        now = time.monotonic()
        source = self._source(household(address))
        if now < source.due or not self._room(int(now)):
            source.unsaid += 1
            self.unsaid += 1
            return
        fields = {"address": address, "reason": refusal.reason, "request_id": request_id, "unsaid": source.unsaid}
        known = {"principal": principal, "gateway": gateway, "detail": refusal.detail}
        log.info("request refused", extra=fields | {name: value for name, value in known.items() if value})
        source.due, source.unsaid = now + _EVERY_S, 0

    def _source(self, name: str) -> "_Source":
        source = self._of.get(name)
        if source is None:
            source = _Source()
            self._of.put(name, source)
        return source

    def _room(self, second: int) -> bool:
        if second != self._second:
            self._second, self._said = second, 0
        self._said += 1
        return self._said <= _A_SECOND


class _Source:
    __slots__ = ("due", "unsaid")

    def __init__(self) -> None:
        self.due, self.unsaid = 0.0, 0
