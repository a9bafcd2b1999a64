"""Numbers with their nouns."""

import pytest

from control.registry.counted import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 tools"), (1, "1 tool"), (2, "2 tools"), (21, "21 tools"), (1200, "1,200 tools")]
)
def test_only_one_is_singular(number: int, words: str) -> None:
    assert counted(number, "tool") == words
