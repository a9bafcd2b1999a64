import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.registry.client_patterns import MAX_PATTERN, why_not_everywhere

TAKEN = [
    "", "^a+$", r"\d{3}-\d{4}", r"[\w.+-]+@[\w-]+\.\w{2,}", r"^(?:GET|POST)$", r"(?=.*\d)(?!.*\s).{8,}", r"[\-a]",
    r"(a)(b)\2", "a{0,}", r"A", r"\x41\/", "a*?b+?c??", "[^\\]]", "[a-b-c]", "()|(|a)", "\U0001f600+", r"\bword\b",
    r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$", "[-a]", "[a-]", r"[\d.]", r"[^\s]",
]  # fmt: skip
REFUSED = [
    "(?i)a", r"\Z", r"\A", r"\p{L}", "(?<n>a)", "(?P<n>a)", "a{2,1}", "{", "}", "]", r"\_", r"\-", r"\1", r"(a\1)",
    "(?=a)*", "^*", "a++", "a**", "a{,3}", "[]", "[^]", "[[:alpha:]]", r"\u{41}", "a|*", "(", ")", "[z-a]", r"\cA",
    r"\01", r"\b*", r"[a-\d]", r"[\d-a]", r"[\w-.]", "a{65536}", "*a", "+", "?", "[a", "\\", r"(?<=a)b", "(?#x)",
    "(?>a)", r"\x4", r"\u004", r"[\b]", r"\e", r"(?:a)\1", "a{99999999999}", "(*a)",
]  # fmt: skip


@pytest.mark.parametrize("pattern", TAKEN)
def test_what_javascript_and_python_read_in_the_same_way_is_taken(pattern: str) -> None:
    assert why_not_everywhere(pattern) is None
    re.compile(pattern)


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_one_of_them_cannot_compile_is_refused_with_the_place(pattern: str) -> None:
    assert "at character" in str(why_not_everywhere(pattern))


def test_a_pattern_of_the_most_characters_is_taken_and_a_longer_one_is_not() -> None:
    assert why_not_everywhere("(" * 2_000 + ")" * 2_000 + "a" * 96) is None
    assert "at most 4096" in str(why_not_everywhere("a" * (MAX_PATTERN + 1)))


@given(st.text(alphabet="ab0-^$.*+?|()[]{},\\dwbx1:=!", max_size=12))
def test_whatever_is_taken_compiles_in_python(pattern: str) -> None:
    if why_not_everywhere(pattern) is None:
        re.compile(pattern)
