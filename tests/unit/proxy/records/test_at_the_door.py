from __future__ import annotations

import pytest

from proxy.records.at_the_door import ALL_AT_ONCE, AT_ONCE, EVERY_S, DoorRecords
from tests.plugins.moved_clock import MovedClock


def test_a_caller_leaves_a_few_records_at_once_and_then_none() -> None:
    door = DoorRecords()
    assert [door.take("user:1") for _ in range(AT_ONCE + 3)] == [0] * AT_ONCE + [None] * 3


def test_a_record_now_and_then_says_how_many_before_it_have_none(clock: MovedClock) -> None:
    door = DoorRecords()
    for _ in range(AT_ONCE + 7):
        door.take("user:1")
    clock.pass_by(EVERY_S + 0.1)
    assert [door.take("user:1") for _ in range(3)] == [7, None, None]
    clock.pass_by(EVERY_S + 0.1)
    assert door.take("user:1") == 2


@pytest.mark.parametrize("other", ["user:2", "team:1", "organisation"])
def test_one_callers_flood_takes_nothing_from_another(other: str) -> None:
    door = DoorRecords()
    for _ in range(10 * ALL_AT_ONCE):
        door.take("user:1")
    assert door.take(other) == 0


def test_all_callers_together_are_bounded_too() -> None:
    door = DoorRecords()
    written = sum(door.take(f"user:{number}") is not None for number in range(ALL_AT_ONCE + 500))
    assert ALL_AT_ONCE <= written < ALL_AT_ONCE + 100


def test_of_more_callers_than_fit_the_one_longest_unseen_is_forgotten() -> None:
    door = DoorRecords(callers=2)
    for caller in ("a", "b", "c"):
        for _ in range(AT_ONCE + 1):
            door.take(caller)
    assert door.take("c") is None
    assert door.take("a") == 0
