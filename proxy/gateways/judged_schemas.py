"""Whether arguments are checked here against the schema that a server wrote, and what is wrong with them.

A schema can be written so that checking takes for ever: parts that refer to each other again and again, patterns,
lists that are compared item by item. The check runs between the calls of this worker and cannot be stopped, so what
may cost much is not begun: the server judges then, as it does for a call of the tool by its own name. Called by
`proxy/stages/run_tool.py`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import jsonschema_rs

MOST_RULES: Final = 3_000
"""Values of a schema, each part counted as often as it is referred to."""
MOST_PATTERNS: Final = 20
MOST_VALUES: Final = 1_000
"""Values in the arguments."""
MOST_TEXT: Final = 64 << 10
"""Characters of texts in the arguments."""
MOST_CHECKS: Final = 300_000
"""Values of the schema by values of the arguments."""
_DEEPEST: Final = 64
_LARGEST_PATTERN: Final = 1 << 16
"""Bytes of a pattern once it is compiled; patterns are of the kind that is matched in linear time."""
_LEADS_ELSEWHERE: Final = frozenset({"$id", "id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef"})
_AGAIN: Final = frozenset({"unevaluatedProperties", "unevaluatedItems"})


class _TooMuch(Exception):
    """It is not checked here."""


def why_wrong(schema: dict[str, Any], arguments: object) -> str:
    """What is wrong with the arguments, and where; empty for nothing, and where it is not judged here.

    The words repeat nothing of the arguments but names, so that a record may hold them.
    """
    try:
        values = _values_in(arguments)
        if values * _Rules(schema).count() > MOST_CHECKS:
            return ""
        options = jsonschema_rs.RegexOptions(size_limit=_LARGEST_PATTERN)
        validator = jsonschema_rs.validator_for(schema, offline=True, pattern_options=options)
    except (_TooMuch, ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return ""  # what costs much, or cannot be compiled, decides nothing
    try:
        validator.validate(arguments)
    except jsonschema_rs.ValidationError as error:
        place = "/".join(str(part) for part in error.instance_path) or "the whole"
        return f"{place} ({error.schema_path[-1] if error.schema_path else 'schema'})"[:200]
    except ValueError:
        return ""
    return ""


def _values_in(arguments: object) -> int:
    count = text = 0
    left = [arguments]
    while left:
        one = left.pop()
        count += 1
        if isinstance(one, dict):
            left += one.values()
            text += sum(map(len, one))
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str):
            text += len(one)
        if count + len(left) > MOST_VALUES or text > MOST_TEXT:
            raise _TooMuch
    return count


class _Rules:
    """Counts the values of a schema as its checker meets them."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._known: dict[str, int] = {}
        self._within: set[str] = set()
        self._patterns = 0

    def count(self) -> int:
        """How many. Raises _TooMuch for too many, and for a schema of which that cannot be told."""
        return self._of(self._schema, 0)

    def _of(self, part: object, deep: int) -> int:
        if deep > _DEEPEST:
            raise _TooMuch
        count = 1
        if isinstance(part, Mapping):
            self._look_at(part, deep)
            reference = part.get("$ref")
            if isinstance(reference, str):
                count += self._referred(reference, deep)
            inside: Iterable[object] = part.values()
        else:
            inside = part if isinstance(part, list) else ()
        for one in inside:
            count += self._of(one, deep + 1)
            if count > MOST_RULES:
                raise _TooMuch
        return count

    def _look_at(self, part: Mapping[str, Any], deep: int) -> None:
        if part.keys() & _AGAIN or (deep and any(isinstance(part.get(name), str) for name in _LEADS_ELSEWHERE)):
            raise _TooMuch
        of_names = part.get("patternProperties")
        self._patterns += isinstance(part.get("pattern"), str) + (
            len(of_names) if isinstance(of_names, Mapping) else 0
        )
        if self._patterns > MOST_PATTERNS:
            raise _TooMuch

    def _referred(self, reference: str, deep: int) -> int:
        if reference in self._within or not reference.startswith("#/"):
            raise _TooMuch  # it goes on as deep as the arguments do, or leads elsewhere
        if reference not in self._known:
            self._within.add(reference)
            self._known[reference] = self._of(self._found(reference), deep + 1)
            self._within.discard(reference)
        if self._known[reference] > MOST_RULES:
            raise _TooMuch
        return self._known[reference]

    def _found(self, reference: str) -> object:
        part: object = self._schema
        for name in reference[2:].split("/"):
            part = part.get(name) if isinstance(part, Mapping) else None
        if part is None or "~" in reference or "%" in reference:
            raise _TooMuch
        return part
