"""What was used lately: a small memory whose entries go when nobody asks for them, without a list of their ages.

There are two halves. What is asked for moves to the newer one; when that is full, or has been the newer one for long
enough, it becomes the older one and what was there is forgotten. Where values differ in size, a half is full too when
what it holds has no more room. For what can be made again at once; `two_ages` is for what must be asked for
elsewhere.
"""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most twice `most` entries, each forgotten one to two `age_s` (seconds) after it was last asked for.

    `room`: how much all of a half may take together, each as much as `size_of` says when it comes there.
    """

    __slots__ = ("_age_s", "_most", "_newer", "_older", "_room", "_size_of", "_taken", "_turns")

    def __init__(
        self, most: int, age_s: float = 60.0, *, room: int = 0, size_of: Callable[[V], int] | None = None
    ) -> None:
        self._most, self._age_s = most, age_s
        self._room, self._size_of = room, size_of
        self._taken = 0
        """Of the room, by the newer half."""
        self._newer: dict[K, V] = {}
        self._older: dict[K, V] = {}
        self._turns = time.monotonic() + age_s

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def get(self, key: K) -> V | None:
        """The value, if it was used lately."""
        now = time.monotonic()
        if now >= self._turns:
            self._turn(now)
        value = self._newer.get(key)
        if value is None:
            value = self._older.pop(key, None)
            if value is not None:
                self.put(key, value)
        return value

    def values(self) -> list[V]:
        """A copy of all values. This is no use of them."""
        return [*self._newer.values(), *self._older.values()]

    def put(self, key: K, value: V) -> None:
        """Remember a value."""
        size = 0 if self._size_of is None else self._size_of(value)
        if len(self._newer) >= self._most or self._taken + size > self._room:
            self._turn(time.monotonic())
        self._newer[key] = value
        self._taken += size

    def _turn(self, now: float) -> None:
        long_unused = now >= self._turns + self._age_s
        self._older, self._newer, self._taken = {} if long_unused else self._newer, {}, 0
        self._turns = now + self._age_s
