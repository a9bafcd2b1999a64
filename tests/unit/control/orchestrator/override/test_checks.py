from __future__ import annotations

from typing import Any

import pytest

from control.orchestrator.override.checks import (
    Check,
    fields,
    flag,
    items,
    number,
    one_of,
    only,
    pairs,
    raising,
    text,
)
from control.orchestrator.override.faults import Faults

WORD = text("[a-z]+", "a word")


def found(check: Check, value: Any, at: str = "it") -> list[str]:
    faults = Faults({})
    check(value, (at,), faults)
    return [f"{one.path} {one.sentence}" for one in faults.found]


def test_a_map_has_the_fields_that_are_named_and_those_that_it_needs() -> None:
    check = fields({"a": WORD, "b": WORD}, needed=("a",))
    assert found(check, {"a": "x"}) == []
    assert found(check, {"b": 1}) == ["it.b must be a word", "it needs a"]
    assert found(check, {"a": "x", "strange": 1})[0].startswith("it.strange is not among what may be said")
    assert found(check, ["a"]) == ["it must be a map of names and values"]


def test_a_list_has_an_end_and_each_key_once() -> None:
    check = items(fields({"name": WORD}), 2)
    assert found(check, [{"name": "a"}, {"name": "a"}]) == []
    assert found(check, [{"name": "a"}, {"name": "a"}], "env") == [
        "env[1] has the name of another item; write them as one"
    ]
    for wrong in ({}, [{}, {}, {}], "a"):
        assert found(check, wrong) == ["it must be a list of at most 2"]


def test_names_and_values_are_both_looked_at_and_null_takes_away() -> None:
    check = pairs(WORD, WORD, 3)
    assert found(check, {"a": "x", "b": None}) == []
    assert found(check, {"1": "x", "b": 2}) == ["it.1 must be a word", "it.b must be a word"]
    assert found(check, {"$patch": "replace"}) == ["it.$patch must be a word"]
    assert found(pairs(WORD, WORD, 3, replaces=True), {"$patch": "replace"}) == []
    assert found(check, dict.fromkeys("abcd", "x")) == ["it must have at most 3"]


@pytest.mark.parametrize(
    ("check", "fits", "wrong"),
    [
        (WORD, "abc", 1),
        (text("a*", "short", most=2), "aa", "aaa"),
        (number(1, 5), 5, True),
        (number(1, 5), 1, "1"),
        (number(1, 5), 2, 6),
        (flag, False, 0),
        (one_of("a", "b"), "b", ["a"]),
        (only(fixed=False), False, 0),
        (only(["ALL"]), ["ALL"], []),
        (raising(int, ValueError, str), "1", "x"),
        (raising(int, ValueError, str), "1", None),
    ],
)
def test_what_fits_is_not_what_only_looks_like_it(check: Check, fits: Any, wrong: Any) -> None:
    assert found(check, fits) == []
    assert found(check, wrong) != []
