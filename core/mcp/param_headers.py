"""`x-mcp-header`: arguments that a tool wants mirrored in `Mcp-Param-*` headers (MCP 2026-07-28, tools).

Discovery calls `param_headers` once per tool and stores the map; a tool with a wrong annotation is dropped. Per
call the proxy writes the headers for a modern upstream (`param_header_values`) and checks those that a modern caller
sent (`first_wrong_param_header`). `$ref` is never followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from core.egress.header_grammar import NAME
from core.mcp.exact_numbers import Exact, whole_number
from core.mcp.header_values import SafeHeaderValue, decode_sentinel, encode_sentinel

ANNOTATION = "x-mcp-header"
HEADER_PREFIX = "Mcp-Param-"

ParamHeaders = tuple[tuple[str, tuple[str, ...]], ...]
"""Pairs of an annotation's token (`Mcp-Param-{token}`) and the property path of its argument, in schema order."""

_TOKEN = re.compile(NAME)
_TYPES = ("string", "integer", "boolean")
_DECIMAL = re.compile(r"(-?[0-9]{1,309})(?:\.0{1,20})?")  # as many digits as a double has before its point
_MAX_TOKEN = 128

# JSON Schema 2020-12: where else a schema holds schemas. Values of other keywords, such as `default` or `enum`,
# are data, and what looks like an annotation inside them is none.
_ONE_SCHEMA = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_SCHEMA_LISTS = ("allOf", "anyOf", "items", "oneOf", "prefixItems")
_SCHEMA_MAPS = ("$defs", "definitions", "dependentSchemas", "patternProperties")


class InvalidParamHeader(ValueError):
    """A tool's `x-mcp-header` breaks the rules; the text says where and how."""


def param_headers(input_schema: object) -> ParamHeaders:
    """Collect the annotations of a tool's input schema.

    Raises `InvalidParamHeader` unless each is an RFC 9110 token, unique without regard to case, on a
    property of type string, integer or boolean that a chain of `properties` alone reaches from the root.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for path, schema in _positions(input_schema):
        if ANNOTATION not in schema:
            continue
        if not path:
            raise InvalidParamHeader(
                f"{ANNOTATION} may stand only on properties reached through `properties` from the root."
            )
        token = _checked_token(schema, ".".join(path))
        other = found.setdefault(token.lower(), (token, path))
        if other[1] != path:
            raise InvalidParamHeader(f"{ANNOTATION} {token!r} is used for more than one property.")
    return tuple(found.values())


def param_header_values(headers: ParamHeaders, arguments: Mapping[str, object]) -> dict[str, SafeHeaderValue]:
    """The `Mcp-Param-*` headers to send with `arguments`, values encoded.

    An argument that is absent, null or of a kind that has no header form (its schema forbids it) gives no header.
    """
    values: dict[str, SafeHeaderValue] = {}
    for token, path in headers:
        text = _as_text(_argument(arguments, path))
        if text is not None:
            values[HEADER_PREFIX + token] = encode_sentinel(text)
    return values


def first_wrong_param_header(
    headers: ParamHeaders, arguments: Mapping[str, object], received: Mapping[str, str]
) -> str | None:
    """The name of the first header that does not mirror its argument, or None (then answer -32020).

    `received` has lower-case names. Header and argument must be present together and equal once decoded;
    whole numbers are equal as numbers, so `42` mirrors `42.0`.
    """
    for token, path in headers:
        name = HEADER_PREFIX + token
        raw, value = received.get(name.lower()), _argument(arguments, path)
        # What has no header form, such as a list, is not sent; the schema refuses it later.
        if raw is None and _as_text(value) is None:
            continue
        if raw is None or not _mirrors(raw.strip(" \t"), value):
            return name
    return None


def _positions(root: object) -> Iterator[tuple[tuple[str, ...] | None, dict[str, object]]]:
    """Every schema within `root`, with its chain of properties; None for what another keyword led to.

    An explicit stack, so that a deep schema exhausts nothing; children are pushed last to first to keep their order.
    """
    stack: list[tuple[tuple[str, ...] | None, object]] = [((), root)]
    while stack:
        path, schema = stack.pop()
        if not isinstance(schema, dict):
            continue
        yield path, schema
        stack.extend((None, child) for child in _schemas_off_the_chain(schema))
        properties = schema.get("properties")
        if isinstance(properties, dict):
            stack.extend(
                (None if path is None else (*path, name), child) for name, child in reversed(properties.items())
            )


def _schemas_off_the_chain(schema: dict[str, object]) -> Iterator[object]:
    for keyword in _ONE_SCHEMA:
        if keyword in schema:
            yield schema[keyword]
    for keyword in _SCHEMA_LISTS:
        several = schema.get(keyword)
        if isinstance(several, list):
            yield from several
    for keyword in _SCHEMA_MAPS:
        named = schema.get(keyword)
        if isinstance(named, dict):
            yield from named.values()


def _checked_token(schema: dict[str, object], where: str) -> str:
    token = schema[ANNOTATION]
    if not isinstance(token, str) or len(token) > _MAX_TOKEN or _TOKEN.fullmatch(token) is None:
        raise InvalidParamHeader(f"{ANNOTATION} of {where!r} must be an HTTP token of 1 to {_MAX_TOKEN} characters.")
    if schema.get("type") not in _TYPES:
        raise InvalidParamHeader(f"{ANNOTATION} of {where!r} needs the type string, integer or boolean.")
    return token


def _argument(arguments: Mapping[str, object], path: tuple[str, ...]) -> object:
    node: object = arguments
    for name in path:
        if not isinstance(node, Mapping):
            return None
        node = node.get(name)
    return node


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return whole_number(value) if isinstance(value, Exact) else None


def _mirrors(raw: str, value: object) -> bool:
    try:
        text = decode_sentinel(raw)
    except ValueError:
        return False
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = _DECIMAL.fullmatch(text)
        return number is not None and int(number.group(1)) == value
    if isinstance(value, Exact):
        return text.partition(".")[0] == whole_number(value) and whole_number(Exact(text)) is not None
    return _as_text(value) == text
