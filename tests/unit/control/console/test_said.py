"""What a page says after something was done."""

from __future__ import annotations

from control.console.said import SENTENCES, sentence_of


def test_only_our_own_sentences_can_be_said() -> None:
    assert sentence_of("saved") == "Saved."
    assert sentence_of("Call 555-0100 to keep your account") == ""


def test_each_is_a_sentence() -> None:
    assert all(one[0].isupper() and one.endswith(".") for one in SENTENCES.values())
