"""A large JSON text without its deep parts, so that a parser that recurses can go through it; and their way back.

`large_answer_json` uses it for an answer that msgspec does not go through. No objects are made: each part from the
two hundredth level on is checked, in pieces, and a string takes its place. What is left out: reading such a part
(`deep_json`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

import msgspec

from core.mcp.deep_json import LEVELS, MAX_BRACKETS
from core.mcp.json_text import without_strings

_ALIKE: Final = bytes(0x5B if byte in b"[]{}" else byte for byte in range(256))
_OPENING: Final = b"[{"
_any = msgspec.json.Decoder(msgspec.Raw)


class DeepParts:
    """The deep parts of one text; `text` is what is left of it. Raises ValueError for what is no JSON or too wide."""

    def __init__(self, raw: bytes) -> None:
        # No text holds its own digest, so nothing else in it is taken for one of these strings.
        self._name = b'"deep-%b-' % blake2b(raw, digest_size=16).hexdigest().encode()
        self._back = re.compile(self._name + rb'(\d+)"')
        self._parts: list[bytes] = []
        self.text = self._cut(raw)

    def put_back(self, part: bytes) -> bytes:
        """A part of `text` as it was in the whole."""
        return self._back.sub(lambda found: self._parts[int(found[1])], part) if part.find(self._name) >= 0 else part

    def _cut(self, raw: bytes) -> bytes:
        outside = without_strings(raw)
        if sum(map(outside.count, (b"[", b"]", b"{", b"}"))) > MAX_BRACKETS:
            raise ValueError(f"it is deeper than {LEVELS} levels and has more than {MAX_BRACKETS} brackets")
        depth, begun = 0, [_Open(0)]
        for at in _brackets(outside):
            if outside[at] in _OPENING:
                if depth and depth % LEVELS == 0:
                    begun.append(_Open(at))
                depth += 1
                continue
            depth -= 1
            if depth > 0 and depth % LEVELS == 0:
                inner, stop = begun.pop(), at + 1
                _any.decode(inner.closed(raw, stop))
                # Within another deep part it comes back with that one.
                instead = b"null" if len(begun) > 1 else self._instead(raw[inner.start : stop])
                begun[-1].leave_out(raw, inner.start, stop, instead)
        if len(begun) != 1:
            raise ValueError("an array or object is not closed")
        return begun[0].closed(raw, len(raw))

    def _instead(self, part: bytes) -> bytes:
        self._parts.append(part)
        return b'%b%d"' % (self._name, len(self._parts) - 1)


def _brackets(outside: bytes) -> Iterator[int]:
    """Where they are. A regular expression would let nothing else run while it passes over megabytes without one."""
    alike = outside.translate(_ALIKE)
    at = alike.find(b"[")
    while at >= 0:
        yield at
        at = alike.find(b"[", at + 1)


class _Open:
    """A stretch of the text without what was left out of it."""

    __slots__ = ("_at", "_kept", "start")

    def __init__(self, start: int) -> None:
        self.start = self._at = start
        self._kept: list[bytes] = []

    def leave_out(self, raw: bytes, start: int, stop: int, instead: bytes) -> None:
        """Put something else in the place of a part."""
        self._kept += [raw[self._at : start], instead]
        self._at = stop

    def closed(self, raw: bytes, stop: int) -> bytes:
        """The stretch up to its end."""
        return b"".join([*self._kept, raw[self._at : stop]])
