"""Counts by name, of which those with nothing in use are forgotten when there are many.

Who takes of a count again and again keeps it (`Kept`), and is then asked by nobody who it is. A count that is kept
may be forgotten by its name; it is found again, so there are never two of one name. Used by `shares.py` for what one
owner has, and by `usage.py` for the places at one server.
"""

from collections.abc import Callable, Iterator
from typing import Final, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

MOST_IDLE: Final = 1000
"""Names with nothing in use that are remembered besides the others."""


class InUse(Protocol):
    """A count that may be forgotten while nothing of it is in use."""

    used: int


C = TypeVar("C", bound=InUse)


class Kept(Generic[C]):
    """A count that is found again for as long as somebody holds this.

    Who lets go of one that is in use asks for it by name (`Forgetful.of`) before: then it is not forgotten. A thing
    of its own, since a compiled count takes no weak reference.
    """

    __slots__ = ("__weakref__", "count")

    def __init__(self, count: C) -> None:
        self.count = count


class Forgetful(Generic[C]):
    """Counts by name. `make` makes a new one."""

    def __init__(self, make: Callable[[], C]) -> None:
        self._make = make
        self._counts: dict[str, C] = {}
        self._kept: WeakValueDictionary[str, Kept[C]] = WeakValueDictionary()
        self._most = MOST_IDLE

    def peek(self, name: str) -> C | None:
        """The count of this name, if there is one."""
        count = self._counts.get(name)
        if count is None and (kept := self._kept.get(name)) is not None:
            return kept.count
        return count

    def of(self, name: str) -> C:
        """The count of this name; a new one if there is none."""
        count = self._counts.get(name)
        if count is None:
            if len(self._counts) >= self._most:
                self._forget_idle()
            count = self._counts[name] = self.peek(name) or self._make()
        return count

    def keep(self, name: str) -> Kept[C]:
        """The same, which is never forgotten while somebody holds what is returned."""
        kept = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = Kept(self.of(name))
        return kept

    def all(self) -> Iterator[C]:
        """Every count, each once."""
        yield from self._counts.values()
        for name, kept in self._kept.items():
            if name not in self._counts:
                yield kept.count

    def _forget_idle(self) -> None:
        self._counts = {name: count for name, count in self._counts.items() if count.used}
        self._most = len(self._counts) + MOST_IDLE  # so that it is not looked for at each new name
