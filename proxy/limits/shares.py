"""How much of one thing is in use, in all and by each who uses it, so that nobody can take what all need.

Counts only; who is refused, and with which words, is decided where `take` said no. An owner's count is an object
(`Share`), which who takes for the owner again and again looks up once and keeps. Used by `usage.py`, `streams.py` and
`server_places.py`.
"""

from functools import lru_cache
from typing import Final
from weakref import WeakValueDictionary

MOST_IDLE: Final = 1000
"""Owners with nothing that are kept besides the others."""


@lru_cache(16)
def quarter(most: int) -> int:
    """What one principal may have of a limit of the worker's: a quarter, and at least one."""
    return max(most // 4, 1)


class Share:
    """How much of something one owner has, of a principal for example."""

    __slots__ = ("__weakref__", "used")

    def __init__(self) -> None:
        self.used = 0


class Shares:
    """Counted amounts by owner. Owners that have nothing are forgotten when there are many, unless somebody keeps
    their share: there is never a second one of the same owner.
    """

    __slots__ = ("_by_owner", "_most", "_others", "used")

    def __init__(self) -> None:
        self.used = 0
        """By all together."""
        self._by_owner: dict[str, Share] = {}
        self._others: WeakValueDictionary[str, Share] = WeakValueDictionary()
        """Those that were forgotten, while somebody keeps them."""
        self._most = MOST_IDLE

    def of(self, owner: str) -> int:
        """What one owner has."""
        share = self._by_owner.get(owner) or self._others.get(owner)
        return 0 if share is None else share.used

    def share(self, owner: str) -> Share:
        """The share of an owner, to be kept as long as one likes."""
        share = self._by_owner.get(owner)
        return self._made(owner) if share is None else share

    def take(self, owner: str, amount: int, *, most: int, share: int) -> bool:
        """Take an amount; False, and nothing taken, where all would have above `most` or the owner above `share`."""
        own = self._by_owner.get(owner) or self._made(owner)
        if own.used + amount > share or self.used + amount > most:
            return False
        own.used += amount
        self.used += amount
        return True

    def give_back(self, owner: str, amount: int) -> None:
        """Give back what was taken; never more than the owner has."""
        share = self._by_owner.get(owner)
        if share is None:
            return
        amount = min(amount, share.used)
        share.used -= amount
        self.used -= amount

    def _made(self, owner: str) -> Share:
        by_owner = self._by_owner
        if len(by_owner) >= self._most:
            self._forget_idle()
        share = by_owner[owner] = self._others.pop(owner, Share())
        return share

    def _forget_idle(self) -> None:
        idle = {owner: share for owner, share in self._by_owner.items() if not share.used}
        self._others.update(idle)
        for owner in idle:
            del self._by_owner[owner]
        self._most = len(self._by_owner) + MOST_IDLE  # so that it is not looked for at each new owner
