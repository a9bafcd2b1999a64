"""Counts that are forgotten when they are idle and many, and are found again where somebody keeps them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.forgetful import MOST_IDLE, Forgetful, Kept


class Count:
    def __init__(self) -> None:
        self.used = 0


def many_others(counts: Forgetful[Count]) -> None:
    for number in range(2 * MOST_IDLE):
        counts.of(f"other {number}")


def test_a_count_is_made_once_and_a_look_makes_none() -> None:
    counts = Forgetful(Count)
    assert counts.peek("a") is None
    assert counts.of("a") is counts.of("a") is counts.peek("a")


def test_idle_ones_are_forgotten_when_there_are_many_and_busy_ones_never() -> None:
    counts = Forgetful(Count)
    counts.of("idle")
    counts.of("busy").used = 1
    many_others(counts)
    assert counts.peek("idle") is None
    assert counts.of("busy").used == 1
    assert len(counts._counts) <= 2 * MOST_IDLE


def test_a_kept_one_is_found_again_by_every_way_and_told_once() -> None:
    counts = Forgetful(Count)
    kept = counts.keep("kept")
    many_others(counts)
    assert "kept" not in counts._counts
    kept.count.used = 7
    assert [one.used for one in counts.all() if one.used] == [7]
    assert counts.peek("kept") is counts.keep("kept").count is counts.of("kept") is kept.count
    assert [one.used for one in counts.all() if one.used] == [7]


def test_one_that_nobody_keeps_any_more_is_forgotten_like_others() -> None:
    counts = Forgetful(Count)
    kept = counts.keep("a")
    del kept
    many_others(counts)
    assert counts.peek("a") is None


@given(st.lists(st.tuples(st.sampled_from(["of", "keep", "let go", "use", "forget"]), st.sampled_from("abc"))))
def test_there_are_never_two_counts_of_one_name(steps: list[tuple[str, str]]) -> None:
    """What is in use, or kept, is the same count whatever is forgotten meanwhile."""
    counts = Forgetful(Count)
    kept: dict[str, Kept[Count]] = {}
    used = dict.fromkeys("abc", 0)
    for step, name in steps:
        match step:
            case "of":
                counts.of(name)
            case "keep":
                kept[name] = counts.keep(name)
            case "let go":
                if used[name]:
                    counts.of(name)  # as who lets go of one that is in use has to
                kept.pop(name, None)
            case "use":
                (kept[name].count if name in kept else counts.of(name)).used += 1
                used[name] += 1
            case _:
                counts._forget_idle()
                if name not in kept and name in counts._counts:
                    counts.of(name).used = used[name] = 0
        assert {one: count.used for one in "abc" if (count := counts.peek(one)) is not None and count.used} == {
            one: had for one, had in used.items() if had
        }
