"""Who has waited for long hears something, again and again; nobody else does."""

from __future__ import annotations

from core.tasks import Tasks
from proxy.edge.long_calls import KEEPALIVE_S, LongCalls
from proxy.limits.running_calls import Asked, Calls, CutOff
from tests.plugins.moved_clock import MovedClock


class Call:
    """A call that runs and counts how often its caller heard something."""

    key = None

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.heard = 0

    def keep_alive(self) -> None:
        self.heard += 1

    def asked(self) -> Asked:
        raise AssertionError("nobody asks")

    def cancel(self) -> None:
        raise AssertionError("nobody asks")

    def cut_off(self, why: CutOff) -> None:
        raise AssertionError("nobody asks")


async def test_a_caller_hears_something_each_time_that_it_has_waited_for_long(clock: MovedClock) -> None:
    calls, one = Calls(Tasks("test")), Call("one")
    calls.begins(one)
    long = LongCalls(calls)
    long.look()
    heard = []
    for seconds in (KEEPALIVE_S - 1, 2, KEEPALIVE_S - 2, 3):
        clock.pass_by(seconds)
        long.look()
        heard.append(one.heard)
    assert heard == [0, 1, 1, 2]


async def test_each_call_has_a_time_of_its_own_and_one_that_is_over_is_forgotten(clock: MovedClock) -> None:
    calls, early, late = Calls(Tasks("test")), Call("early"), Call("late")
    calls.begins(early)
    long = LongCalls(calls)
    long.look()
    clock.pass_by(KEEPALIVE_S - 1)
    calls.begins(late)
    long.look()
    clock.pass_by(2)
    long.look()
    assert (early.heard, late.heard) == (1, 0)
    calls.ends(early)
    long.look()
    assert list(long._due) == ["late"]


async def test_a_call_that_goes_on_in_another_way_keeps_its_time(clock: MovedClock) -> None:
    calls, planned, usual = Calls(Tasks("test")), Call("one"), Call("one")
    running = {planned}
    calls.watch(running)
    long = LongCalls(calls)
    long.look()
    clock.pass_by(KEEPALIVE_S - 1)
    running.clear()
    calls.begins(usual)
    long.look()
    clock.pass_by(2)
    long.look()
    assert (planned.heard, usual.heard) == (0, 1)
