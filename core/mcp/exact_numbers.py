"""Numbers as they were written: integers beyond 64 bits, and decimals that no double holds.

orjson reads both as doubles, and so changes `50000000000000000000` to `5e+19`, and the last digits of a decimal of
thirty. `json_limits` (requests) and `answer_json` (answers) ask `may_change` of every text, which costs a fraction of
reading it; only where a long run of digits stands in the text is it read by `loads_exactly`. That gives an `Exact` of
the digits for each number that would change, which is written again as it came. What is left out: limits on size and
depth, and NaN, which is no JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, NoReturn

import orjson

from core.mcp.json_text import outside_strings

Exact = orjson.Fragment
"""A number that stands for itself: it is neither compared nor counted with, only written."""

# Fifteen digits are the most of which a double holds every one, and the point among them counts as a digit here. With
# fewer digits only a number below 1e-99 can change.
_RUN: Final = b"0" * 16
_TINY: Final = b"0e-000"
_SHAPE: Final = bytes(0x30 if byte in b"0123456789." else 0x65 if byte in b"eE" else byte for byte in range(256))
_NUMBER: Final = re.compile(rb"[-+.0-9eE]+")
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0+)?")
_WHITE_SPACE: Final = b" \t\r\n"
_LEAST, _MOST = -(1 << 63), (1 << 64) - 1
_MOST_DIGITS: Final = 400
"""A decimal that is longer is not looked at more closely: it is kept as it is."""
MOST_SUSPECTS: Final = 300
"""Long numbers of one text that are judged one by one, without an answer: with more, it is read exactly at once."""


def may_change(raw: bytes, value: object = None) -> bool:
    """Whether orjson might read a number of this JSON text as another one; False is certain, and quick.

    `value`: what orjson has read of it, if that is at hand. Most long numbers are written again as they came, and so
    need no closer look. True may also mean that there are too many for one.
    """
    shape = raw.translate(_SHAPE)
    # `find`, as `in` is several times slower for bytes.
    if shape.find(_RUN) < 0 and shape.find(_TINY) < 0:
        return False
    outside = outside_strings(raw)
    if _come_back(outside, value):
        return False
    return any(number is None or not _is_held(number) for number in _suspects(outside))


def _come_back(outside: bytes, value: object) -> bool:
    """Whether all that stands outside the strings is written again as it came, but for white space."""
    try:
        return value is not None and _bare(outside) == _bare(outside_strings(orjson.dumps(value)))
    except TypeError:  # too deep
        return False


def _bare(outside: bytes) -> bytes:
    return outside.translate(None, delete=_WHITE_SPACE)


def _suspects(outside: bytes) -> Iterator[str | None]:
    """The numbers that may change, of a text without its strings; None at the end if there are too many.

    Each search begins behind the number before, and looks back no further: so it ends, whatever the text.
    """
    shape, left = outside.translate(_SHAPE), MOST_SUSPECTS
    for sought in (_RUN, _TINY):
        behind = 0
        while (at := shape.find(sought, behind)) >= 0:
            if not left:
                yield None
                return
            left -= 1
            while at > behind and shape[at - 1] in b"0e+-":
                at -= 1
            found = _NUMBER.match(outside, at)
            if found is None:  # never: at `at` stands a part of a number
                return
            yield found[0].decode()
            behind = found.end()


def loads_exactly(text: str, constant: Callable[[str], object] | None = None) -> object:
    """Read JSON; a number that would change becomes an `Exact`. Raises ValueError, and RecursionError when deep.

    `constant` is asked what `NaN`, `Infinity` and `-Infinity` stand for; without it they are refused. Unlike orjson
    this takes halves of surrogate pairs: look for them before.
    """
    return json.JSONDecoder(
        parse_int=_integer, parse_float=_decimal, parse_constant=constant or _no_json, strict=True
    ).decode(text)


def digits_of(number: Exact) -> str:
    """What an `Exact` was written as."""
    return orjson.dumps(number).decode()


def whole_number(number: Exact) -> str | None:
    """The digits of an `Exact` that is an integer, written without fraction and exponent; None for any other."""
    digits = digits_of(number)
    return digits.partition(".")[0] if _WHOLE.fullmatch(digits) else None


def _is_held(text: str) -> bool:
    """Whether orjson reads this number as itself. What is no number, such as a part of a string, counts as held."""
    try:
        return not isinstance(_decimal(text) if _is_decimal(text) else _integer(text), Exact)
    except ValueError:
        return True


def _is_decimal(text: str) -> bool:
    return "." in text or "e" in text or "E" in text


def _integer(text: str) -> object:
    if len(text) > 20:
        return Exact(text)
    number = int(text)
    return number if _LEAST <= number <= _MOST else Exact(text)


def _decimal(text: str) -> object:
    if len(text) > _MOST_DIGITS:
        return Exact(text)
    number = float(text)
    if repr(number) == text:
        return number
    return number if number - number == 0 and _is_same(number, text) else Exact(text)


def _is_same(number: float, text: str) -> bool:
    if number == 0:  # perhaps too small for a double; only zeros may stand for zero
        return not text.lower().partition("e")[0].strip("-0.")
    return Decimal(repr(number)) == Decimal(text)


def _no_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
