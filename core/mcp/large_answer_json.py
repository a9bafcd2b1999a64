"""A large answer of an upstream: checked and written on as it came, without making objects of it.

Objects would take up to twenty times the memory of the text. So of a message of more than `LARGE` bytes only those
members are read that somebody looks at; the others become `orjson.Fragment`s. `proxy/upstream/answers.py` calls
`read_large`, `core/mcp/shapes.py` the functions that look into a part of a result. What is left out: how odd JSON
is mended (`answer_json`), and lists for discovery (`list_page`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
import orjson

from core.mcp.answer_json import BOM, is_utf_8, mended, read
from core.mcp.deep_json import fragment_of
from core.mcp.deep_parts import DeepParts
from core.mcp.json_text import without_strings

LARGE: Final = 1 << 20
_SMALL_PART: Final = 64 * 1024
"""Bytes up to which a part of a large answer is read like any other."""
MAX_BESIDE: Final = 1 << 20
"""Bytes of a large result that may stand outside the members that are known to be large."""
MAX_PARTS: Final = 100_000
"""Values in a part that is taken apart, and in a list of messages; in a part with more, nothing is looked at."""

_NONE: Final = msgspec.Raw()


class _Known(msgspec.Struct):
    """The members of results that may be large; `result` is that of a task, which is taken apart as one of a call."""

    content: msgspec.Raw = _NONE
    structuredContent: msgspec.Raw = _NONE  # noqa: N815 - the protocol's name
    contents: msgspec.Raw = _NONE
    result: msgspec.Raw = _NONE


class _Sized(msgspec.Struct):
    """How large the members of a message are that may be."""

    result: _Known | None = None
    error: msgspec.Raw = _NONE
    params: msgspec.Raw = _NONE


class _Message(msgspec.Struct):
    """The members of a message; others are none."""

    jsonrpc: msgspec.Raw = _NONE
    id: msgspec.Raw = _NONE
    method: msgspec.Raw = _NONE
    result: dict[str, msgspec.Raw] | None = None
    error: msgspec.Raw = _NONE


class _Error(msgspec.Struct):
    code: msgspec.Raw = _NONE
    message: msgspec.Raw = _NONE
    data: msgspec.Raw = _NONE


_sized = msgspec.json.Decoder(_Sized)
_known = msgspec.json.Decoder(_Known)
_message = msgspec.json.Decoder(_Message)
_error = msgspec.json.Decoder(_Error)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])


def read_large(raw: bytes) -> object:
    """Read a message of more than `LARGE` bytes. Raises ValueError, which says what is wrong with it.

    The result's large members are fragments. An error has no large data, and nothing else that is large is there:
    nobody asks for it. A list of messages, as some servers answer, is read where it has at most `MAX_PARTS` values.
    """
    raw = raw.strip(b" \t\r\n")
    if raw.startswith(BOM) or not is_utf_8(raw):
        raw = mended(raw)
    try:
        return _read_any(raw)
    except msgspec.ValidationError:
        raise ValueError("it is no object, or its result or error is none") from None
    except msgspec.DecodeError:
        pass  # perhaps half a pair: that is looked for only now
    return _read_any(mended(raw))


def _read_any(raw: bytes) -> object:
    if not raw.startswith(b"["):
        return _read_deep_or_not(raw)
    if not _is_narrow(raw):
        raise ValueError(f"it is a list of messages with more than {MAX_PARTS} values")
    return [_read_deep_or_not(item) if len(item) > LARGE else read(item) for item in _items_in(raw)]


def _read_deep_or_not(raw: bytes) -> dict[str, object]:
    try:
        return _read(raw, bytes, len(raw))
    except RecursionError:
        deep = DeepParts(raw)
    return _read(deep.text, lambda part: deep.put_back(bytes(part)), len(raw))


def _read(raw: bytes, whole: Callable[[msgspec.Raw], bytes], size: int) -> dict[str, object]:
    """Read a message of so many bytes; `whole` makes of a part of `raw` what it was in the message."""
    _judge_sizes(raw, whole, size)
    said = _message.decode(raw)
    message: dict[str, object] = {}
    for name in ("jsonrpc", "id", "method"):
        part = whole(getattr(said, name))
        if part and len(part) <= _SMALL_PART:
            message[name] = read(part)
    if said.result is not None:
        message["result"] = {name: _part(name, part, whole) for name, part in said.result.items()}
    if bytes(said.error):
        message["error"] = _as_error(said.error, whole)
    return message


def _judge_sizes(raw: bytes, whole: Callable[[msgspec.Raw], bytes], size: int) -> None:
    """Raise ValueError where so much stands beside the known members that their number might be large, too."""
    sized = _sized.decode(raw)
    result = sized.result or _Known()
    known = [result.content, result.structuredContent, result.contents, sized.error, sized.params]
    if bytes(result.result):
        known += _large_of_a_task(result.result)
    if size - sum(len(whole(part)) for part in known) > MAX_BESIDE:
        raise ValueError(f"it has more than {MAX_BESIDE} bytes outside content and structuredContent")


def _large_of_a_task(result: msgspec.Raw) -> list[msgspec.Raw]:
    """The large members of a result that stands in the answer about a task (SEP-2663, `tasks/get`)."""
    try:
        inside = _known.decode(result)
    except msgspec.ValidationError:
        return []
    return [inside.content, inside.structuredContent]


def _part(name: str, part: msgspec.Raw, whole: Callable[[msgspec.Raw], bytes]) -> object:
    raw = whole(part)
    if len(raw) <= _SMALL_PART:
        return read(raw)
    if name == "_meta" and raw.startswith(b"{"):  # of which something is taken out
        return {key: fragment_of(whole(value)) for key, value in _members.decode(part).items()}
    if name == "result" and raw.startswith(b"{"):  # of a task
        members = _members.decode(part).items()
        return {key: _part(key if key == "_meta" else "", value, whole) for key, value in members}
    return fragment_of(raw)


def _as_error(written: msgspec.Raw, whole: Callable[[msgspec.Raw], bytes]) -> object:
    raw = whole(written)
    if len(raw) <= _SMALL_PART:
        return read(raw)
    said = _error.decode(written)
    error: dict[str, object] = {}
    for name in ("code", "message", "data"):
        part = whole(getattr(said, name))
        if part and (len(part) <= _SMALL_PART or part.startswith(b'"')):
            error[name] = orjson.loads(part) if part.startswith(b'"') else read(part)
    return error


def is_object(value: object) -> bool:
    """Whether a value of a result is a JSON object, taken apart or not."""
    if isinstance(value, orjson.Fragment):
        return orjson.dumps(value).startswith(b"{")
    return isinstance(value, dict)


def members_of(value: object) -> dict[str, object] | None:
    """The members of a JSON object; None for what is none. Of one not taken apart, the large ones are fragments."""
    if not isinstance(value, orjson.Fragment):
        return value if isinstance(value, dict) else None
    raw = orjson.dumps(value)
    if not raw.startswith(b"{"):
        return None
    parts, whole = _members_in(raw)
    return {name: _part(name, part, whole) for name, part in parts.items()}


def items_of(value: object, *, that_hold: bytes = b"") -> list[object] | None:
    """The items of a JSON array; None for what is no array, and for one that is too wide to be taken apart.

    Of an array that was not taken apart they are fragments; None also for one without the text `that_hold`, and
    with it they are read.
    """
    if not isinstance(value, orjson.Fragment):
        return value if isinstance(value, list) else None
    raw = orjson.dumps(value)
    if not raw.startswith(b"[") or that_hold not in raw or not _is_narrow(raw):
        return None
    items = _items_in(raw)
    return [read(item) if that_hold and len(item) <= LARGE else orjson.Fragment(item) for item in items]


def with_item(array: orjson.Fragment, item: object) -> orjson.Fragment:
    """A JSON array that was not taken apart, with one item more; of what is no array, the item alone."""
    raw = orjson.dumps(array).strip(b" \t\r\n")
    inside = raw[1:-1].strip(b" \t\r\n") if raw.startswith(b"[") else b""
    return orjson.Fragment(b"[%b%b%b]" % (inside, b"," if inside else b"", orjson.dumps(item)))


def _items_in(raw: bytes) -> list[bytes]:
    try:
        return [bytes(item) for item in _items.decode(raw)]
    except RecursionError:
        deep = DeepParts(raw)
    return [deep.put_back(bytes(item)) for item in _items.decode(deep.text)]


def _members_in(raw: bytes) -> tuple[dict[str, msgspec.Raw], Callable[[msgspec.Raw], bytes]]:
    try:
        return _members.decode(raw), bytes
    except RecursionError:
        deep = DeepParts(raw)
    return _members.decode(deep.text), lambda part: deep.put_back(bytes(part))


def _is_narrow(raw: bytes) -> bool:
    """Whether there are at most `MAX_PARTS` values in it, found out without much memory."""
    quotes = raw.count(b'"') - raw.count(b'\\"')
    return quotes <= 4 * MAX_PARTS and without_strings(raw).count(b",") < MAX_PARTS
