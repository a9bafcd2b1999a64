from typing import Any

import pytest

from control.registry.tool_shape import why_no_tool

SCHEMA: dict[str, Any] = {"type": "object"}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"properties": []}, "properties should be an object, not a list."),
    ({"properties": None}, "properties should be an object, not null."),
    ({"properties": True}, "properties should be an object, not true or false."),
    ({"properties": "a"}, "properties should be an object, not a string."),
    ({"properties": {"a": None}}, "properties.a should be an object, {} for any value, not null."),
    ({"properties": {"a": "string"}}, "properties.a should be an object, {} for any value, not a string."),
    ({"properties": {"a": True}}, "properties.a should be an object, {} for any value, not true or false."),
    ({"properties": {"a": []}}, "properties.a should be an object, {} for any value, not a list."),
    ({"properties": {"\u202ea": 1}}, "properties.\\u202ea should be an object, {} for any value, not a number."),
    ({"required": None}, "required should be a list of strings, not null."),
    ({"required": "a"}, "required should be a list of strings, not a string."),
    ({"required": {"a": True}}, "required should be a list of strings, not an object."),
    ({"required": [1]}, "required should be a list of strings, not a list of other things."),
    ({"$schema": 7}, "$schema should be a string, not a number."),
]


@pytest.mark.parametrize(("part", "words"), WRONG)
@pytest.mark.parametrize("field", ["inputSchema", "outputSchema"])
def test_a_schema_of_another_shape_is_named_with_the_field_and_what_it_should_be(
    field: str, part: dict[str, Any], words: str
) -> None:
    given = {"name": "odd", "inputSchema": SCHEMA, field: {"type": "object", **part}}
    assert why_no_tool(given) == f"Its {field}.{words}"


@pytest.mark.parametrize("schema", [None, [], "object", True, 7])
def test_an_input_schema_must_be_there_and_be_an_object(schema: object) -> None:
    assert str(why_no_tool({"name": "odd", "inputSchema": schema})).startswith(
        "Its inputSchema should be a JSON Schema"
    )


@pytest.mark.parametrize("kind", ["array", ["object", "null"], None, "Object"])
def test_the_input_schemas_type_is_object_and_nothing_else(kind: object) -> None:
    reason = why_no_tool({"name": "odd", "inputSchema": {"type": kind}})
    assert str(reason).startswith('Its inputSchema.type should be "object", not ')


@pytest.mark.parametrize("output", [[], "object", True, 7])
def test_an_output_schema_is_an_object(output: object) -> None:
    reason = why_no_tool({"name": "odd", "inputSchema": SCHEMA, "outputSchema": output})
    assert str(reason).startswith("Its outputSchema should be a JSON Schema, not ")


@pytest.mark.parametrize(
    "given",
    [
        {"inputSchema": SCHEMA, "outputSchema": None},
        {"inputSchema": {"type": "object", "properties": {}, "required": []}},
        {"inputSchema": {"type": "object", "properties": {"a": {"items": True}}, "additionalProperties": False}},
        {"inputSchema": SCHEMA, "outputSchema": {"type": "array", "items": {"type": "string"}}},
        {"inputSchema": SCHEMA, "outputSchema": {"anyOf": [{"type": "object"}, {"type": "null"}]}},
    ],
)
def test_what_every_client_takes_is_a_tool(given: dict[str, Any]) -> None:
    assert why_no_tool({"name": "fine", **given}) is None
