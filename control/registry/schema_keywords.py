"""The keywords of JSON Schema, and which values clients' compilers take for each.

Called by `output_schemas.py`, which goes from schema to schema and says what is done about a wrong one. A value must
suit the metaschemas (the Python SDK checks against them) and ajv (the TypeScript SDK compiles with it): of two rules
the stricter stands here. A keyword that nobody knows is an annotation and may hold anything.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

from control.registry.client_patterns import why_not_everywhere

Dialect = Literal["2020-12", "2019-09", "draft-07"]
_NAMED: Final[Mapping[str, Dialect]] = {
    "draft/2020-12": "2020-12", "draft/2019-09": "2019-09", "draft-07": "draft-07", "draft-06": "draft-07",
}  # fmt: skip
DIALECTS: Final[Mapping[str, Dialect]] = {
    f"{scheme}://json-schema.org/{name}/schema": dialect
    for scheme in ("http", "https")
    for name, dialect in _NAMED.items()
}
"""By `$schema` without a `#` at its end. Draft-06 is read as draft-07, which only adds to it."""
TYPES: Final = ("string", "number", "integer", "boolean", "object", "array", "null")

_ONE: Final = frozenset({
    "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
    "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
})  # fmt: skip
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_SCHEMAS: Final = _ONE | _LISTS | _MAPS | {"dependencies"}
_REFUSED: Final = frozenset({
    "$anchor", "$async", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$vocabulary",
    "formatExclusiveMaximum", "formatExclusiveMinimum", "formatMaximum", "formatMinimum", "id",
})  # fmt: skip
"""Clients differ about these, or keep schemas by them across tools, or cannot compile them at all."""
_FORMAT: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_above_zero(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_count(value: object) -> bool:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool) and value >= 0  # type: ignore[operator]  # `whole` says number


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value) and len(set(value)) == len(value)


def _are_types(value: object) -> bool:
    if isinstance(value, str):
        return value in TYPES
    return isinstance(value, list) and value != [] and _are_names(value) and all(one in TYPES for one in value)


_Rule = tuple[str, Callable[[object], bool]]
_NUMBER: Final[_Rule] = ("a number", _is_number)
_COUNT: Final[_Rule] = ("a whole number that is not negative", _is_count)
_TEXT: Final[_Rule] = ("a string", lambda value: isinstance(value, str))
_BOOLEAN: Final[_Rule] = ("true or false", lambda value: isinstance(value, bool))
_LIST: Final[_Rule] = ("a list", lambda value: isinstance(value, list))
_RULES: Final[Mapping[str, _Rule]] = {
    "type": (f"one of {', '.join(TYPES)}, or a list of some", _are_types),
    "enum": ("a list of at least one value", lambda value: isinstance(value, list) and value != []),
    "required": ("a list of different strings", _are_names),
    "dependentRequired": (
        "an object whose values are lists of different strings",
        lambda value: isinstance(value, dict) and all(map(_are_names, value.values())),
    ),
    "multipleOf": ("a number above 0", _is_above_zero),
    "format": ("the name of a format", lambda value: isinstance(value, str) and _FORMAT.fullmatch(value) is not None),
    **dict.fromkeys(("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"), _NUMBER),
    **dict.fromkeys(
        ("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties", "maxContains",
         "minContains"),
        _COUNT,
    ),
    **dict.fromkeys(
        ("pattern", "title", "description", "$comment", "$schema", "$ref", "contentEncoding", "contentMediaType"),
        _TEXT,
    ),
    **dict.fromkeys(("uniqueItems", "nullable", "readOnly", "writeOnly", "deprecated"), _BOOLEAN),
    "examples": _LIST,
}  # fmt: skip


def why_wrong(schema: Mapping[str, Any], dialect: Dialect) -> str | None:
    """What some client's compiler would refuse in this one schema (not in those inside it), or None.

    The answer begins with the keyword: "type should be ...".
    """
    for keyword, value in schema.items():
        reason = _why(keyword, value, dialect)
        if reason is not None:
            return f"{keyword} {reason}"
    # ajv refuses both: OpenAPI writes the first.
    if "nullable" in schema and "type" not in schema:
        return "nullable should stand beside type"
    if schema.get("nullable") is False and "null" in _listed(schema.get("type")):
        return "nullable should not be false beside type null"
    return None


def schemas_inside(schema: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], object]]:
    """Everything that stands where a schema stands, with the keyword and the rest of the way to it."""
    for keyword, value in schema.items():
        if keyword in _ONE and not isinstance(value, list):
            yield keyword, (), value
        elif keyword in _LISTS or keyword in _ONE:
            yield from ((keyword, (str(number),), one) for number, one in enumerate(value))
        elif keyword in _MAPS:
            yield from ((keyword, (name,), one) for name, one in value.items())
        elif keyword == "dependencies":
            yield from ((keyword, (name,), one) for name, one in value.items() if not isinstance(one, list))


def is_known(keyword: str) -> bool:
    """Whether the keyword means anything to clients' compilers, so that its value has been judged."""
    return keyword in _SCHEMAS or keyword in _RULES or keyword in {"const", "default"}


def _why(keyword: str, value: object, dialect: Dialect) -> str | None:
    if keyword in _REFUSED:
        return "is not taken by all clients"
    if keyword in _RULES:
        words, suits = _RULES[keyword]
        if not suits(value):
            return f"should be {words}"
    if keyword == "pattern":
        return why_not_everywhere(str(value))
    if keyword in _SCHEMAS:
        return _why_no_schemas(keyword, value, dialect)
    return None


def _why_no_schemas(keyword: str, value: object, dialect: Dialect) -> str | None:
    """What is wrong with how schemas stand under this keyword."""
    if keyword in _ONE:
        if keyword == "items" and isinstance(value, list) and dialect != "2020-12":
            return None
        return None if isinstance(value, dict | bool) else "should be a schema"
    if keyword in _LISTS:
        return None if isinstance(value, list) and value else "should be a list of at least one schema"
    if not isinstance(value, dict):
        return "should be an object whose values are schemas"
    if keyword == "dependencies":
        lists = [one for one in value.values() if isinstance(one, list)]
        return None if all(map(_are_names, lists)) else "should hold schemas or lists of different strings"
    if keyword == "patternProperties":
        for pattern in value:
            if (reason := why_not_everywhere(pattern)) is not None:
                return f"has a name that {reason}"
    return None


def _listed(types: object) -> list[object]:
    return types if isinstance(types, list) else [types]
