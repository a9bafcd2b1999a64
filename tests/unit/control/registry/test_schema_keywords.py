from typing import Any

import pytest

from control.registry.schema_keywords import Dialect, schemas_inside, why_wrong


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "int"}, "type should be one of string, number"),
        ({"type": []}, "type should be one of"),
        ({"type": ["string", "string"]}, "type should be one of"),
        ({"type": None}, "type should be one of"),
        ({"exclusiveMinimum": True}, "exclusiveMinimum should be a number"),
        ({"minimum": "1"}, "minimum should be a number"),
        ({"multipleOf": 0}, "multipleOf should be a number above 0"),
        ({"minLength": -1}, "minLength should be a whole number"),
        ({"maxItems": 1.5}, "maxItems should be a whole number"),
        ({"minProperties": float("inf")}, "minProperties should be a whole number"),
        ({"uniqueItems": "true"}, "uniqueItems should be true or false"),
        ({"required": ["a", "a"]}, "required should be a list of different strings"),
        ({"dependentRequired": {"a": "b"}}, "dependentRequired should be an object"),
        ({"enum": []}, "enum should be a list of at least one"),
        ({"format": "constructor()"}, "format should be the name of a format"),
        ({"description": ["d"]}, "description should be a string"),
        ({"examples": {}}, "examples should be a list"),
        ({"pattern": "(?i)a"}, "pattern is no regular expression of JavaScript and of Python"),
        ({"patternProperties": {"[": {}}}, "patternProperties has a name that is no regular expression"),
        ({"properties": []}, "properties should be an object whose values are schemas"),
        ({"allOf": []}, "allOf should be a list of at least one schema"),
        ({"anyOf": {}}, "anyOf should be a list"),
        ({"not": None}, "not should be a schema"),
        ({"items": []}, "items should be a schema"),
        ({"dependencies": {"a": ["b", "b"]}}, "dependencies should hold schemas or lists"),
        ({"id": "https://a.example"}, "id is not taken by all clients"),
        ({"$async": True}, "$async is not taken by all clients"),
        ({"$anchor": "a"}, "$anchor is not taken by all clients"),
        ({"nullable": True}, "nullable should stand beside type"),
        ({"type": "null", "nullable": False}, "nullable should not be false"),
    ],
)
def test_a_value_that_some_compiler_refuses_is_named_with_its_keyword(schema: dict[str, Any], words: str) -> None:
    assert str(why_wrong(schema, "2020-12")).startswith(words)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"], "format": "date-time", "pattern": "^a$", "minLength": 1, "maxLength": 2.0},
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1.5, "multipleOf": 0.1},
        {"enum": [None, "a", 1], "const": None, "default": {}, "examples": [1]},
        {"type": "string", "nullable": True, "x-vendor": {"anything": []}, "discriminator": {"propertyName": "kind"}},
        {"if": {}, "then": True, "else": False, "not": {}, "items": False, "contains": {}, "minContains": 0},
        {"dependencies": {"a": ["b"], "c": {}}, "dependentRequired": {"a": []}, "required": []},
    ],
)
def test_what_all_compilers_take_is_not_wrong(schema: dict[str, Any]) -> None:
    assert why_wrong(schema, "2020-12") is None


@pytest.mark.parametrize(("dialect", "wrong"), [("2020-12", True), ("2019-09", False), ("draft-07", False)])
def test_a_list_of_items_is_taken_in_the_dialects_that_have_it(dialect: Dialect, wrong: bool) -> None:
    assert (why_wrong({"items": [{"type": "string"}]}, dialect) is not None) is wrong


def test_schemas_inside_are_found_wherever_a_schema_stands_and_not_in_data() -> None:
    schema = {
        "properties": {"type": {}}, "items": [{}], "anyOf": [True], "not": {}, "dependencies": {"a": ["b"], "c": {}},
        "enum": [{}], "default": {}, "x-vendor": {},
    }  # fmt: skip
    assert [(keyword, way) for keyword, way, _ in schemas_inside(schema)] == [
        ("properties", ("type",)), ("items", ("0",)), ("anyOf", ("0",)), ("not", ()), ("dependencies", ("c",)),
    ]  # fmt: skip
