"""One page of a server's list (`tools/list`, `resources/list`), read item by item: an odd one alone is left out.

`proxy/upstream/list_answers.py` calls `read_page` with a body or an event's data whose size it has capped. The usual
page costs two parses and a few counts. One that these do not clear is cut into its items (`list_items.py`), and each
is judged and parsed by itself: depth, names, halves of characters, NaN. What is no JSON at all is the whole page's
fault, with the parser's sentence. Only so many items and values are looked at, and so many faults told; behind them
nothing is judged. Leaves out whether an item is a tool.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from core.mcp.exact_numbers import Exact, digits_of, may_change
from core.mcp.faults import INVALID_REQUEST, MessageFault
from core.mcp.json_limits import loads
from core.mcp.list_items import Span, items_of

MAX_VALUES: Final = 50_000
"""In one item, and in a page that is built as a whole; a definition of a megabyte has some forty thousand."""
MAX_CONTAINERS: Final = 250_000
"""Objects and lists in one page; four megabytes of definitions have some eighty thousand."""
MAX_ITEMS: Final = 5_000
"""Of one list, and so of one page; whatever they are."""
MAX_LIST_VALUES: Final = 400_000
"""In all items of one list, and so of one page, for memory's sake: a value costs some 60 bytes."""
MAX_REJECTED: Final = 100
"""Items of one list, and so of one page, that are told with the reason; more are counted."""
_BOM: Final = b"\xef\xbb\xbf"
_NAME: Final = re.compile(rb'"name"\s*:\s*("(?:[^"\\]|\\.){1,1024}")', re.DOTALL)

_TOO_MANY_ITEMS: Final = f"more than {MAX_ITEMS} items"


@dataclass(slots=True)
class Page:
    """What a page holds. `message` is the whole of it, with `items` where the list was."""

    message: dict[str, Any]
    items: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    """The first items that cannot be kept: name (escaped), and the reason."""
    more_rejected: int = 0
    """How many more cannot be kept."""
    values: int = 0
    """At most so many are in `items`."""
    ends: str = ""
    """What the list has more of than is looked at, such as `more than 5000 items`; empty where all of it was."""


class NoPage(ValueError):
    """The text is no JSON message, or too much of one: in the parser's words, with the place, or with the most."""


def read_page(raw: bytes, member: str) -> Page:
    """Read one message; if it holds a list as `member` of its result, item by item. Raises NoPage."""
    raw = raw.removeprefix(_BOM)
    values = _most_values(raw)
    try:
        if values > MAX_VALUES or may_change(raw):
            return _odd_page(raw, member)
        message = orjson.loads(raw)
        loads(raw, max_values=MAX_VALUES, max_object_keys=MAX_VALUES)
    except (orjson.JSONDecodeError, MessageFault):
        return _odd_page(raw, member)
    result = message.get("result") if isinstance(message, dict) else None
    listed = result.get(member) if isinstance(result, dict) else None
    page = Page(_as_message(message), values=values)
    listed = listed if isinstance(listed, list) else []
    for number, item in enumerate(listed[:MAX_ITEMS]):
        _take(page, item, number)
    if len(listed) > MAX_ITEMS:
        page.ends = _TOO_MANY_ITEMS
    return page


def _most_values(text: bytes) -> int:
    return text.count(b",") + text.count(b"{") + text.count(b"[") + 1


def _take(page: Page, item: object, number: int) -> None:
    if isinstance(item, dict):
        page.items.append(item)
    else:
        _reject(page, "It is no object.", number)


def _reject(page: Page, reason: str, number: int, text: bytes = b"") -> None:
    """`text`: of an item that may have a name."""
    if len(page.rejected) < MAX_REJECTED:
        page.rejected.append((_name(text, number) if text else _numbered(number), reason))
    else:
        page.more_rejected += 1


def _odd_page(raw: bytes, member: str) -> Page:
    if raw.count(b"{") + raw.count(b"[") > MAX_CONTAINERS:
        raise NoPage(f"it holds more than {MAX_CONTAINERS} objects and lists")
    found = items_of(raw, member, MAX_ITEMS)
    if found is None:
        return _without_items(_as_message(_whole(raw)), member)
    (begin, end), spans = found
    # Spaces in place of the items, so that the parser's places stay those of the text.
    page = Page(_as_message(_whole(raw[:begin] + b" " * (end - begin) + raw[end:])))
    for number, span in enumerate(spans):
        page.ends = _too_much(page, raw[span[0] : span[1]], number)
        if page.ends:
            break
        _take_apart(page, raw, span, number)
    page.message["result"][member] = page.items
    return page


