"""Definitions as discovery keeps them, read by the official SDKs: none of them may refuse a list of a gateway."""

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import SchemaError
from jsonschema.validators import validator_for
from mcp_types import _v2025_11_25 as legacy
from mcp_types import _v2026_07_28 as modern
from pydantic import ValidationError

from control.registry.tool_definitions import found_tools
from core.mcp.shapes import tool_for_legacy, tool_for_modern
from tests.clients.real_clients import NODE

DRIVER = Path(__file__).parent / "drivers" / "read_tools.mjs"
SCHEMA: dict[str, Any] = {"type": "object"}

ODD_SCHEMAS: list[dict[str, Any]] = [
    {"properties": []},
    {"properties": None},
    {"properties": True},
    {"properties": "a"},
    {"properties": {"a": None}},
    {"properties": {"a": "string"}},
    {"properties": {"a": True}},
    {"properties": {"a": []}},
    {"required": None},
    {"required": "a"},
    {"required": {"a": True}},
    {"required": [1]},
    {"$schema": 7},
]
NOT_COMPILED: list[dict[str, Any]] = [
    {"properties": {"a": {"$ref": "#/$defs/gone"}}},
    {"properties": {"a": {"$ref": "https://a.example/x.json"}}},
    {"properties": {"a": {"type": "int"}}},
    {"properties": {"a": {"exclusiveMinimum": True}}},
    {"properties": {"a": {"type": "string", "pattern": "(?P<x>a)"}}},
    {"properties": {"a": {"pattern": "\\Aa"}}},
    {"properties": {"a": {"pattern": "[\\w-.]"}}},
    {"$id": 7},
    {"id": "https://a.example"},
    {"$id": "%%", "$ref": "#/a"},
    {"properties": {"a": {"nullable": True}}},
    {"properties": {"a": {"enum": []}}},
    {"allOf": {}},
    {"properties": {"a": {"items": [{"type": "string"}]}}},
    {"properties": {"a": {"minLength": "1"}}},
    {"$schema": "http://json-schema.org/draft-04/schema#"},
    {"properties": {"a": {"$anchor": "1x"}}},
    {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
]
ODD_EXTRAS: list[dict[str, Any]] = [
    {"title": None},
    {"title": 7},
    {"description": ["d"]},
    {"annotations": []},
    {"annotations": None},
    {"annotations": {"title": None, "readOnlyHint": "yes"}},
    {"icons": {}},
    {"icons": [{"src": 7}]},
    {"icons": ["a"]},
    {"icons": [{"src": "https://a.example/i.png", "sizes": "48x48", "theme": "blue", "mimeType": None}]},
    {"execution": {"taskSupport": "sometimes"}},
    {"execution": []},
    {"execution": {"taskSupport": None}},
    {"_meta": []},
    {"_meta": None},
    {"outputSchema": None},
]
PLAIN: list[dict[str, Any]] = [
    {"title": "t", "description": "d", "annotations": {"readOnlyHint": True, "title": "T"}},
    {"icons": [{"src": "data:image/png;base64,AA==", "mimeType": "image/png", "sizes": ["any"], "theme": "dark"}]},
    {"execution": {"taskSupport": "optional"}, "_meta": {"ui": {"resourceUri": "ui://a"}, "__proto__": {"a": 1}}},
    {
        "outputSchema": {
            "type": "object",
            "$id": "https://a.example/x",
            "properties": {"a": {"$ref": "#/$defs/a"}},
            "$defs": {"a": {"type": ["string", "null"], "pattern": "^[\\w.-]+@\\w{2,}$"}},
        }
    },
    {
        "outputSchema": {
            "type": "array",
            "items": {"$ref": "#/$defs/n"},
            "$defs": {"n": {"properties": {"n": {"$ref": "#"}}}},
        }
    },
    {
        "outputSchema": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "definitions": {"t": {"items": [{}]}},
        }
    },
    {"inputSchema": {"type": "object", "properties": {"__proto__": {}, "constructor": {}, "": {}}, "required": [""]}},
]


def tool(**more: Any) -> dict[str, Any]:
    return {"name": "odd", "inputSchema": SCHEMA, **more}


