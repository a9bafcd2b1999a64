from collections.abc import Callable

import pytest

from proxy.records.texts import LONGEST_NAME, LONGEST_SENTENCE, sentence, short_name


@pytest.mark.parametrize(("cleaned", "most"), [(sentence, LONGEST_SENTENCE), (short_name, LONGEST_NAME)])
@pytest.mark.parametrize("mark", ["\x1b", "\n", "\x9b", "\u2028", "\u202e", "\u2066", "\ud800"])
def test_a_text_has_nothing_that_a_terminal_obeys_and_is_cut(
    cleaned: Callable[[str], str], most: int, mark: str
) -> None:
    assert cleaned(f"a{mark}b") == "ab"
    assert cleaned("x" * 1000) == "x" * most
