from __future__ import annotations

from unittest.mock import patch

import pytest

from proxy.limits.budget import Budget, household


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _virtual_time(clock: Clock) -> object:
    with patch("proxy.limits.budget.time", clock):
        yield


def taken(budget: Budget, source: str, tries: int = 1000) -> int:
    return sum(budget.take(source) for _ in range(tries))


def test_one_source_gets_its_share_and_a_burst_of_two_seconds(clock: Clock) -> None:
    budget = Budget(10, share=0.5)
    assert taken(budget, "a") == 10
    clock.now += 1
    assert taken(budget, "a") == 5


def test_a_source_beyond_its_share_takes_nothing_from_the_others(clock: Clock) -> None:
    budget = Budget(10, share=0.5)
    taken(budget, "flood")
    assert taken(budget, "quiet") == 10


def test_all_sources_together_stay_within_the_whole(clock: Clock) -> None:
    budget = Budget(10)
    assert sum(budget.take(f"192.0.2.{number}") for number in range(200)) == 20
    clock.now += 3600
    assert sum(budget.take(f"198.51.100.{number}") for number in range(200)) == 20


def test_the_smallest_budget_still_lets_the_first_one_in(clock: Clock) -> None:
    """A bucket that is made a moment after its time was read must not start below one."""
    budget = Budget(1, share=0.5)
    clock.now = 5.0
    made_later = patch.object(clock, "monotonic", side_effect=[5.0, 5.001])
    with made_later:
        assert budget.take("a")


def test_the_table_of_sources_is_bounded(clock: Clock) -> None:
    budget = Budget(1e6, sources=10)
    for number in range(1000):
        budget.take(f"192.0.2.{number}")
    assert len(budget._of) == 10


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("[not: an address", "[not: an address"),
        ("", ""),
    ],
)
def test_what_one_caller_may_have_is_counted_as_one(address: str, counted_as: str) -> None:
    assert household(address) == counted_as


def test_things_of_different_sizes_share_a_budget_and_one_beyond_a_share_is_too_much(clock: Clock) -> None:
    budget = Budget(10, share=0.5)
    assert [budget.take("a", size) for size in (11, 4, 6, 1)] == [False, True, True, False]
    clock.now += 1
    assert budget.take("a", 5)
