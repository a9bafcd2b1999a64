from typing import Any

import pytest

from control.registry.output_schemas import MAX_PATTERNS, MAX_SCHEMAS, MAX_UNFOLDED, why_not_compiled, without_id

TREE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/Node"}, "odd name": {"$ref": "#/$defs/a~1b%20c"}},
    "$defs": {
        "Node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}},
        "a/b c": {"type": "string", "pattern": "^[a-z]+$"},
    },
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        TREE,
        {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}},
        {
            "type": "object",
            "$id": "https://a.example/out.json",
            "properties": {"a": {"$ref": "#/$defs/a"}},
            "$defs": {"a": {}},
        },
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "definitions": {"a": {}},
            "properties": {"a": {"$ref": "#/definitions/a"}, "t": {"items": [{}, {}]}},
        },
        {"anyOf": [{"type": "object"}, {"type": "null"}]},
        {
            "type": "object",
            "properties": {"$id": {"type": "string"}, "$ref": {"type": "string"}, "id": {"type": "string"}},
        },
    ],
)
def test_what_servers_write_of_their_results_is_compiled(schema: dict[str, Any]) -> None:
    assert why_not_compiled(schema) is None


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"properties": {"a": {"$ref": "#/$defs/gone"}}}, "#/properties/a/$ref should be of the form #/..."),
        ({"properties": {"a": {"$ref": "https://a.example/x.json"}}}, "#/properties/a/$ref should be"),
        ({"properties": {"a": {"$ref": "other.json#/a"}}}, "#/properties/a/$ref should be"),
        ({"properties": {"a": {"$ref": "#name"}}}, "#/properties/a/$ref should be"),
        ({"properties": {"a": {"$ref": "#/required"}}, "required": []}, "#/properties/a/$ref should be"),
        ({"properties": {"a": {"$ref": "#/allOf/01"}}, "allOf": [{}, {}]}, "#/properties/a/$ref should be"),
        ({"properties": {"a": {"$ref": None}}}, "#/properties/a/$ref should be a string"),
        ({"properties": {"a": {"type": "int"}}}, "#/properties/a/type should be one of"),
        ({"items": {"properties": {"a": {"type": "float"}}}}, "#/items/properties/a/type should be one of"),
        (
            {"properties": {"a": {"$ref": "#/x-more/b"}}, "x-more": {"b": {"type": "int"}}},
            "#/x-more/b/type should be",
        ),
        ({"properties": {"a": {"exclusiveMinimum": True}}}, "#/properties/a/exclusiveMinimum should be a number"),
        ({"properties": {"a": {"pattern": "\\Aa"}}}, "#/properties/a/pattern is no regular expression"),
        ({"properties": {"a": None}}, "#/properties/a should be a schema"),
        ({"properties": {"a": {"$id": "https://a.example"}}}, "#/properties/a/$id is not taken by all"),
        ({"x-more": [{"$id": "https://a.example"}]}, "#/x-more should not hold $id or $anchor"),
        ({"$id": "#a"}, "#/$id should be an absolute"),
        ({"$id": "not a uri %%"}, "#/$id should be an absolute"),
        ({"$id": 7}, "#/$id should be an absolute"),
        ({"$id": ""}, "#/$id should be an absolute"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "#/$schema should be 2020-12"),
        ({"$schema": "https://a.example/mine"}, "#/$schema should be 2020-12"),
        ({"allOf": [{"$ref": "#"}]}, "A reference in it leads back to itself"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
            "A reference in it",
        ),
    ],
)
def test_what_some_client_cannot_compile_is_named_with_its_place(part: dict[str, Any], words: str) -> None:
    assert str(why_not_compiled({"type": "object", **part})).startswith(words)


def test_references_that_unfold_into_millions_of_schemas_are_refused() -> None:
    steps = {f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(20)}
    steps = {name: {"allOf": [dict(one) for one in step["allOf"]]} for name, step in steps.items()}
    schema = {"type": "object", "$ref": "#/$defs/s0", "$defs": {**steps, "s20": {}}}
    assert why_not_compiled(schema) == f"Its references make more than {MAX_UNFOLDED} schemas for one value."


def test_more_schemas_or_patterns_than_any_server_writes_are_not_looked_at() -> None:
    many = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(MAX_SCHEMAS)}}
    assert why_not_compiled(many) == f"It holds more than {MAX_SCHEMAS} schemas."
    long = {"type": "object", "properties": {f"p{n}": {"pattern": "a" * 4_000} for n in range(17)}}
    assert why_not_compiled(long) == f"Its patterns have more than {MAX_PATTERNS} characters."


def test_a_schema_nested_as_deep_as_memory_allows_is_read_without_recursion() -> None:
    schema: dict[str, Any] = {"type": "int"}
    for _ in range(MAX_SCHEMAS - 10):
        schema = {"items": schema}
    assert str(why_not_compiled({"type": "object", **schema})).endswith("or a list of some.")


def test_a_place_is_told_escaped_and_not_at_any_length() -> None:
    reason = str(why_not_compiled({"type": "object", "properties": {"\u202e" * 100: {"type": "int"}}}))
    assert reason.isascii()
    assert len(reason) < 250


def test_only_the_name_at_the_root_is_taken_out() -> None:
    schema = {"$id": "https://a.example/x", "properties": {"$id": {"type": "string"}}}
    assert without_id(schema) == {"properties": {"$id": {"type": "string"}}}
