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

_AT_ONCE: Final = 64 * 1024
"""Brackets counted in one step, in which no other thread runs."""


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
    steps = memoryview(outside.translate(_STEPS, delete=_NOT_BRACKETS)).cast("b")
    if len(steps) <= _AT_ONCE:
        return max(accumulate(steps, initial=0))
    deepest = now = 0
    for start in range(0, len(steps), _AT_ONCE):
        piece = steps[start : start + _AT_ONCE]
        in_piece = max(accumulate(piece, initial=now))
        deepest = max(deepest, in_piece)
        now += sum(piece)
    return deepest


def _between_quotes(raw: bytes) -> list[bytes]:
    """What stands outside strings, and in them, by turns; escapes are blank."""
    if b"\\" in raw:
        # Pairs of backslashes from the left; one that is left over escapes what follows.
        raw = raw.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    return raw.split(b'"')
