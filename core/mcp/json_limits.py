"""JSON with limits that hold before anything is built from it.

Every request of a caller is read by `loads` (answers of upstreams have no such limits: `answer_json.py`). One MiB
of `[[],[],...]` becomes 18 MiB of objects, so the limits are judged on the bytes first. What the bytes
mean is left to orjson, which refuses what RFC 8259 forbids (bad UTF-8, lone surrogates, NaN, a byte order
mark, anything behind the value). Numbers that orjson would change are kept by `exact_numbers.py`.

Of duplicate keys the last wins, so a message is always serialised from this parse and never forwarded as its raw
bytes.

How the scan stays cheap: counting separators is done by C loops over the bytes. A count over *all* bytes, strings
included, can only be too high, so a small ordinary message is cleared by a few such counts. Only a message
that these do not clear has its strings cut out and is counted exactly.
"""

from __future__ import annotations

import orjson

from core.mcp.exact_numbers import loads_exactly, may_change
from core.mcp.faults import INVALID_REQUEST, PARSE_ERROR, MessageFault
from core.mcp.json_text import depth

MAX_DEPTH = 64
MAX_VALUES = 100_000
MAX_KEY_BYTES = 256
MAX_OBJECT_KEYS = 10_000

# The shortest member of an object is `"":0,`: a text of fewer bytes per allowed key cannot hold too many.
_SHORTEST_MEMBER = 5
_BACKSLASH = 0x5C
_WHITESPACE = b" \t\n\r"
_NOT_MEMBERS = bytes(byte for byte in range(256) if byte not in b"{}:")


def loads(
    raw: bytes,
    *,
    max_depth: int = MAX_DEPTH,
    max_values: int = MAX_VALUES,
    max_key_bytes: int = MAX_KEY_BYTES,
    max_object_keys: int = MAX_OBJECT_KEYS,
) -> object:
    """Read one JSON text of which the caller has already capped the size.

    `max_depth` counts nested containers (`[[]]` is 2), `max_values` everything but keys, `max_key_bytes`
    the bytes of the text between the quotes as UTF-8, escapes resolved. A number that a double does not hold is an
    `Exact` in what is returned.
    Raises `MessageFault` at 400: -32600 for a limit (named, with its figure), -32700 for what is not JSON.
    """
    size = len(raw)
    cleared = (
        size <= max_values
        and size <= max_object_keys * _SHORTEST_MEMBER
        and raw.count(b"{") + raw.count(b"[") <= max_depth
        and (size <= max_key_bytes or _has_short_strings(raw, max_key_bytes))
    )
    if not cleared:
        _scan(raw, max_depth, max_values, max_key_bytes, max_object_keys)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _beyond_doubles(raw)
    return loads_exactly(raw.decode()) if may_change(raw, value) else value


def _beyond_doubles(raw: bytes) -> object:
    """What orjson did not take: JSON only if all that is wrong is a number that is infinite for a double."""
    try:
        value = loads_exactly(raw.decode())
        orjson.dumps(value)  # refuses halves of surrogate pairs, which the other parser takes
    except (ValueError, TypeError):
        raise MessageFault(PARSE_ERROR, "The body is not valid JSON (RFC 8259, UTF-8).") from None
    return value


def _has_short_strings(raw: bytes, limit: int) -> bool:
    """Whether it is certain that no string in `raw` is longer than `limit` bytes; False is "not certain".

    Goes from quote to quote in the longest steps that a short string allows; where no quote lies within reach, there
    is a long run.
    """
    text = _without_escaped_quotes(raw) if _BACKSLASH in raw else raw
    rfind, reach = text.rfind, limit + 2
    last = len(text) - reach
    at = 0
    while at < last:
        at = rfind(b'"', at + 1, at + reach)
        if at < 0:
            return False
    return True


def _without_escaped_quotes(raw: bytes) -> bytes:
    r"""Replace `\\` and then `\"` by one plain byte each, so that every quote left bounds a string.

    A run of backslashes pairs off from its left, as `bytes.replace` does; one left over escapes what
    follows. In a text with a backslash outside a string the result is wrong from there on, and so is the
    text: orjson stops at that byte.
    """
    if _BACKSLASH not in raw or b'\\"' not in raw:
        return raw
    return raw.replace(b"\\\\", b"_").replace(b'\\"', b"_")


def _scan(raw: bytes, max_depth: int, max_values: int, max_key_bytes: int, max_object_keys: int) -> None:
    """Count exactly what the quick look could not clear; raise on the first limit passed."""
    text = _without_escaped_quotes(raw)
    # Every string is a value or the key of one; this bounds the list that `split` makes.
    if text.count(b'"') > 4 * max_values:
        raise _too_many_values(max_values)
    pieces = text.split(b'"')
    outside = pieces[0::2]
    _check_keys(pieces, max_key_bytes)
    # Each string becomes one letter, so that `[]` is an empty array and `[s]` is not.
    skeleton = b"s".join(outside).translate(None, delete=_WHITESPACE)
    opened = skeleton.count(b"[") + skeleton.count(b"{")
    empty = skeleton.count(b"[]") + skeleton.count(b"{}")
    # A container with n commas of its own has n + 1 children unless it is empty; and there is the root.
    if 1 + skeleton.count(b",") + opened - empty > max_values:
        raise _too_many_values(max_values)
    if opened > max_depth and depth(skeleton) > max_depth:
        raise MessageFault(INVALID_REQUEST, f"The body is nested deeper than {max_depth} levels.")
    if skeleton.count(b":") > max_object_keys:
        _check_object_keys(skeleton, max_object_keys)


def _check_keys(pieces: list[bytes], max_key_bytes: int) -> None:
    """Judge the keys among the strings, the odd pieces between quotes; only long ones are looked at twice."""
    for index in range(1, len(pieces), 2):
        if len(pieces[index]) <= max_key_bytes or not _is_key(pieces, index):
            continue
        if _decoded_length(pieces[index]) > max_key_bytes:
            raise MessageFault(INVALID_REQUEST, f"A key in the body is longer than {max_key_bytes} bytes.")


def _is_key(pieces: list[bytes], index: int) -> bool:
    return index + 1 < len(pieces) and pieces[index + 1].lstrip(_WHITESPACE).startswith(b":")


def _decoded_length(piece: bytes) -> int:
    """Bytes of a string's text with its escapes resolved; 0 where it is no string, which orjson refuses next."""
    if b"\\" not in piece:
        return len(piece)
    try:
        return len(str(orjson.loads(b'"' + piece + b'"')).encode())
    except orjson.JSONDecodeError:
        return 0


def _check_object_keys(skeleton: bytes, max_object_keys: int) -> None:
    """Count the colons of each object; arrays drop out, as their members' colons stand in braces of their own."""
    counts = [0]
    for byte in skeleton.translate(None, delete=_NOT_MEMBERS):
        if byte == 0x3A:  # colon
            counts[-1] += 1
            if counts[-1] > max_object_keys:
                raise MessageFault(INVALID_REQUEST, f"An object in the body has more than {max_object_keys} keys.")
        elif byte == 0x7B:  # opening brace
            counts.append(0)
        elif len(counts) > 1:
            counts.pop()


def _too_many_values(max_values: int) -> MessageFault:
    return MessageFault(INVALID_REQUEST, f"The body holds more than {max_values} values.")
