"""How much of one thing is in use, in all and by each who uses it, so that nobody can take what all need.

Counts only; who is refused, and with which words, is decided where `take` said no. Used by `usage.py`, `streams.py`
and `server_places.py`.
"""

from functools import lru_cache

from proxy.limits.forgetful import Forgetful, Kept


@lru_cache(16)
def quarter(most: int) -> int:
    """What one principal may have of a limit of the worker's: a quarter, and at least one."""
    return max(most // 4, 1)


class Share:
    """How much of something one owner has, of a principal for example."""

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = 0


class Shares:
    """Amounts of one thing that is used, by owner and in all."""

    __slots__ = ("_owners", "used")

    def __init__(self) -> None:
        self.used = 0
        """By all together."""
        self._owners: Forgetful[Share] = Forgetful(Share)

    def of(self, owner: str) -> int:
        """What one owner has."""
        share = self._owners.peek(owner)
        return 0 if share is None else share.used

    def share(self, owner: str) -> Share:
        """The share of an owner."""
        return self._owners.of(owner)

    def keep(self, owner: str) -> Kept[Share]:
        """The share of an owner, to be kept as long as one likes."""
        return self._owners.keep(owner)

    def take(self, owner: str, amount: int, *, most: int, share: int) -> bool:
        """Take an amount; False, and nothing taken, where all would have above `most` or the owner above `share`."""
        own = self._owners.of(owner)
        if own.used + amount > share or self.used + amount > most:
            return False
        own.used += amount
        self.used += amount
        return True

    def give_back(self, owner: str, amount: int) -> None:
        """Give back what was taken; never more than the owner has."""
        share = self._owners.peek(owner)
        if share is None:
            return
        amount = min(amount, share.used)
        share.used -= amount
        self.used -= amount
