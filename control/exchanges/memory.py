"""A bounded memory of values that end: so many of them at most, and each until its moment.

Called by whoever keeps what a provider said. The oldest goes first where there is no room.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class Memory(Generic[V]):
    """Values by text keys, at most so many; `now` is handed in, in seconds of whatever clock the ends are of."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str, now: float) -> V | None:
        """What is kept under this key; None for nothing, and for what has ended."""
        found = self._kept.get(key)
        if found is None:
            return None
        until, value = found
        if now >= until:
            del self._kept[key]
            return None
        return value

    def put(self, key: str, value: V, until: float) -> None:
        """Keep a value until then, in the place of the one before."""
        _ = self._kept.pop(key, None)
        while len(self._kept) >= self._most:
            _ = self._kept.popitem(last=False)
        self._kept[key] = (until, value)

    def forget(self, key: str) -> None:
        """Keep nothing under this key."""
        _ = self._kept.pop(key, None)
