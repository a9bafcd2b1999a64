"""A dictionary that holds so many entries and no more: for a new one, the entry that was unused for longest goes.

For what may be forgotten at any time, because it can be asked for or made again. Used wherever the proxy remembers
something under a key that a caller or a server chooses. Age is left out: a value that grows old carries its own time
(`two_ages`), and `recent` forgets by time alone. cachetools' `LRUCache` does the same, but reading from it takes two
to four times as long, on the path of every call, and its types come in a second package.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `most` entries. To get one or to set it is to use it; no value is None."""

    __slots__ = ("_held", "_most", "peek", "touch")

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[K, V] = OrderedDict()
        self.peek: Callable[[K], V | None] = self._held.get
        """The value, if it is here. This is no use of it."""
        self.touch: Callable[[K], None] = self._held.move_to_end
        """Use an entry that is here; KeyError where it is not. On the path of each call, `peek` and this are cheaper
        than `get`."""

    def get(self, key: K) -> V | None:
        """The value, if it is here."""
        value = self._held.get(key)
        if value is not None:
            self._held.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> V | None:
        """Hold a value; the one that had to go for it, if one had to."""
        held = self._held
        held[key] = value
        held.move_to_end(key)
        return held.popitem(last=False)[1] if len(held) > self._most else None

    def pop(self, key: K) -> V | None:
        """Forget one entry; its value, if it was here."""
        return self._held.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._held.clear()

    def items(self) -> list[tuple[K, V]]:
        """A copy of all entries, the one longest unused first."""
        return list(self._held.items())

    def __iter__(self) -> Iterator[K]:
        """The keys in the same order, from a copy, so that entries may go meanwhile."""
        return iter(list(self._held))

    def values(self) -> list[V]:
        """A copy of all values, in the same order."""
        return list(self._held.values())

    def __contains__(self, key: object) -> bool:
        """Whether a key is here. This is no use of it."""
        return key in self._held

    def __len__(self) -> int:
        return len(self._held)
