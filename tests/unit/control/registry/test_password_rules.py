"""What a password must be."""

from __future__ import annotations

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.password_rules import LONGEST, SHORTEST, check_password, normalised

ANN = ("Ann Lovelace", "ann.lovelace@example.com")


@pytest.mark.parametrize(
    "password", ["correct horse battery", "äöü ß 漢字 emoji 🐎🐎", "x1!" * 5 + "yz", "a b c d e f g"]
)
def test_a_long_password_of_any_characters_will_do(password: str) -> None:
    check_password(password, *ANN)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least"),
        ("x" * (SHORTEST - 1), "at least"),
        ("abcde" * LONGEST, "at most"),
        ("ababababababab", "few characters"),
        ("annlovelace", "at least"),
        ("Ann Lovelace1", "your name"),
        ("ann.lovelace@example.com", "your name"),
        ("ANN.LOVELACE!!", "your name"),
    ],
)
def test_one_that_is_easily_guessed_is_refused_and_not_repeated(password: str, why: str) -> None:
    with pytest.raises(BrokenRule, match=why) as refused:
        check_password(password, *ANN)
    assert refused.value.field == "password"
    assert password not in refused.value.message


def test_a_person_with_a_short_name_may_use_it_in_a_long_password() -> None:
    check_password("al is my friend, says bo", "Al", "al@example.com")


def test_an_accent_is_the_same_however_a_keyboard_makes_it() -> None:
    assert normalised("cafe\u0301") == normalised("caf\u00e9")
