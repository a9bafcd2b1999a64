"""A `Bounded` memory whose values know whether they are still in it.

What was decided with a value is kept elsewhere for as long as the value stands (`proxy/plans`). So that nobody has to
look into the memory for that, whatever takes a value out of it tells the value: another one in its place, room that
is made, forgetting. A value that does not stand never stands again. Used for verdicts on callers, installations, eras
and sessions.
"""

from typing import Protocol, TypeVar

from proxy.caches.bounded import Bounded


class Stands(Protocol):
    """A value with a word on whether it still holds."""

    stands: bool


K = TypeVar("K")
S = TypeVar("S", bound=Stands)


class Standing(Bounded[K, S]):
    """At most `most` entries. Each stands from when it is put until it is held no more, or is doubted."""

    __slots__ = ()

    def put(self, key: K, value: S) -> S | None:
        """Hold a value; the one that had to go for it, if one had to."""
        before = self.peek(key)
        if before is not None and before is not value:
            before.stands = False
        gone = super().put(key, value)
        if gone is not None:
            gone.stands = False
        return gone

    def pop(self, key: K) -> S | None:
        """Forget one entry; its value, if it was here."""
        gone = super().pop(key)
        if gone is not None:
            gone.stands = False
        return gone

    def clear(self) -> None:
        """Forget all."""
        for value in self.values():
            value.stands = False
        super().clear()

    def doubt(self, key: K) -> None:
        """The value stays, and stands no more."""
        value = self.peek(key)
        if value is not None:
            value.stands = False
