"""What cannot be seen is made visible; letters of every script stay."""

from __future__ import annotations

import pytest

from control.console.visible_text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("safe\u202egpj.exe", "safe⟨U+202E⟩gpj.exe", id="a turned direction"),
        pytest.param("pay\u200bpal", "pay⟨U+200B⟩pal", id="a space without width"),
        pytest.param("a\x1b[31m", "a⟨U+001B⟩[31m", id="a terminal's escape"),
        pytest.param("tool\U000e0041", "tool⟨U+E0041⟩", id="a tag that spells a hidden word"),
        pytest.param("\ufeffname", "⟨U+FEFF⟩name", id="a byte-order mark"),
        pytest.param("\u3164\u3164", "⟨U+3164⟩⟨U+3164⟩", id="a letter that is blank"),
        pytest.param("a\U000e0101", "a⟨U+E0101⟩", id="a selector that hides a byte"),
    ],
)
def test_what_cannot_be_seen_is_named(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["Ann", "דנה לוי", "نمی\u200cشود", "👩\u200d👧", "two\nlines\tand a tab", "<b>&"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
