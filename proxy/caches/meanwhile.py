"""What changed while a question was under way: its answer may be about the time before.

A change that concerns the answer makes it one to use once and not to hold. Any other change leaves it alone: where an
administrator changes something every second, what is learnt meanwhile about everybody else is kept.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")
_MOST_CHANGES = 512
"""That one question remembers. With more, they all concern its answer."""


@dataclass(slots=True)
class Meanwhile(Generic[V]):
    """The changes that came while one question was under way."""

    doubted: bool = False
    """Whether news may have been missed: the answer serves only while the source is away."""
    changes: list[Callable[[str, V], bool]] = field(default_factory=list)

    def changed(self, key: str, value: V) -> bool:
        """Whether one of the changes concerns the answer."""
        return len(self.changes) >= _MOST_CHANGES or any(concerns(key, value) for concerns in self.changes)


class UnderWay(Generic[V]):
    """The questions that are under way, each of which is told what changes."""

    def __init__(self) -> None:
        self._questions: dict[int, Meanwhile[V]] = {}

    @contextmanager
    def question(self) -> Iterator[Meanwhile[V]]:
        """One that is under way for as long as this lasts."""
        meanwhile: Meanwhile[V] = Meanwhile()
        self._questions[id(meanwhile)] = meanwhile
        try:
            yield meanwhile
        finally:
            del self._questions[id(meanwhile)]

    def change(self, concerns: Callable[[str, V], bool]) -> None:
        """Tell all of a change that concerns some answers."""
        for one in self._questions.values():
            if len(one.changes) < _MOST_CHANGES:
                one.changes.append(concerns)

    def doubt(self) -> None:
        """Tell all that news may have been missed."""
        for one in self._questions.values():
            one.doubted = True
