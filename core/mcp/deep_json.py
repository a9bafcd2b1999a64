"""JSON that is nested deeper than a parser goes, read without recursion: its deep parts stay as they were written.

`answer_json` uses it for an upstream's answer that is deeper than orjson reads (1,024 levels) or writes (254). The
text is cut at every two hundredth level into pieces, each of which is parsed by itself; what stands deeper than the
first cut is an `orjson.Fragment` in what is returned. Costs time for each bracket, so their number is limited.
"""

from __future__ import annotations

import re
from typing import Final

import orjson

from core.mcp.exact_numbers import loads_exactly
from core.mcp.json_text import depth, outside_strings, without_strings

LEVELS: Final = 200
"""How deep a piece is: what orjson writes, with room for what is put around it."""
MAX_BRACKETS: Final = 25_000
"""Opening and closing, in a text that is deeper: they are looked at one by one, in up to three microseconds each."""

_BRACKET: Final = re.compile(rb"[\[\]{}]")
_OPENING: Final = b"[{"


def is_deep(raw: bytes) -> bool:
    """Whether a JSON text has more than `LEVELS` levels. Quick for a text that is short or has few brackets."""
    if len(raw) <= 2 * LEVELS or raw.count(b"[") + raw.count(b"{") <= LEVELS:
        return False
    return depth(outside_strings(raw)) > LEVELS


def loads_deep(raw: bytes) -> object:
    """Read JSON of any depth; numbers as `loads_exactly`, and what is deeper than `LEVELS` as fragments.

    Raises ValueError for what is no JSON, and for a deep text with more than `MAX_BRACKETS`.
    """
    if not is_deep(raw):
        return loads_exactly(raw.decode())
    pieces = _pieces(raw)
    for piece in pieces[:-1]:
        piece.check()
    return pieces[-1].load()


def fragment_of(raw: bytes) -> orjson.Fragment:
    """A JSON text that is written on as it came, but on one line: it may become part of an event."""
    if b"\n" in raw or b"\r" in raw:  # outside strings, where they are white space
        raw = raw.replace(b"\n", b" ").replace(b"\r", b" ")
    return orjson.Fragment(raw)


class _Piece:
    """A part of the text whose own deep parts are cut out."""

    __slots__ = ("_inner", "_raw", "start", "stop")

    def __init__(self, raw: bytes, start: int) -> None:
        self._raw, self.start, self.stop = raw, start, start
        self._inner: list[_Piece] = []

    def holds(self, piece: _Piece) -> None:
        """Note a part that is cut out."""
        self._inner.append(piece)

    def check(self) -> None:
        """Raise ValueError if it is no JSON."""
        text = self._text(b"null")
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError:  # perhaps a number that is too large for it
            loads_exactly(text.decode())

    def load(self) -> object:
        """Its value, with a fragment for each part that was cut out."""
        fragments = [fragment_of(self._raw[inner.start : inner.stop]) for inner in self._inner]
        left = iter(fragments)

        def fragment(name: str) -> object:
            found = next(left, None)
            if found is None or name != "NaN":
                raise ValueError(f"{name} is not JSON")
            return found

        value = loads_exactly(self._text(b"NaN").decode(), fragment)
        if next(left, None) is not None:  # a NaN of the text itself took the place of one that is a part
            raise ValueError("NaN is not JSON")
        return value

    def _text(self, instead: bytes) -> bytes:
        parts, at = [], self.start
        for inner in self._inner:
            parts += [self._raw[at : inner.start], instead]
            at = inner.stop
        parts.append(self._raw[at : self.stop])
        return b"".join(parts)


def _pieces(raw: bytes) -> list[_Piece]:
    """The pieces of a text, inner ones first; the last is the whole."""
    outside = without_strings(raw)
    if sum(map(outside.count, (b"[", b"]", b"{", b"}"))) > MAX_BRACKETS:
        raise ValueError(f"it is deeper than {LEVELS} levels and has more than {MAX_BRACKETS} brackets")
    whole, done, level = _Piece(raw, 0), [], 0
    whole.stop = len(raw)
    begun = [whole]
    for found in _BRACKET.finditer(outside):
        if found[0] in _OPENING:
            if level and level % LEVELS == 0:
                begun.append(_Piece(raw, found.start()))
            level += 1
            continue
        level -= 1
        if level > 0 and level % LEVELS == 0:
            piece = begun.pop()
            piece.stop = found.end()
            begun[-1].holds(piece)
            done.append(piece)
    if len(begun) != 1:
        raise ValueError("an array or object is not closed")
    return [*done, whole]
