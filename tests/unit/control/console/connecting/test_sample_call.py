"""The call that Connect proposes: of a tool that only reads, with arguments that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from control.console.connecting.sample_call import MOST_ARGUMENTS, SampleCall, sample_call, sample_search
from control.registry.assignment import OfferedTool


def tool(name: str, *, only_reads: bool = True, **properties: Any) -> OfferedTool:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return OfferedTool(name, "", only_reads, schema)


def test_the_tool_that_must_be_told_least_is_called() -> None:
    asked = sample_call([tool("a", x={"type": "string"}, y={"type": "string"}), tool("b", x={"type": "string"})])
    assert asked == SampleCall("b", {"x": "..."})


def test_a_tool_that_may_change_something_is_never_proposed() -> None:
    assert sample_call([tool("delete_all", only_reads=False)]) is None


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ({"type": "string", "default": "today"}, "today"),
        ({"enum": ["low", "high"]}, "low"),
        ({"type": "string", "examples": ["Ann"]}, "Ann"),
        ({"const": 3}, 3),
        ({"type": "integer"}, 1),
        ({"type": "boolean"}, False),
        ({}, "..."),
    ],
)
def test_an_argument_is_what_its_schema_says(told: dict[str, Any], value: Any) -> None:
    assert sample_call([tool("a", x=told)]) == SampleCall("a", {"x": value})


def test_an_argument_with_a_name_that_everybody_uses_is_a_good_one() -> None:
    assert sample_call([tool("now", timezone={"type": "string"})]) == SampleCall("now", {"timezone": "Europe/Paris"})
    assert sample_call([tool("now", timezone={"type": "integer"})]) == SampleCall("now", {"timezone": 1})


@pytest.mark.parametrize("told", [{"type": "object"}, {"type": "array"}, {"type": ["string", "null"]}])
def test_what_cannot_be_made_up_is_not_called(told: dict[str, Any]) -> None:
    assert sample_call([tool("a", x=told)]) is None


def test_a_tool_that_must_be_told_much_is_no_first_call() -> None:
    many = {f"x{number}": {"type": "string"} for number in range(MOST_ARGUMENTS + 1)}
    assert sample_call([tool("a", **many)]) is None


@pytest.mark.parametrize(
    "schema", [{}, {"required": "x"}, {"properties": []}, {"required": ["x"], "properties": {"x": 1}}]
)
def test_a_schema_of_whatever_form_breaks_nothing(schema: dict[str, Any]) -> None:
    sample_call([OfferedTool("a", "", True, schema)])


def test_arguments_are_written_as_json() -> None:
    assert SampleCall("a", {"x": True, "y": "ü"}).as_json == '{"x": true, "y": "\\u00fc"}'


def test_a_search_looks_for_the_words_of_a_tool_that_is_there() -> None:
    tools = [tool("crm__find_contact", only_reads=False)]
    assert sample_search(tools) == SampleCall("search_tools", {"query": "crm find contact"})
    assert sample_search([]) is None
