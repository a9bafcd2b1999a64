from __future__ import annotations

from typing import Any

import pytest

from archway.calling.arguments import BadArgument, arguments_of, usage_of

SCHEMA = {
    "type": "object",
    "required": ["city"],
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "share": {"type": "number"},
        "brief": {"type": "boolean"},
        "stops": {"type": "array"},
        "where": {"type": "object"},
        "either": {"type": ["integer", "string"]},
        "neither": {"type": ["integer", "null"]},
        "any": {},
        "one": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    },
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("city=Paris", "Paris"),
        ("city=01234", "01234"),
        ("city=", ""),
        ("city=a=b", "a=b"),
        ('city="quoted"', '"quoted"'),
        ("city=true", "true"),
        ("city:=null", None),
        ("days:=3", 3),
        ("days:=-3", -3),
        ("days:=50000000000000000000", 50000000000000000000),
        ("share:=1.5", 1.5),
        ("brief:=true", True),
        ('stops:=["a", 1]', ["a", 1]),
        ('where:={"a": {"b": 1}}', {"a": {"b": 1}}),
        ("either=3", "3"),
        ("any=3", "3"),
        ("one=3", "3"),
        ("unknown=3", "3"),
    ],
)
def test_a_text_stays_a_text_and_json_is_read(text: str, value: Any) -> None:
    (got,) = arguments_of([text], SCHEMA).values()
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("days=3", "days takes an integer and no text: write it as JSON, such as days:=3"),
        ("share=1.5", "such as share:=1.5"),
        ("brief=yes", "such as brief:=true"),
        ("stops=a,b", "such as stops:=[]"),
        ("where=here", "such as where:={}"),
        ("neither=3", "an integer or a null"),
        ("days:=three", "days:= takes JSON, such as days:=3"),
        ("city:=Paris", "city:= takes JSON"),
        ("city", "an argument is name=text or name:=JSON"),
        ("=3", "an argument is name=text or name:=JSON"),
        (":=3", "an argument is name=text or name:=JSON"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_cure(text: str, cure: str) -> None:
    with pytest.raises(BadArgument) as caught:
        arguments_of([text], SCHEMA)
    assert cure in str(caught.value)


def test_an_argument_that_is_given_twice_is_refused() -> None:
    with pytest.raises(BadArgument, match="city is given twice"):
        arguments_of(["city=a", "city:=1"], {})


@pytest.mark.parametrize("schema", [{}, {"properties": None}, {"properties": []}, {"properties": {"days": True}}])
def test_a_schema_that_says_nothing_refuses_nothing(schema: dict[str, Any]) -> None:
    assert arguments_of(["days=3"], schema) == {"days": "3"}
    assert usage_of(schema) == ""


def test_how_arguments_are_typed_is_said_in_one_line() -> None:
    assert usage_of(SCHEMA) == (
        "city=... [days:=3] [share:=1.5] [brief:=true] [stops:=[]] [where:={}] [either=...] [neither:=...] "
        "[any=...] [one=...]"
    )
