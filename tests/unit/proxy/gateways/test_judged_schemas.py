from __future__ import annotations

from typing import Any

import pytest

from proxy.gateways.judged_schemas import MOST_PATTERNS, MOST_TEXT, MOST_VALUES, why_wrong

NUMBER = {"type": "integer"}


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def nested(times: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(times):
        value = {"a": value}
    return value


def referring(times: int) -> dict[str, Any]:
    """Each definition has the next one twice."""
    parts: dict[str, Any] = {
        f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(times)
    }
    return {"$defs": {**parts, f"d{times}": {"type": "string"}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    ("schema", "arguments", "why"),
    [
        (of(n=NUMBER), {"n": 1}, ""),
        (of(n=NUMBER), {"n": "secret"}, "n (type)"),
        ({**of(n=NUMBER), "required": ["n"]}, {}, "the whole (required)"),
        ({**of(n={"$ref": "#/$defs/n"}), "$defs": {"n": NUMBER}}, {"n": "x"}, "n (type)"),
        ({**of(n=NUMBER), "$id": "https://e.example/s", "id": "x"}, {"n": "x"}, "n (type)"),
        (of(n={"pattern": "^a+$"}), {"n": "b"}, "n (pattern)"),
        (of(n={"pattern": "^(a+)+$"}), {"n": "a" * 1000 + "!"}, "n (pattern)"),
        (referring(4), 1, "the whole (anyOf)"),
    ],
)
def test_arguments_are_checked_and_what_is_wrong_is_said_without_them(
    schema: dict[str, Any], arguments: object, why: str
) -> None:
    assert why_wrong(schema, arguments) == why


TREE = {"anyOf": [{**of(a={"$ref": "#/$defs/t"}), "required": [need]} for need in ("y", "z")]}


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        (referring(60), 1),
        ({"$defs": {"t": TREE}, "$ref": "#/$defs/t"}, nested(60)),
        ({"$ref": "#"}, 1),
        ({"$ref": "https://e.example/s"}, 1),
        ({"$ref": "#/$defs/none"}, 1),
        ({"$ref": "#anchor", "$defs": {"a": {"$anchor": "anchor", "type": "string"}}}, 1),
        ({**of(n={"$id": "https://e.example/t", "type": "string"})}, {"n": 1}),
        ({"unevaluatedProperties": False}, {"n": 1}),
        (of(n={"pattern": "^(a+)+\\1$"}), {"n": "b"}),
        (of(n={"pattern": "("}), {"n": "b"}),
        (of(n={"pattern": "((a{1,100}){1,100}){1,100}"}), {"n": "b"}),
        (of(n={"allOf": [{"pattern": "b"}] * (MOST_PATTERNS + 1)}), {"n": "a"}),
        (of(n={"enum": list(range(5_000))}), {"n": "a"}),
        (of(n={"type": "nothing"}), {"n": "a"}),
        (of(n=NUMBER), {"n": [1] * MOST_VALUES}),
        (of(n=NUMBER), {"n": "a" * (MOST_TEXT + 1)}),
        (of(n=NUMBER, m={"enum": list(range(1_000))}), {"n": [1] * 500}),
        (nested(100), {"n": 1}),
    ],
)
def test_what_may_cost_much_or_cannot_be_told_is_left_to_the_server(
    schema: dict[str, Any], arguments: object
) -> None:
    assert why_wrong(schema, arguments) == ""
