from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.forgetful import MOST_IDLE
from proxy.limits.shares import Shares


def test_an_owner_has_no_more_than_its_share_and_all_together_no_more_than_there_is() -> None:
    shares = Shares()
    assert shares.take("a", 3, most=5, share=3)
    assert not shares.take("a", 1, most=5, share=3)
    assert shares.take("b", 2, most=5, share=3)
    assert not shares.take("c", 1, most=5, share=3)
    assert (shares.used, shares.of("a"), shares.of("c")) == (5, 3, 0)


def test_what_is_given_back_can_be_taken_and_never_more_than_was_had() -> None:
    shares = Shares()
    shares.take("a", 3, most=5, share=5)
    shares.take("b", 2, most=5, share=5)
    shares.give_back("a", 9)
    shares.give_back("c", 9)
    assert (shares.used, shares.of("a")) == (2, 0)


def test_what_a_forgotten_owner_has_is_told_and_counts() -> None:
    shares = Shares()
    kept = shares.keep("kept")
    for number in range(2 * MOST_IDLE):
        shares.take(f"o{number}", 1, most=9, share=9)
        shares.give_back(f"o{number}", 1)
    kept.count.used = 3
    assert shares.of("kept") == 3
    assert not shares.take("kept", 1, most=9, share=3)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.integers(0, 4)), max_size=40))
def test_the_sum_is_what_the_owners_have_whatever_is_taken_and_given_back(
    steps: list[tuple[bool, str, int]],
) -> None:
    shares, had = Shares(), Counter[str]()
    for takes, owner, amount in steps:
        if not takes:
            shares.give_back(owner, amount)
            had[owner] -= min(amount, had[owner])
        elif shares.take(owner, amount, most=8, share=5):
            had[owner] += amount
    assert {owner: shares.of(owner) for owner in "abc"} == {owner: had[owner] for owner in "abc"}
    assert shares.used == had.total() <= 8
