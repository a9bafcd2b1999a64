"""Whether clients can compile an `outputSchema`: one that they cannot compile costs them a gateway's whole list.

Called by `tool_definitions.py`, which leaves such a schema out and says so. The TypeScript SDK compiles every output
schema when it lists (with ajv: as draft-07 in its version 1, by the declared dialect in version 2), the Python SDK
checks one against the metaschema before the first result. What is not certain to pass everywhere is named here.

Nothing is compiled, and no function here calls itself: a hostile schema costs no more than its size. Input schemas
are not judged like this: no SDK compiles them.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from control.registry.schema_keywords import DIALECTS, Dialect, is_known, schemas_inside, why_wrong

MAX_SCHEMAS: Final = 10_000
"""In one document; the largest that servers write have some hundreds."""
MAX_PATTERNS: Final = 65_536
"""Characters of all patterns in one document."""
MAX_UNFOLDED: Final = 10_000
"""Schemas that a client applies to one value when it follows all references in place; a dozen lines can make it
a million."""
_IN_PLACE: Final = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"}
)
_PLAIN_ID: Final = re.compile(r"(?:https?://|urn:)[A-Za-z0-9._~:/?&=+@,;!$()*-]{1,480}#?")
_POINTER: Final = re.compile(r"#(?:/(?:[A-Za-z0-9._~$!&'()*+,;=:@-]|%(?!2[Ff])[0-9A-Fa-f]{2})+)*")
# Whatever names a place: ajv looks for it in everything that is an object, also under keywords that nobody knows.
_NAMING: Final = ("$id", "$anchor", "$dynamicAnchor")


def why_not_compiled(schema: Mapping[str, Any]) -> str | None:
    """Why some client cannot compile this schema, as a sentence that names the place; None where all can."""
    declared = schema.get("$schema")
    dialect = "2020-12" if declared is None else DIALECTS.get(str(declared).removesuffix("#"))
    if dialect is None:
        return f"#/$schema should be 2020-12, 2019-09, draft-07 or draft-06, not {declared!a:.128}."
    if "$id" in schema and not (isinstance(schema["$id"], str) and _PLAIN_ID.fullmatch(schema["$id"])):
        return "#/$id should be an absolute http, https or urn URI without a fragment."
    return _Walk(without_id(schema), dialect).problem()


def without_id(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema without a name of its own: clients keep schemas by it, and would mix up those of two tools.

    Nothing else changes: `why_not_compiled` takes only references that do not depend on the name.
    """
    return {key: value for key, value in schema.items() if key != "$id"}


class _Walk:
    """One way through all schemas of a document."""

    def __init__(self, root: dict[str, Any], dialect: Dialect) -> None:
        self._root, self._dialect = root, dialect
        self._waiting: list[tuple[dict[str, Any], str]] = [(root, "#")]
        self._in_place: dict[int, list[int]] = {}
        """Which schemas are applied to the same value as this one, by identity."""
        self._patterns = 0

    def problem(self) -> str | None:
        """The first that is found, or None."""
        while self._waiting:
            schema, place = self._waiting.pop()
            if id(schema) in self._in_place:
                continue
            self._in_place[id(schema)] = []
            if len(self._in_place) > MAX_SCHEMAS:
                return f"It holds more than {MAX_SCHEMAS} schemas."
            reason = self._judged(schema, place)
            if reason is not None:
                return reason
        return _why_too_much(self._in_place)

    def _judged(self, schema: dict[str, Any], place: str) -> str | None:
        self._patterns += _pattern_characters(schema)
        if self._patterns > MAX_PATTERNS:
            return f"Its patterns have more than {MAX_PATTERNS} characters."
        reason = why_wrong(schema, self._dialect)
        if reason is not None:
            return f"{_shown(place)}/{reason}."
        for keyword, value in schema.items():
            if not is_known(keyword) and _names_something(value):
                return f"{_shown(f'{place}/{keyword}')} should not hold $id or $anchor."
        for keyword, way, inner in schemas_inside(schema):
            there = "/".join((place, keyword, *way))
            if not isinstance(inner, dict | bool):
                return f"{_shown(there)} should be a schema."
            self._goes_on(schema, inner, there, in_place=keyword in _IN_PLACE)
        if "$ref" in schema:
            found = self._referred(schema["$ref"])
            if found is None:
                said = f"{schema['$ref']!a:.128}"
                return f"{_shown(place)}/$ref should be of the form #/... and lead to a schema, not {said}."
            self._goes_on(schema, found, schema["$ref"], in_place=True)
        return None

    def _goes_on(self, outer: dict[str, Any], inner: dict[str, Any] | bool, place: str, *, in_place: bool) -> None:
        if isinstance(inner, bool):
            return
        self._waiting.append((inner, place))
        if in_place:
            self._in_place[id(outer)].append(id(inner))

    def _referred(self, reference: str) -> dict[str, Any] | bool | None:
        """The schema to which a reference leads; None where it leads nowhere, or out of the document."""
        if _POINTER.fullmatch(reference) is None:
            return None
        found: object = self._root
        for part in reference.split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdecimal() and str(int(name)) == name and int(name) < len(found):
                found = found[int(name)]
            else:
                return None
        return found if isinstance(found, dict | bool) else None


def _why_too_much(in_place: Mapping[int, list[int]]) -> str | None:
    """What is wrong where schemas are applied to one value: they come back to themselves, or are far too many."""
    sizes: dict[int, int] = {}
    for start in in_place:
        waiting, on_the_way = [start], set[int]()
        while waiting:
            one = waiting[-1]
            if one in on_the_way:
                waiting.pop()
                on_the_way.discard(one)
                sizes[one] = 1 + sum(sizes[inner] for inner in in_place[one])
                if sizes[one] > MAX_UNFOLDED:
                    return f"Its references make more than {MAX_UNFOLDED} schemas for one value."
            elif one in sizes:
                waiting.pop()
            else:
                on_the_way.add(one)
                if any(inner in on_the_way for inner in in_place[one]):
                    return "A reference in it leads back to itself without going into a property or an item."
                waiting += [inner for inner in in_place[one] if inner not in sizes]
    return None


def _pattern_characters(schema: Mapping[str, Any]) -> int:
    pattern, patterns = schema.get("pattern"), schema.get("patternProperties")
    names = sum(map(len, patterns)) if isinstance(patterns, dict) else 0
    return names + (len(pattern) if isinstance(pattern, str) else 0)


def _names_something(value: object) -> bool:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if any(name in one for name in _NAMING):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def _shown(place: str) -> str:
    """A place in a sentence: escaped, since names in it are the server's, and not too long."""
    shown = ascii(place)[1:-1]
    return shown if len(shown) <= 128 else shown[:125] + "..."
