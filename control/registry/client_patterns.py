r"""Which regular expressions every client can compile: those that JavaScript and Python read in the same way.

Called by `output_schemas.py`: the TypeScript SDK compiles each `pattern` with the flag `u`, which refuses much that
other languages allow (`\Z`, `\_`, `(?i)`, `[\w-.]`, a lone `{`), and Python refuses `\p{L}` and `(?<name>...)`. What
is not certain to pass in both is refused here. One pass over the text, nothing is compiled: a hostile pattern costs
no more than its length. Leaves out how long a client takes to match.
"""

import re
from typing import Final

MAX_PATTERN: Final = 4_096
MAX_REPEAT: Final = 65_535

_GROUP = re.compile(r"\((?:\?(?::|=|!))?")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{([0-9]{1,5})(?:(,)([0-9]{1,5})?)?\})\??")
# Escapes that mean the same in both; `u` lets only these and the marks of the syntax stand behind a backslash.
_ESCAPE = re.compile(r"\\(?:[fnrtv]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|0(?![0-9])|[\^$\\.*+?()\[\]{}|/])")
_CLASSES = re.compile(r"\\[dDwWsS]")
_BACKWARD = re.compile(r"\\([1-9][0-9]?)(?![0-9])")
_SYNTAX = frozenset("^$\\.*+?()[]{}|")


def why_not_everywhere(pattern: str) -> str | None:
    """Why some client cannot compile this pattern, as the end of a sentence; None where all can."""
    if len(pattern) > MAX_PATTERN:
        return f"has {len(pattern)} characters; at most {MAX_PATTERN} are allowed"
    reader = _Reader(pattern)
    if reader.reads():
        return None
    return f"is no regular expression of JavaScript and of Python at character {reader.at + 1}"


class _Reader:
    """Goes over one pattern; `at` is where it stopped."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self.at = 0
        self._open: list[bool] = []
        """One for each group that is open: whether it may be repeated."""
        self._closed = 0

    def reads(self) -> bool:
        """Whether the whole pattern could be read."""
        text = self._text
        while self.at < len(text):
            repeatable = self._one()
            if repeatable is None or (self._quantified() and not repeatable):
                return False
        return not self._open

    def _one(self) -> bool | None:
        """Read one thing; whether it may be repeated, None where it cannot be read."""
        char = self._text[self.at]
        if char == "(":
            return self._opened()
        if char == ")":
            return self._shut()
        if char == "[":
            return True if self._set() else None
        if char == "\\":
            return self._escaped()
        if char in "^$|":
            self.at += 1
            return False
        if char in _SYNTAX and char != ".":
            return None
        self.at += 1
        return True

    def _opened(self) -> bool | None:
        found = _GROUP.match(self._text, self.at)
        if found is None or self._text[found.end() : found.end() + 1] == "?":
            return None
        self._open.append(found.group() not in {"(?=", "(?!"})
        self.at = found.end()
        return False

    def _shut(self) -> bool | None:
        if not self._open:
            return None
        self.at += 1
        self._closed += 1
        return self._open.pop()

    def _escaped(self) -> bool | None:
        text, at = self._text, self.at
        if text[at + 1 : at + 2] in {"b", "B"}:
            self.at += 2
            return False
        backward = _BACKWARD.match(text, at)
        if backward is not None:
            return self._to(backward.end()) if self._captures(int(backward.group(1))) else None
        found = _ESCAPE.match(text, at) or _CLASSES.match(text, at)
        return None if found is None else self._to(found.end())

    def _captures(self, number: int) -> bool:
        """Whether group `number` has been closed before this place; only where no other kind of group is in use."""
        return "(?" not in self._text and not self._open and number <= self._closed

    def _to(self, end: int) -> bool:
        self.at = end
        return True

    def _quantified(self) -> bool:
        """Read what says how often; whether there was any. A second one behind it stays for `_one`, which refuses."""
        found = _QUANTIFIER.match(self._text, self.at)
        if found is None:
            return False
        fewest, comma, most = found.groups()
        if fewest is not None:
            least = int(fewest)
            greatest = int(most) if most else least
            if max(least, greatest) > MAX_REPEAT or (comma and most and greatest < least):
                return False  # stays at the brace, which is refused
        self.at = found.end()
        return True

    def _set(self) -> bool:
        """Read a set of characters, `[...]`."""
        text, at = self._text, self.at + 1
        if text[at : at + 1] == "^":
            at += 1
        if text[at : at + 1] in {"]", ""}:
            return False  # empty: JavaScript takes it, Python does not
        before: int | None = None
        """The character that may begin a range; -1 for a class such as `\\d`, which may not."""
        while at < len(text):
            if text[at] == "]":
                self.at = at + 1
                return True
            if text[at] == "-" and before is not None and text[at + 1 : at + 2] not in {"]", ""}:
                found = _member(text, at + 1)
                if found is None or before < 0 or found[0] < before:
                    self.at = at
                    return False
                at, before = found[1], None
                continue
            found = _member(text, at)
            if found is None:
                self.at = at
                return False
            before, at = found
        return False


def _member(text: str, at: int) -> tuple[int, int] | None:
    """The code point of one member of a set (-1 for a class) and where it ends."""
    if text[at] == "[":
        return None  # both take it, but what follows is mostly meant as a set of another language
    if text[at] != "\\":
        return ord(text[at]), at + 1
    if text[at + 1 : at + 2] == "-":
        return ord("-"), at + 2
    if (found := _CLASSES.match(text, at)) is not None:
        return -1, found.end()
    if (found := _ESCAPE.match(text, at)) is None:
        return None
    return _code(found.group()), found.end()


def _code(escape: str) -> int:
    kind, digits = escape[1], escape[2:]
    if digits:
        return int(digits, 16)
    named = {"f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "0": 0}
    return named.get(kind, ord(kind))
