"""Where the items of a server's list begin and end in its text, found before anything is built of it.

`list_page.py` calls `items_of` for a page that could not be read as a whole. Strings are blanked, then brackets tell
where each item begins, whatever is wrong inside another one. They are looked at one by one, so a caller that takes
text from outside limits their number. Whether the parts are JSON is for the caller to find out.
"""

import re
from typing import Final

_STRING: Final = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_RESULT: Final = re.compile(rb'"result"\s*:\s*\Z')
_LIST: Final = 3
"""How deep the list is: the message, its result, the list."""
_BEFORE: Final = 64
"""Bytes before a bracket among which its name is looked for; white space may make it unknown."""

Span = tuple[int, int]


def items_of(raw: bytes, member: str) -> tuple[Span, list[Span]] | None:
    """The bytes between the brackets of `result.<member>`, and those of each item in it.

    None where there is no such list, and where it does not end or has no single comma between its items.
    """
    blank = _STRING.sub(_blanked, raw)
    if blank.count(b'"') % 2:
        return None
    found = _containers(raw, blank, re.compile(rb'"' + member.encode() + rb'"\s*:\s*\Z'))
    if found is None:
        return None
    inside, containers = found
    items: list[Span] = []
    at = inside[0]
    for begin, end in containers:
        between = _scalars(blank, at, begin, first=not items and at == inside[0])
        if between is None:
            return None
        items += [*between, (begin, end)]
        at = end
    rest = _scalars(blank, at, inside[1], first=not items, last=True)
    return None if rest is None else (inside, items + rest)


def _blanked(found: re.Match[bytes]) -> bytes:
    return b'"' + b"_" * len(found[1]) + b'"'


def _containers(raw: bytes, blank: bytes, name: re.Pattern[bytes]) -> tuple[Span, list[Span]] | None:
    """The inside of the list, and every object and list that is an item of it."""
    depth = begin = start = 0
    in_result = False
    items: list[Span] = []
    for found in _BRACKET.finditer(blank):
        bracket, at = found.group(), found.start()
        if bracket in b"[{":
            depth += 1
            if begin:
                if depth == _LIST + 1:
                    start = at
            elif depth == _LIST - 1:
                in_result = _RESULT.search(raw, max(0, at - _BEFORE), at) is not None
            elif depth == _LIST and bracket == b"[" and in_result:
                begin = found.end() if name.search(raw, max(0, at - _BEFORE), at) is not None else 0
            continue
        depth -= 1
        if begin and depth == _LIST:
            items.append((start, found.end()))
        elif begin and depth < _LIST:
            return ((begin, at), items) if bracket == b"]" else None
    return None


def _scalars(blank: bytes, begin: int, end: int, *, first: bool = False, last: bool = False) -> list[Span] | None:
    """The items between two containers that are neither objects nor lists; None where commas do not fit."""
    text = blank[begin:end]
    if first and last and not text.strip():
        return []
    pieces = text.split(b",")
    spans: list[Span] = []
    for number, piece in enumerate(pieces):
        beside = (number == 0 and not first) or (number == len(pieces) - 1 and not last)
        if bool(piece.strip()) == beside:
            return None  # a comma too many, or one that is missing
        if not beside:
            spans.append((begin, begin + len(piece)))
        begin += len(piece) + 1
    return spans if first or last or len(pieces) > 1 else None
