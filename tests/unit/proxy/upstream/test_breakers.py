"""What rests a server for everybody, what rests one caller's calls of one tool, and what ends both."""

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


def unreached(times: int, *, slowly: bool = True) -> Breakers:
    """Nobody could connect so often."""
    made = Breakers()
    for _ in range(times):
        made.failed_to_connect("a", slowly=slowly)
    return made


def failed(times: int, made: Breakers | None = None, tool: str = "t", caller: str = "user:1") -> Breakers:
    """So many calls of one tool by one caller were not answered."""
    made = made or Breakers()
    for _ in range(times):
        made.call_failed("a", tool, caller)
    return made


def test_four_failures_in_a_row_are_not_enough(clock: Clock) -> None:
    made = unreached(4)
    assert not made.rests("a")
    made.answered("a", "t", "user:1")
    made.failed_to_connect("a", slowly=True)
    assert not made.rests("a")


def test_after_five_the_upstream_rests_and_another_does_not(clock: Clock) -> None:
    made = unreached(5)
    assert made.rests("a")
    assert not made.rests("b")


@pytest.mark.parametrize(("slowly", "seconds"), [(True, 5.1), (False, 0.51)])
def test_after_the_rest_one_may_try_and_the_others_wait_again(clock: Clock, slowly: bool, seconds: float) -> None:
    made = unreached(5, slowly=slowly)
    clock.now += seconds - 0.2
    assert made.rests("a")
    clock.now += 0.2
    assert not made.rests("a")
    assert made.rests("a")
    made.answered("a", "t", "user:1")
    assert not made.rests("a")
    assert not made.rests("a")


def test_one_more_failure_after_the_rest_begins_it_again(clock: Clock) -> None:
    made = unreached(5)
    clock.now += 5.1
    assert not made.rests("a")
    made.failed_to_connect("a", slowly=True)
    clock.now += 4.9
    assert made.rests("a")


def test_calls_that_are_not_answered_rest_one_callers_calls_of_one_tool_alone(clock: Clock) -> None:
    made = failed(500)
    assert made.rests_call("a", "t", "user:1")
    assert not made.rests_call("a", "t", "user:2")
    assert not made.rests_call("a", "other", "user:1")
    assert not made.rests_call("b", "t", "user:1")
    assert not made.rests("a")
    assert made.doubts_call("a", "t", "user:1")
    assert not made.doubts_call("a", "other", "user:1")


def test_however_many_callers_and_tools_fail_nobody_else_rests(clock: Clock) -> None:
    made = Breakers()
    for number in range(100):
        failed(10, made, f"tool-{number % 7}", f"user:{number}")
    assert not made.rests("a")
    assert not made.rests_call("a", "tool-0", "user:other")
    assert not made.rests_call("a", "other", "user:0")


def test_a_callers_tool_that_rested_is_tried_by_one_call_at_a_time(clock: Clock) -> None:
    made = failed(5)
    clock.now += 5.1
    assert not made.rests_call("a", "t", "user:1")
    assert made.rests_call("a", "t", "user:1")
    made.answered("a", "t", "user:1")
    assert not made.rests_call("a", "t", "user:1")


def test_an_answer_to_another_call_says_that_the_server_is_there_and_nothing_of_the_tool(clock: Clock) -> None:
    made = failed(5, unreached(3))
    made.answered("a", "other", "user:2")
    assert made.rests_call("a", "t", "user:1")
    assert made.doubts("a")
    made.answered("a", "t", "user:1")
    assert not made.doubts("a")


def test_a_call_that_was_sent_says_that_the_server_can_be_reached(clock: Clock) -> None:
    made = failed(1, unreached(4))
    made.failed_to_connect("a", slowly=True)
    assert not made.rests("a")


def test_a_discovery_ends_every_rest(clock: Clock) -> None:
    made = failed(5, unreached(5))
    made.forget("a")
    assert not made.doubts("a")
    assert not made.rests("a")


def test_the_tables_are_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers, "_KEPT", 3)
    monkeypatch.setattr(breakers, "_KEPT_LINES", 3)
    made = failed(5)
    for name in "bcd":
        failed(5, made, caller=name)
    assert not made.rests_call("a", "t", "user:1")
    assert made.rests_call("a", "t", "d")
    for name in "bcd":
        made.failed_to_connect(name, slowly=True)
    assert not made.doubts("a")
