"""What differs between two definitions of a tool, in a few short lines that a person can judge. Pure.

A server may change what a tool says of itself after somebody approved it, and a model reads all of it. So each place
that differs is named by its path, with what stood there and what stands there now, cut to where the two part.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson

MOST: Final = 50
"""Places that are told; a definition may differ everywhere."""
_LONGEST: Final = 400
_CONTEXT: Final = 40
_CUT: Final = "[...]"
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place at which two definitions differ."""

    at: str
    """Such as `inputSchema.properties.to.description`."""
    before: str | None
    """None: nothing stood there. Texts as they are, everything else as JSON; cut."""
    after: str | None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """The places at which two definitions of a changed tool differ, in the order of their paths; never none."""
    found = list(islice(_walk("", before, after), MOST + 1))
    if not found:
        return [Difference("", None, "It differs in what is not kept, such as the end of a long text.")]
    return found if len(found) <= MOST else [*found[:MOST], Difference(_CUT, None, "There are more differences.")]


def _walk(at: str, before: object, after: object) -> Iterator[Difference]:
    """In one loop, however deep: a definition comes from a server."""
    waiting: list[tuple[str, object, object]] = [(at, before, after)]
    while waiting:
        at, before, after = waiting.pop()
        if isinstance(before, dict) and isinstance(after, dict):
            names = sorted({*before, *after}, reverse=True)
            waiting += [
                (f"{at}.{name}" if at else name, before.get(name, _MISSING), after.get(name, _MISSING))
                for name in names
            ]
        elif isinstance(before, list) and isinstance(after, list):
            numbers = reversed(range(max(len(before), len(after))))
            waiting += [(f"{at}[{number}]", _item(before, number), _item(after, number)) for number in numbers]
        elif before != after or type(before) is not type(after):
            yield Difference(at[:_LONGEST], *_parted(_text(before), _text(after)))


def _item(items: list[Any], number: int) -> object:
    return items[number] if number < len(items) else _MISSING


def _text(value: object) -> str | None:
    if value is _MISSING:
        return None
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, RecursionError):
        return _CUT


def _parted(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Both from a little before the place where they part, and each at most so long."""
    if before is None or after is None:
        return _cut(before, 0), _cut(after, 0)
    same = 0
    if max(len(before), len(after)) > _LONGEST:
        shorter = min(len(before), len(after))
        same = next((number for number in range(shorter) if before[number] != after[number]), shorter)
    start = max(0, same - _CONTEXT)
    return _cut(before, start), _cut(after, start)


def _cut(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    end = start + _LONGEST
    return (f"{_CUT} " if start else "") + text[start:end] + (f" {_CUT}" if len(text) > end else "")