def _too_much(page: Page, text: bytes, number: int) -> str:
    """What the page has too much of with this item, which is counted; '' where it may be looked at."""
    if number == MAX_ITEMS:
        return _TOO_MANY_ITEMS
    # An item with more is refused before it is built, so it costs no more than that.
    values = page.values + min(_most_values(text), MAX_VALUES)
    if values > MAX_LIST_VALUES:
        return f"more than {MAX_LIST_VALUES} values"
    page.values = values
    return ""


def _without_items(message: dict[str, Any], member: str) -> Page:
    """A message that is no list, such as an error. Raises NoPage where a list is in it that could not be found."""
    result = message.get("result")
    if isinstance(result, dict) and isinstance(result.get(member), list):
        raise NoPage(f"its {member} cannot be told apart")
    return Page(message)


def _take_apart(page: Page, raw: bytes, span: Span, number: int) -> None:
    text = raw[span[0] : span[1]]
    item = _item(text, span[0])
    if isinstance(item, str):
        _reject(page, item, number, text)
    else:
        _take(page, item, number)


def _item(text: bytes, at: int) -> object:
    """The item; a string says why it cannot be kept. Raises NoPage where it is no JSON: then the page is none."""
    try:
        item = loads(text, max_values=MAX_VALUES, max_object_keys=MAX_VALUES)
    except MessageFault as fault:
        if fault.code == INVALID_REQUEST:  # a limit, judged before anything is built
            return fault.message.replace("The body", "Its definition").replace("the body", "its definition")
        return _why_odd(text, at)
    for place, value in _all_in(item) if may_change(text) or b"e" in text or b"E" in text else ():
        if isinstance(value, Exact):
            return (
                f"Its definition holds the number {digits_of(value):.64}, which clients cannot read, at {_at(place)}."
            )
    return None if isinstance(item, str) else item  # a string among the items is no object, whatever it says


def _why_odd(text: bytes, at: int) -> str:
    """What Python's parser takes and ours does not, with its place. Raises NoPage where neither takes it."""
    try:
        text.decode()
    except UnicodeDecodeError as fault:
        return f"Its definition holds bytes that are no UTF-8, {fault.start} bytes from its beginning."
    for place, value in _all_in(_leniently(text, at)):
        if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
            return f"Its definition holds half of a character (a lone surrogate), at {_at(place)}."
        if isinstance(value, float) and not math.isfinite(value):
            return f"Its definition holds NaN, Infinity or a number that is too large, at {_at(place)}."
    return "Its definition is no JSON."


def _at(place: str) -> str:
    return ascii(place)[1:-1][:128] or "its root"


def _whole(text: bytes) -> object:
    """What stands around the items, with U+FFFD for halves of characters. Raises NoPage."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _leniently(text, 0)


def _leniently(text: bytes, at: int) -> object:
    """The text in Python's parser, which takes NaN and halves of characters. Raises NoPage for no JSON."""
    try:
        return json.loads(text.decode("utf-8", "replace"))
    except json.JSONDecodeError as fault:
        place = at + len(fault.doc[: fault.pos].encode("utf-8", "replace"))
        raise NoPage(f"{fault.msg.removesuffix(' at')} (byte {place})") from None
    except (RecursionError, ValueError):
        raise NoPage("it is nested too deeply, or holds a number of too many digits") from None


def _as_message(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NoPage("it is no JSON object")
    return value


def _all_in(item: object) -> Iterator[tuple[str, object]]:
    """Every value and name in an item, with its place."""
    waiting: list[tuple[str, object]] = [("", item)]
    while waiting:
        place, value = waiting.pop()
        yield place, value
        if isinstance(value, dict):
            for name, inner in value.items():
                yield (f"a name in {place}" if place else "a name"), name
                waiting.append((f"{place}.{name}" if place else name, inner))
        elif isinstance(value, list):
            waiting += [(f"{place}[{number}]", inner) for number, inner in enumerate(value)]


def _name(text: bytes, number: int) -> str:
    """The item's name as reports show it; escaped, since it may be anything."""
    try:
        name = json.loads(text.decode("utf-8", "replace")).get("name")
    except (ValueError, RecursionError, AttributeError):
        found = _NAME.search(text)
        name = json.loads(found[1].decode("utf-8", "replace"), strict=False) if found else None
    return ascii(name)[1:-1][:80] if isinstance(name, str) and name else _numbered(number)


def _numbered(number: int) -> str:
    return f"number {number + 1}"
