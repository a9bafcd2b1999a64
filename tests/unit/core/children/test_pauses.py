import pytest

from core.children.pauses import Pauses


def test_each_early_end_doubles_the_pause_up_to_the_longest():
    pauses = Pauses(steady_s=5.0, longest_s=1.0)

    assert [pauses.after(0.01) for _ in range(5)] == pytest.approx([0.2, 0.4, 0.8, 1.0, 1.0])


def test_what_ends_early_for_ever_is_still_told_the_longest_pause():
    pauses = Pauses(steady_s=5.0, longest_s=1.0)

    assert {pauses.after(0.01) for _ in range(3000)} >= {1.0}
    assert (pauses.early, pauses.after(0.01)) == (3000, 1.0)


def test_an_end_after_a_steady_life_is_the_first_again():
    pauses = Pauses(steady_s=5.0, longest_s=1.0)
    for _ in range(4):
        pauses.after(0.01)

    assert (pauses.after(5.0), pauses.early) == (0.1, 0)


def test_one_that_was_seen_to_run_steadily_begins_with_short_pauses_again():
    pauses = Pauses(steady_s=5.0, longest_s=1.0)
    pauses.after(0.01)
    pauses.steady()

    assert (pauses.early, pauses.after(0.01)) == (0, 0.2)
