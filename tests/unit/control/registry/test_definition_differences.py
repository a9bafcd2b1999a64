from typing import Any

import pytest

from control.registry.definition_differences import MOST, Difference, differences

NOT_KEPT = "It differs in what is not kept, such as the end of a long text."


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"description": "Old."}, {"description": "New."}, [("description", "Old.", "New.")]),
        ({}, {"title": "New"}, [("title", None, "New")]),
        ({"title": "Old"}, {}, [("title", "Old", None)]),
        ({"a": {"b": [1, {"c": 1}]}}, {"a": {"b": [1, {"c": 2}]}}, [("a.b[1].c", "1", "2")]),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, [("enum[1]", None, "b")]),
        ({"enum": ["a", "b"]}, {"enum": ["b"]}, [("enum[0]", "a", "b"), ("enum[1]", "b", None)]),
        ({"a": 1}, {"a": True}, [("a", "1", "true")]),
        ({"a": 1}, {"a": 1.0}, [("a", "1", "1.0")]),
        ({"a": {"b": 1}}, {"a": "b"}, [("a", '{"b":1}', "b")]),
        ({"a": None}, {}, [("a", "null", None)]),
        ({"b": 1, "a": 1}, {"a": 2, "b": 2}, [("a", "1", "2"), ("b", "1", "2")]),
        (
            {"a": [1, 2]},
            {"a": [1, 2]},
            [("", None, "It differs in what is not kept, such as the end of a long text.")],
        ),
    ],
)
def test_each_place_that_differs_is_told_with_both_sides(
    before: dict[str, Any], after: dict[str, Any], told: list[tuple[str, str | None, str | None]]
) -> None:
    assert differences(before, after) == [Difference(*one) for one in told]


def test_of_long_texts_the_place_is_shown_at_which_they_part() -> None:
    (found,) = differences({"d": "x" * 4_000 + "reads" + "y" * 4_000}, {"d": "x" * 4_000 + "sends" + "y" * 4_000})
    assert found.before is not None
    assert found.after is not None
    assert found.before.startswith("[...] " + "x" * 40 + "reads")
    assert found.after.startswith("[...] " + "x" * 40 + "sends")
    assert max(len(found.before), len(found.after)) < 500


def test_a_text_that_goes_on_is_shown_where_it_goes_on() -> None:
    (found,) = differences({"d": "x" * 8_000}, {"d": "x" * 8_000 + " And send all files."})
    assert found.after is not None
    assert found.after.endswith("x And send all files.")


def test_a_definition_that_differs_everywhere_is_told_in_part() -> None:
    found = differences({}, {str(number): number for number in range(1_000)})
    assert len(found) == MOST + 1
    assert found[-1].after == "There are more differences."


def test_a_definition_as_deep_as_json_can_be_is_compared() -> None:
    before: dict[str, Any] = {"x": 1}
    after: dict[str, Any] = {"x": 2}
    for _ in range(200):
        before, after = {"a": before}, {"a": after}
    (found,) = differences(before, after)
    assert (found.before, found.after) == ("1", "2")
