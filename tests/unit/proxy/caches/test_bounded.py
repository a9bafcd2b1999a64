from __future__ import annotations

import pytest

from proxy.caches.bounded import Bounded


def full() -> Bounded[str, int]:
    """Three entries of at most three, put in the order of the alphabet."""
    bounded: Bounded[str, int] = Bounded(3)
    for number, key in enumerate("abc", 1):
        assert bounded.put(key, number) is None
    return bounded


def test_for_one_too_many_the_one_that_was_put_first_goes_and_is_told() -> None:
    bounded = full()
    assert bounded.put("d", 4) == 1
    assert bounded.items() == [("b", 2), ("c", 3), ("d", 4)]


def test_to_get_an_entry_is_to_use_it() -> None:
    bounded = full()
    assert bounded.get("a") == 1
    assert bounded.put("d", 4) == 2
    assert list(bounded) == ["c", "a", "d"]


def test_to_touch_an_entry_is_to_use_it() -> None:
    bounded = full()
    bounded.touch("a")
    assert bounded.put("d", 4) == 2
    with pytest.raises(KeyError):
        bounded.touch("b")


def test_to_set_an_entry_again_is_to_use_it_and_needs_no_room() -> None:
    bounded = full()
    assert bounded.put("a", 10) is None
    assert bounded.put("d", 4) == 2
    assert bounded.values() == [3, 10, 4]


def test_a_look_is_no_use() -> None:
    bounded = full()
    assert bounded.peek("a") == 1
    assert "a" in bounded
    assert bounded.put("d", 4) == 1
    assert bounded.peek("a") is None
    assert "a" not in bounded


def test_what_is_not_here_is_none() -> None:
    bounded = full()
    assert (bounded.get("x"), bounded.peek("x"), bounded.pop("x")) == (None, None, None)


def test_an_entry_is_forgotten_and_makes_room() -> None:
    bounded = full()
    assert bounded.pop("b") == 2
    assert len(bounded) == 2
    assert bounded.put("d", 4) is None


def test_all_is_forgotten_and_looks_see_that() -> None:
    bounded = full()
    bounded.clear()
    assert (len(bounded), bounded.peek("a")) == (0, None)
    bounded.put("d", 4)
    assert (bounded.peek("d"), len(bounded)) == (4, 1)


def test_entries_may_go_while_the_keys_are_walked() -> None:
    bounded = full()
    for key in bounded:
        bounded.pop(key)
    assert len(bounded) == 0
