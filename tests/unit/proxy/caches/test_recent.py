from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caches import recent
from proxy.caches.recent import Recent


def test_a_value_is_there_while_it_is_asked_for_and_gone_when_it_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(recent.time, "monotonic", lambda: now)
    memory: Recent[str, int] = Recent(10, age_s=60)
    memory.put("used", 1)
    memory.put("unused", 2)
    for _ in range(5):
        now += 50
        assert memory.get("used") == 1
    assert memory.get("unused") is None
    assert len(memory) == 1


def test_after_a_long_silence_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(recent.time, "monotonic", lambda: now)
    memory: Recent[str, int] = Recent(10, age_s=60)
    memory.put("a", 1)
    now += 120
    assert memory.get("a") is None
    assert len(memory) == 0


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans())), st.integers(1, 5))
def test_it_is_bounded_and_never_says_another_keys_value(steps: list[tuple[int, bool]], most: int) -> None:
    memory: Recent[int, str] = Recent(most)
    for key, puts in steps:
        if puts:
            memory.put(key, f"value of {key}")
            assert memory.get(key) == f"value of {key}"
        else:
            assert memory.get(key) in {None, f"value of {key}"}
        assert len(memory) <= 2 * most + 1


def test_it_is_bounded_however_much_of_it_is_asked_for_again() -> None:
    memory: Recent[int, int] = Recent(10)
    for number in range(100):
        memory.put(number, number)
        for earlier in range(number):
            memory.get(earlier)
    assert len(memory) <= 2 * 10


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9))), st.integers(9, 30))
def test_what_a_half_holds_takes_no_more_than_its_room(puts: list[tuple[int, int]], room: int) -> None:
    memory: Recent[int, int] = Recent(1000, room=room, size_of=lambda size: size)
    for key, size in puts:
        memory.put(key, size)
        assert memory.get(key) == size
        assert sum(memory.values()) <= 2 * room


def test_what_fits_into_a_half_is_kept_however_it_is_asked_for() -> None:
    memory: Recent[int, int] = Recent(1000, room=60, size_of=lambda size: size)
    for number in range(10):
        memory.put(number, 6)
    for _ in range(3):
        assert [memory.get(number) for number in range(10)] == [6] * 10