async def against(tools: list[dict[str, Any]]) -> list[dict[str, str | None]]:
    """What each SDK says against each of these tools as the only one of a list; None: nothing."""
    node = await asyncio.create_subprocess_exec(
        NODE, str(DRIVER), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(120):
        out, _ = await node.communicate(
            json.dumps([(tool_for_legacy(one), tool_for_modern(one)) for one in tools]).encode()
        )
    said: list[dict[str, str | None]] = json.loads(out)
    return [{**one, "Python SDK": _python(given)} for one, given in zip(said, tools, strict=True)]


def _python(given: dict[str, Any]) -> str | None:
    try:
        legacy.Tool.model_validate(tool_for_legacy(given))
        modern.Tool.model_validate(tool_for_modern(given))
        if (schema := given.get("outputSchema")) is not None:
            validator_for(schema).check_schema(schema)
            _compile_patterns(schema)
    except (ValidationError, SchemaError, re.error) as refused:
        return f"{type(refused).__name__}: {refused}"[:300]
    return None


def _compile_patterns(schema: object) -> None:
    if isinstance(schema, dict):
        if isinstance(pattern := schema.get("pattern"), str):
            re.compile(pattern)
        for inner in schema.values():
            _compile_patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _compile_patterns(inner)


def kept(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What clients may see of each, where anything."""
    return [one.definition for each in given for one in found_tools([each], []).tools]


async def test_what_is_rejected_would_be_refused_by_some_sdk() -> None:
    odd = [tool(**{field: {**SCHEMA, **part}}) for field in ("inputSchema", "outputSchema") for part in ODD_SCHEMAS]
    assert kept(odd) == []
    assert [given for given, said in zip(odd, await against(odd), strict=True) if not any(said.values())] == []


async def test_an_output_schema_that_is_left_out_could_not_be_compiled_by_some_sdk() -> None:
    odd = [tool(outputSchema={**SCHEMA, **part}) for part in NOT_COMPILED]
    assert [one.get("outputSchema") for one in kept(odd)] == [None] * len(odd)
    assert [given for given, said in zip(odd, await against(odd), strict=True) if not any(said.values())] == []


async def test_whatever_is_kept_of_an_odd_tool_is_taken_by_every_sdk() -> None:
    shown = kept([tool(**more) for more in (*ODD_EXTRAS, *PLAIN, *({"outputSchema": part} for part in NOT_COMPILED))])
    assert len(shown) == len(ODD_EXTRAS) + len(PLAIN) + len(NOT_COMPILED)
    refused = [(one, said) for one, said in zip(shown, await against(shown), strict=True) if any(said.values())]
    assert refused == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_kept_of_random_schemas_is_taken_by_every_sdk(seed: int) -> None:
    chance = random.Random(seed)
    shown = kept([tool(outputSchema={**SCHEMA, **_schema(chance, 3)}) for _ in range(400)])
    refused = [(one, said) for one, said in zip(shown, await against(shown), strict=True) if any(said.values())]
    assert refused == []
    assert sum("outputSchema" in one for one in shown) > 40


_VALUES: list[Any] = [
    {},
    [],
    True,
    None,
    "x",
    7,
    -1,
    1.5,
    "string",
    "int",
    ["string", "null"],
    "#",
    "#/$defs/a",
    "#/gone",
    "^a$",
    "(?i)a",
    ["a"],
    ["a", "a"],
    [{}],
    {"a": {}},
    {"a": "b"},
    {"$ref": "#/$defs/a"},
    {"type": "object"},
    "date-time",
    {"$id": "https://a.example"},
    "https://json-schema.org/draft/2020-12/schema",
    [True],
    {"a": ["b"]},
    {"a": None},
]
_KEYWORDS: list[str] = [
    "properties",
    "required",
    "items",
    "prefixItems",
    "additionalProperties",
    "additionalItems",
    "allOf",
    "anyOf",
    "not",
    "if",
    "then",
    "$ref",
    "$defs",
    "definitions",
    "pattern",
    "patternProperties",
    "propertyNames",
    "minimum",
    "enum",
    "exclusiveMinimum",
    "multipleOf",
    "minLength",
    "maxItems",
    "uniqueItems",
    "contains",
    "const",
    "format",
    "title",
    "nullable",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "$id",
    "$anchor",
    "type",
    "x-more",
    "default",
    "unevaluatedProperties",
    "discriminator",
    "examples",
    "deprecated",
    "$comment",
    "contentSchema",
    "$dynamicRef",
]


def _schema(chance: random.Random, depth: int) -> dict[str, Any]:
    return {name: _value(chance, depth) for name in chance.sample(_KEYWORDS, chance.choice([0, 1, 1, 2]))}


def _value(chance: random.Random, depth: int) -> Any:
    if depth == 0 or chance.random() < 0.5:
        return chance.choice(_VALUES)
    inner = _schema(chance, depth - 1)
    return chance.choice([inner, [inner], {"a": inner}, {"a": inner, "b": inner}])
