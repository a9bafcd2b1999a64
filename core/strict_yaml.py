"""A small part of YAML, read strictly: what JSON can say, and nothing that two readers could take differently.

Files that people write are read with it, and what commands show as YAML is written with it, so that each can be read
by the other. Reading stops at the events of PyYAML's parser; nothing here could make an object of a tag. Refused are
tags, anchors and aliases, directives, a second document, a name that is given twice or is no text, and plain words
that YAML 1.1 and the core schema of YAML 1.2 (section 10.3.2) read as different values: `yes`, `010`, `1:30`. A date,
with or without a time, is text. Pure; called by the command line for files and what it shows, and by control for
what a person says over a server's Deployment.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from yaml import SafeDumper, dump
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from yaml.nodes import ScalarNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

MOST_BYTES: Final = 64 << 10
MOST_LEVELS: Final = 64
"""Of lists and maps in each other."""
_LONGEST_NUMBER: Final = 300
"""Characters. Python reads and writes no whole number of more than 4,300 digits."""
_LONGEST_TOLD: Final = 40
_TEXT: Final = "tag:yaml.org,2002:str"

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

Path: TypeAlias = tuple[str | int, ...]
"""The names and numbers on the way to a value."""

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_YES_OR_NO: Final = re.compile(r"y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
_DECIMAL: Final = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
"""In YAML 1.1 an exponent has a sign, and stands behind a point."""
_DOUBTFUL: Final = re.compile(
    r"""[-+]?(?:
        (?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?  # 010, 1_000, 1e3
        |0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+
        |[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?                       # 1:30 is 90
    )""",
    re.VERBOSE,
)
_NO_NUMBER: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MARKS: Final = frozenset({"<<", "="})
_BREAKS_OF_OLD: Final = re.compile("[\x85\u2028\u2029]")
"""They end a line in YAML 1.1, and are letters in 1.2."""


class NotStrict(Exception):
    """Text that is not read; the sentence has the line, counted from 1, and what to write instead."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why if line is None else f"line {line}: {why}")
        self.why, self.line = why, line


def read_yaml(text: str, lines: dict[Path, int] | None = None, most: int = MOST_BYTES) -> Value:
    """The one document in the text; raises NotStrict. `lines` is filled with where each value stands: where its name
    does in a map, or where it begins in a list. `most`: names and values; one more, and nothing further is read.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise NotStrict(f"is larger than {MOST_BYTES >> 10} KiB, which is the most for YAML; write it as JSON")
    if (found := _BREAKS_OF_OLD.search(text)) is not None:
        raise NotStrict(f"write {json.dumps(found[0])} in double quotes in its place", _line_at(text, found.start()))
    events = _at_most(most, _events(text))
    for event in events:
        if isinstance(event, StreamEndEvent):
            raise NotStrict("holds nothing")
        if isinstance(event, DocumentStartEvent):
            if event.version or event.tags:
                raise NotStrict("begin without %YAML and %TAG", _line(event))
        elif not isinstance(event, StreamStartEvent):
            value = _value(event, events, (), {} if lines is None else lines)
            _refuse_more(events)
            return value
    raise AssertionError("a stream ends with its event")


def write_yaml(value: Any, *, ascii_only: bool = False) -> str:
    """What JSON can say, as YAML that `read_yaml` and readers of either version read as it is."""
    return dump(value, Dumper=_Writer, sort_keys=False, allow_unicode=not ascii_only, width=math.inf).rstrip("\n")


def plain_value(text: str) -> Value:
    """What a word without quotes means; raises NotStrict, without a line, where versions of YAML do not agree."""
    if text in _WORDS:
        return _WORDS[text]
    if _YES_OR_NO.fullmatch(text):
        meant = "true" if text.lower() in {"y", "yes", "on"} else "false"
        raise NotStrict(f"{text} may be a word or {meant}; write {meant}, or '{text}' in quotes")
    if text in _MARKS:
        raise NotStrict(f"{text} is a mark of older YAML; write '{text}' in quotes, or each thing in its place")
    if _NO_NUMBER.fullmatch(text):
        raise NotStrict(f"{text} is no number that JSON has; write '{text}' in quotes for the text")
    if _DOUBTFUL.fullmatch(text):
        return _number(text)
    return text


def _number(text: str) -> int | float:
    if len(text) > _LONGEST_NUMBER:
        raise NotStrict(f"a number of over {_LONGEST_NUMBER} digits; write it in quotes")
    if _WHOLE.fullmatch(text):
        return int(text)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    if _DECIMAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    raise NotStrict(
        f"{text} is another number, or text, to other readers; write '{text}' in quotes, or a number as 12 or 1.5"
    )


class _Events(Reader, Scanner, Parser):
    """PyYAML's parser up to events: it has neither a composer nor a constructor."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


class _Writer(SafeDumper):
    """PyYAML's writer, with quotes around each text that would be anything else without them."""

    def ignore_aliases(self, data: Any) -> bool:
        """Everything is written out in each place."""
        return True

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> ScalarNode:
        """Called for every text, number, truth value and null."""
        return super().represent_scalar(tag, value, "'" if tag == _TEXT and _needs_quotes(value) else style)


def _needs_quotes(text: str) -> bool:
    try:
        return not isinstance(plain_value(text), str)
    except NotStrict:
        return True


def _events(text: str) -> Iterator[Event]:
    """Of the whole text; raises NotStrict for what is no YAML at all."""
    parser = None
    try:
        parser = _Events(text)
        while parser.check_event():
            yield parser.get_event()  # type: ignore[no-untyped-call] # its stub has no types
    except ReaderError as wrong:
        raise NotStrict("has a character that YAML has not", _line_at(text, wrong.position)) from None
    except MarkedYAMLError as wrong:
        raise NotStrict(_words_of(wrong), _line_of(wrong.problem_mark)) from None
    except (ValueError, OverflowError):  # an escape beyond Unicode, a version of 5,000 digits
        raise NotStrict("is not YAML: a number is too large", parser.line + 1 if parser else None) from None


def _at_most(most: int, events: Iterator[Event]) -> Iterator[Event]:
    """These events, up to the first name or value that is too much."""
    number = 0
    for event in events:
        number += isinstance(event, NodeEvent)
        if number > most:
            raise NotStrict(f"has more than {most:,} names and values", _line(event))
        yield event


def _value(event: Event, events: Iterator[Event], path: Path, lines: dict[Path, int]) -> Value:
    """The value that begins with this event; takes the rest of its events."""
    _refuse_marked(event)
    if isinstance(event, ScalarEvent):
        return _scalar(event)
    if len(path) >= MOST_LEVELS:
        raise NotStrict(f"has more than {MOST_LEVELS} levels", _line(event))
    if isinstance(event, MappingStartEvent):
        return _map(events, path, lines)
    items: list[Value] = []
    while not isinstance(inner := next(events), SequenceEndEvent):
        at = (*path, len(items))
        lines[at] = _line(inner) or 0
        items.append(_value(inner, events, at, lines))
    return items


def _map(events: Iterator[Event], path: Path, lines: dict[Path, int]) -> dict[str, Value]:
    made: dict[str, Value] = {}
    while not isinstance(event := next(events), MappingEndEvent):
        _refuse_marked(event)
        key = _name(event)
        at = (*path, key)
        if key in made:
            raise NotStrict(f"{_told(key)} stands in line {lines[at]} too; leave one of the two", _line(event))
        lines[at] = _line(event) or 0
        made[key] = _value(next(events), events, at, lines)
    return made


def _name(event: Event) -> str:
    if not isinstance(event, ScalarEvent):
        raise NotStrict(
            "a list or a map cannot be a name; for text with brackets or braces write quotes", _line(event)
        )
    text: str = event.value
    if event.style is None and text not in _MARKS and _needs_quotes(text):
        raise NotStrict(f"{_told(text)} cannot be a name unless it is in quotes", _line(event))
    _scalar(event)
    return text


def _scalar(event: ScalarEvent) -> Value:
    if event.style is not None:
        return event.value
    try:
        return plain_value(event.value)
    except NotStrict as why:
        raise NotStrict(str(why), _line(event)) from None


def _refuse_marked(event: Event) -> None:
    if isinstance(event, AliasEvent):
        raise NotStrict(f"*{event.anchor} stands for something else; write it out here", _line(event))
    if isinstance(event, NodeEvent) and event.anchor is not None:
        raise NotStrict(f"&{event.anchor} is a name for later; write the value out in each place", _line(event))
    if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
        raise NotStrict(f"{_told(event.tag)} is a tag; leave it out, and put text in quotes", _line(event))


def _refuse_more(events: Iterator[Event]) -> None:
    for event in events:
        if isinstance(event, DocumentStartEvent):
            raise NotStrict("begins a second document; give each in a file of its own", _line(event))


def _words_of(wrong: MarkedYAMLError) -> str:
    """What PyYAML says, with the cure of what happens most."""
    if "'\\t'" in (problem := wrong.problem or "it cannot be read"):
        return "is not YAML: indent with blanks, not with tabs"
    return "is not YAML: " + ", ".join(part for part in (wrong.context, problem) if part)


def _told(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_TOLD else text[: _LONGEST_TOLD - 1] + "…")


def _line(event: Event) -> int | None:
    return _line_of(event.start_mark)


def _line_of(mark: Any) -> int | None:
    return None if mark is None else mark.line + 1


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
