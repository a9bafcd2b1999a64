"""What the bytes of a JSON text show before it is parsed: where its strings are, and how deep it goes.

`json_limits`, `exact_numbers`, `deep_json` and `large_answer_json` look at texts with it, by C loops over the bytes.
What is left out: whether the text is JSON at all. Of one that is none it says something, and the parser refuses it.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Final

_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
# Opening is +1; closing is 255, which is -1 when read as a signed byte.
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")


def without_strings(raw: bytes) -> bytes:
    """A JSON text of the same length in which nothing is left of its strings but their quotes."""
    parts = _between_quotes(raw)
    parts[1::2] = [b"_" * len(part) for part in parts[1::2]]
    return b'"'.join(parts)


def outside_strings(raw: bytes) -> bytes:
    """What stands outside the strings of a JSON text, with one quote for each string; quicker than the other."""
    return b'"'.join(_between_quotes(raw)[0::2])


def depth(outside: bytes) -> int:
    """How many arrays and objects stand in each other, in a text without what stands in its strings."""
    steps = outside.translate(_STEPS, delete=_NOT_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0)


def _between_quotes(raw: bytes) -> list[bytes]:
    """What stands outside strings, and in them, by turns; escapes are blank."""
    if b"\\" in raw:
        # Pairs of backslashes from the left; one that is left over escapes what follows.
        raw = raw.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    return raw.split(b'"')
