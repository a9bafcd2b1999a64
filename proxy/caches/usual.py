"""What nearly every message repeats, such as a header's line or a whole head, remembered so that it is read once.

The memory is a plain dictionary of its owner, because looking into one costs next to nothing. When it is full it is
emptied: somebody who makes up new texts costs everybody one more reading, and no memory. Used for names of headers
and for heads; `bounded` is for what costs more to get back than one reading.
"""

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def remember(known: dict[K, V], key: K, value: V, most: int) -> None:
    """Add an entry to `known`, which never holds more than `most`."""
    if len(known) >= most:
        known.clear()
    known[key] = value
