import pytest

from proxy.upstream import breakers
from proxy.upstream.breakers import Breakers


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(breakers, "time", made)
    return made


def failed(times: int) -> Breakers:
    made = Breakers()
    for _ in range(times):
        made.failed("a")
    return made


def test_four_failures_in_a_row_are_not_enough(clock: Clock) -> None:
    made = failed(4)
    assert made.admits("a")
    made.answered("a")
    made.failed("a")
    assert made.admits("a")


def test_after_five_the_upstream_rests_and_another_does_not(clock: Clock) -> None:
    made = failed(5)
    assert not made.admits("a")
    assert made.admits("b")


def test_after_the_rest_one_may_try_and_the_others_wait_again(clock: Clock) -> None:
    made = failed(5)
    clock.now += 5.1
    assert made.admits("a")
    assert not made.admits("a")
    made.answered("a")
    assert made.admits("a")
    assert made.admits("a")


def test_one_more_failure_after_the_rest_begins_it_again(clock: Clock) -> None:
    made = failed(5)
    clock.now += 5.1
    assert made.admits("a")
    made.failed("a")
    clock.now += 4.9
    assert not made.admits("a")


def test_the_table_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers, "_KEPT", 3)
    made = failed(5)
    for name in "bcd":
        made.failed(name)
    assert made.admits("a")
