from __future__ import annotations

from email.utils import formatdate

import pytest

from core.clocks import REFUSED_FOR_CLOCK, difference, is_refused_for_clock, seconds_ahead

NOW = 1_700_000_000.0


@pytest.mark.parametrize("ahead", [0, 1, 90, -90, 86_400 * 365])
def test_a_date_says_by_how_much_our_clock_is_ahead(ahead: int) -> None:
    assert seconds_ahead({"Date": formatdate(NOW - ahead, usegmt=True)}, NOW) == ahead


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT", "\x00", "9" * 500])
def test_no_date_and_one_that_cannot_be_read_say_nothing(date: str) -> None:
    assert seconds_ahead({"Date": date}, NOW) is None
    assert seconds_ahead({}, NOW) is None


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (403, REFUSED_FOR_CLOCK, True),
        (200, REFUSED_FOR_CLOCK, False),
        (403, {"Archway-Refused": "key"}, False),
        (403, {}, False),
    ],
)
def test_only_a_refusal_that_names_the_clock_is_one_for_the_clock(
    status: int, headers: dict[str, str], said: bool
) -> None:
    assert is_refused_for_clock(status, headers) == said


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (90.4, "the clock of this proxy is 90 s ahead of that of control"),
        (-61.0, "the clock of this proxy is 61 s behind that of control"),
        (None, "the clocks of this proxy and control differ"),
    ],
)
def test_a_difference_is_said_in_words(ahead: float | None, words: str) -> None:
    assert difference(ahead, "this proxy", "control") == words
