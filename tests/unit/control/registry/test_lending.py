"""Whose credential a gateway lends, in sentences."""

from __future__ import annotations

from typing import Any

import pytest

from control.registry.lending import Lent, lending_warnings, spoken


def lent(name: str, **changes: Any) -> Lent:
    usual: dict[str, Any] = {
        "assignment_id": name, "gateway_id": "g", "exposed_name": name, "installation": "crm@Support",
        "team": "Support", "others": ("Sales",),
    }  # fmt: skip
    return Lent(**{**usual, **changes})


def test_tools_of_one_installation_are_one_sentence() -> None:
    assert lending_warnings([lent("a"), lent("b")]) == [
        "a, b: pinned to 'crm@Support' of the team 'Support', so Sales will call with that team's credential."
    ]


def test_each_installation_has_a_sentence() -> None:
    assert len(lending_warnings([lent("a"), lent("b", installation="mail@Support")])) == 2
    assert lending_warnings([]) == []


def test_of_many_tools_the_first_are_named() -> None:
    (sentence,) = lending_warnings(lent(f"t{number}") for number in range(8))
    assert sentence.startswith("t0, t1, t2, t3, t4 and 3 more: ")


@pytest.mark.parametrize(
    ("others", "words"), [(("A",), "A"), (("A", "B"), "A and B"), (("A", "B", "C"), "A, B and C")]
)
def test_names_are_listed_as_people_say_them(others: tuple[str, ...], words: str) -> None:
    assert spoken(others) == words
