"""A budget of so many things a second, overall and per source, so that a flood of strangers starves nobody known.

A bucket of tokens: it fills at `rate` a second up to two seconds' worth; a source has one of `share` of that beside
the common one. Of more than `sources` sources the one longest unseen is forgotten: when it comes again its own bucket
is full, and the common one bounds what it gets.
"""

import time
from ipaddress import IPv6Address

from proxy.caches.bounded import Bounded


class Budget:
    """A rate limit, overall and per source: asked once per thing, never waits."""

    def __init__(self, rate: float, *, sources: int = 4096, share: float = 0.5) -> None:
        self._all = _Bucket(rate)
        self._share = rate * share
        self._of: Bounded[str, _Bucket] = Bounded(sources)

    def take(self, source: str, amount: float = 1.0) -> bool:
        """Whether one more from `source`, or so much more, is within the budget."""
        now = time.monotonic()
        source = household(source)
        bucket = self._of.get(source)
        if bucket is None:
            bucket = _Bucket(self._share)
            self._of.put(source, bucket)
        return bucket.take(now, amount) and self._all.take(now, amount)


def household(address: str) -> str:
    """Who is counted as one: an IPv4 address, or the /64 of an IPv6 one, all of which one caller may have."""
    if ":" not in address:
        return address
    try:
        return ":".join(IPv6Address(address.partition("%")[0]).exploded.split(":")[:4])
    except ValueError:
        return address


class _Bucket:
    __slots__ = ("_at", "_level", "_rate")

    def __init__(self, rate: float) -> None:
        self._rate, self._level, self._at = rate, 2 * rate, time.monotonic()

    def take(self, now: float, amount: float) -> bool:
        # A bucket made after `now` was read has gained nothing yet, and lost nothing.
        self._level = min(2 * self._rate, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._level < amount:
            return False
        self._level -= amount
        return True
