"""The JSON of an upstream's answer, read as widely as the official SDKs read it, and no further than its size.

`proxy/upstream/answers.py` calls `read` with a body or an event's data whose size it has capped. The usual answer
costs one parse. What that does not take is looked at again: a byte order mark and bytes that are no UTF-8 (as every
browser reads them), halves of surrogate pairs, numbers beyond a double, depth. A large answer is for
`large_answer_json`. What is left out: whether it is a message.
"""

from __future__ import annotations

import re
from typing import Final

import orjson

from core.mcp.deep_json import is_deep, loads_deep
from core.mcp.exact_numbers import may_change

BOM: Final = b"\xef\xbb\xbf"
_INSTEAD: Final = "\ufffd".encode()
# A pair of halves, one half by itself, or an escaped backslash, so that it makes no escape of what follows.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|\\)"
)


def read(raw: bytes) -> object:
    """Read one JSON text. Raises ValueError, which says what is wrong with it in the parser's words.

    Numbers that no double holds, and what is deeper than 200 levels, are `orjson.Fragment`s in what it returns.
    """
    value = read_plainly(raw)
    return _read_odd(raw) if value is None else value


def read_plainly(raw: bytes) -> object:
    """Read a JSON text in the ordinary way, which is quick; None where that does not do, and for `null`."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return None if may_change(raw, value) or is_deep(raw) else value


def _read_odd(raw: bytes) -> object:
    """A text that the parser has not taken as it is."""
    raw = mended(raw)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as wrong:
        try:
            return loads_deep(raw)  # a number that is infinite for a double, or more depth than the parser reads
        except ValueError as other:
            raise (other if "depth limit" in str(wrong) else wrong) from None
    return loads_deep(raw) if may_change(raw, value) or is_deep(raw) else value


def mended(raw: bytes) -> bytes:
    """The text without a byte order mark, and with U+FFFD for what is no UTF-8 and for halves of pairs."""
    raw = raw.removeprefix(BOM)
    if not is_utf_8(raw):
        raw = raw.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(_whole_escape, raw) if b"\\" in raw else raw


def is_utf_8(raw: bytes) -> bool:
    """Whether these bytes are text."""
    try:
        return raw.isascii() or bool(raw.decode())
    except UnicodeDecodeError:
        return False


def _whole_escape(found: re.Match[bytes]) -> bytes:
    return found[0] if found[1] is None else _INSTEAD
