"""Where the items of a server's list begin and end in its text, found before anything is built of it.

`list_page.py` calls `items_of` for a page that could not be read as a whole. Strings are blanked, then brackets tell
where each item begins, whatever is wrong inside another one. They are looked at one by one, so a caller that takes
text from outside limits their number. Whether the parts are JSON, and whether commas fit behind the last item that
is wanted, is for the caller to find out.
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


def items_of(raw: bytes, member: str, most: int) -> tuple[Span, list[Span]] | None:
    """The bytes between the brackets of `result.<member>`, and those of each item in it, up to `most` and one.

    None where there is no such list, and where it does not end or has no single comma between its items.
    """
    blank = _STRING.sub(_blanked, raw)
    if blank.count(b'"') % 2:
        return None
    found = _containers(raw, blank, re.compile(rb'"' + member.encode() + rb'"\s*:\s*\Z'), most)
    if found is None:
        return None
    inside, containers = found
    items: list[Span] = []
    at = inside[0]
    for begin, end in containers:
        between = _scalars(blank, at, begin, most - len(items), first=not items and at == inside[0])
        if between is None:
            return None
        items += [*between, (begin, end)]
        if len(items) > most:
            return inside, items[: most + 1]
        at = end
    rest = _scalars(blank, at, inside[1], most - len(items), first=not items, last=True)
    return None if rest is None else (inside, (items + rest)[: most + 1])


def _blanked(found: re.Match[bytes]) -> bytes:
    return b'"' + b"_" * len(found[1]) + b'"'


def _containers(raw: bytes, blank: bytes, name: re.Pattern[bytes], most: int) -> tuple[Span, list[Span]] | None:
    """The inside of the list, and the objects and lists that are items of it, up to `most` and one."""
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
            if len(items) <= most:
                items.append((start, found.end()))
        elif begin and depth < _LIST:
            return ((begin, at), items) if bracket == b"]" else None
    return None


def _scalars(
    blank: bytes, begin: int, end: int, room: int, *, first: bool = False, last: bool = False
) -> list[Span] | None:
    """The items between two containers that are neither objects nor lists; None where commas do not fit.

    Of more than `room` only so many and one or two; what is behind them is not looked at.
    """
    text = blank[begin:end]
    if first and last and not text.strip():
        return []
    pieces = text.split(b",", room + 2)
    if len(pieces) == room + 3:
        pieces, last = pieces[:-1], True  # the last piece is all the rest
    spans: list[Span] = []
    for number, piece in enumerate(pieces):
        beside = (number == 0 and not first) or (number == len(pieces) - 1 and not last)
        if bool(piece.strip()) == beside:
            return None  # a comma too many, or one that is missing
        if not beside:
            spans.append((begin, begin + len(piece)))
        begin += len(piece) + 1
    return spans if first or last or len(pieces) > 1 else None
