"""Whether a tool has the shape that every client asks for: one that has not costs them a gateway's whole list.

Called by `tool_definitions.py`, which rejects such a tool. The rules are those of both official SDKs in all their
revisions, of two the stricter: the TypeScript SDK reads a list with one schema and refuses it whole. What a client
compiles of a schema is another question (`output_schemas.py`), and so is what is only shown (`definition_extras.py`).
"""

from collections.abc import Mapping
from typing import Final

_KINDS: Final = ((bool, "true or false"), (str, "a string"), (int | float, "a number"), (list, "a list"))


def why_no_tool(given: Mapping[str, object]) -> str | None:
    """What is wrong with the schemas of this tool, as a sentence that names the field and what it should be."""
    schema = given.get("inputSchema")
    if not isinstance(schema, dict):
        return f"Its inputSchema should be a JSON Schema of type object, not {_kind(schema)}."
    if schema.get("type") != "object":
        return f'Its inputSchema.type should be "object", not {schema.get("type")!a:.64}.'
    reason = _why_no_schema("inputSchema", schema)
    output = given.get("outputSchema")
    if reason is not None or output is None:
        return reason
    if not isinstance(output, dict):
        return f"Its outputSchema should be a JSON Schema, not {_kind(output)}."
    return _why_no_schema("outputSchema", output)


def _why_no_schema(field: str, schema: Mapping[str, object]) -> str | None:
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        return f"Its {field}.properties should be an object, not {_kind(properties)}."
    for name, inner in properties.items():
        if not isinstance(inner, dict):
            there = f"{field}.properties.{ascii(name)[1:-1][:64]}"
            return f"Its {there} should be an object, {{}} for any value, not {_kind(inner)}."
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        return f"Its {field}.required should be a list of strings, not {_kind(required)}."
    if not isinstance(schema.get("$schema", ""), str):
        return f"Its {field}.$schema should be a string, not {_kind(schema['$schema'])}."
    return None


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, list) and value:
        return "a list of other things"
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "an object")
