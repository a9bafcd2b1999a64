"""How much of one thing is in use, in all and by each who uses it, so that nobody can take what all need.

Counts only; who is refused, and with which words, is decided where `take` said no. Used by
`proxy/limits/running_calls.py`.
"""

from functools import lru_cache


@lru_cache(16)
def quarter(most: int) -> int:
    """What one principal may have of a limit of the worker's: a quarter, and at least one."""
    return max(most // 4, 1)


class Shares:
    """Counted amounts by owner. Holds an owner only while it has something."""

    __slots__ = ("_by_owner", "used")

    def __init__(self) -> None:
        self.used = 0
        """By all together."""
        self._by_owner: dict[str, int] = {}

    def of(self, owner: str) -> int:
        """What one owner has."""
        return self._by_owner.get(owner, 0)

    def take(self, owner: str, amount: int, *, most: int, share: int) -> bool:
        """Take an amount; False, and nothing taken, where all would have above `most` or the owner above `share`."""
        own = self._by_owner.get(owner, 0) + amount
        if own > share or self.used + amount > most:
            return False
        self._by_owner[owner] = own
        self.used += amount
        return True

    def give_back(self, owner: str, amount: int) -> None:
        """Give back what was taken; never more than the owner has."""
        own = self._by_owner.get(owner)
        if own is None:
            return
        if amount < own:
            self._by_owner[owner] = own - amount
            self.used -= amount
        else:
            del self._by_owner[owner]
            self.used -= own
