"""When a worker is overloaded and what it then takes, as a state machine whose clock is the test's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tasks import Tasks
from proxy.limits.overload import AIM_S, LEAST_S, PERIOD_S, PRESSED, Overload

LATE = 0.03


class Worker:
    """A loop of the test's own: time passes when the test says so, and callbacks run at the end of a round."""

    def __init__(self) -> None:
        self.now, self.stolen = 100.0, 0.0
        self.due: list[Callable[[], None]] = []
        self.overload = Overload(
            LATE, clock=lambda: self.now, work_clock=lambda: self.now - self.stolen, soon=self.due.append
        )

    def late_rounds(self, *seconds: float) -> None:
        for one in seconds:
            self.overload.round_took(one, one)

    def end_round(self) -> None:
        due, self.due[:] = list(self.due), []
        for callback in due:
            callback()


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def strained() -> Worker:
    worker = Worker()
    worker.late_rounds(0.1, 0.1)
    assert worker.overload.sheds
    return worker


def test_one_late_round_by_itself_is_no_overload(worker: Worker) -> None:
    worker.late_rounds(2.0, 0.001, 0.5, 0.02, 0.5)
    assert not worker.overload.sheds


def test_late_rounds_that_follow_one_another_are_overload(worker: Worker) -> None:
    worker.late_rounds(*[0.031] * 6)
    assert not worker.overload.sheds
    worker.late_rounds(0.031)
    assert worker.overload.sheds


def test_a_few_late_rounds_that_pass_soon_are_not(worker: Worker) -> None:
    worker.late_rounds(0.05, 0.05, 0.05, 0.01, 0.05, 0.05, 0.05)
    assert not worker.overload.sheds


def test_after_a_late_round_the_next_one_is_measured_too(worker: Worker) -> None:
    assert worker.overload.round_took(0.029, 0.029) is False
    assert worker.overload.round_took(0.031, 0.031) is True


def test_a_round_takes_calls_for_its_budget_and_refuses_the_rest(strained: Worker) -> None:
    taken = 0
    for _ in range(20):
        taken += not strained.overload.refuses("10.0.0.1")
        strained.now += AIM_S / 21
    assert taken == 11  # half of the aim
    strained.end_round()
    assert not strained.overload.refuses("10.0.0.1")


def test_who_has_nothing_in_the_round_is_taken_for_a_second_budget(strained: Worker) -> None:
    assert not strained.overload.refuses("10.0.0.1")
    strained.now += AIM_S * 0.75
    assert strained.overload.refuses("10.0.0.1")
    assert not strained.overload.refuses("10.0.0.2")
    assert strained.overload.refuses("10.0.0.2")
    assert not strained.overload.refuses("10.0.0.3")
    strained.now += AIM_S
    assert strained.overload.refuses("10.0.0.4")


def test_callers_who_come_back_at_once_do_not_have_everybody_refused(strained: Worker) -> None:
    for _ in range(50):
        taken = 0
        for _ in range(600):
            refused = strained.overload.refuses("10.0.0.1")
            taken += not refused
            strained.now += 15e-6 if refused else 100e-6
        assert taken * 100e-6 >= AIM_S / 2
        strained.end_round()
    assert strained.overload._budget == pytest.approx(AIM_S)


def test_less_lag_is_too_much_where_calls_find_no_place(worker: Worker) -> None:
    for _ in range(10):
        worker.late_rounds(LATE / PRESSED + 0.001)
    assert not worker.overload.sheds
    for _ in range(10):
        worker.overload.pressed = True
        worker.late_rounds(LATE / PRESSED + 0.001)
    assert worker.overload.sheds


def test_it_is_over_after_a_period_in_which_few_were_refused(strained: Worker) -> None:
    def period(refused: int) -> None:
        for number in range(100):
            strained.overload.refuses("a")
            strained.now += AIM_S if number < refused else 0
            assert strained.overload.refuses("a") == (number < refused)
            strained.end_round()
        strained.now += PERIOD_S
        strained.overload.refuses("a")
        strained.end_round()

    period(12)
    assert strained.overload.sheds
    period(9)
    assert not strained.overload.sheds


def test_long_rounds_cut_the_budget_and_short_ones_raise_it(strained: Worker) -> None:
    def round_of(seconds: float) -> float:
        strained.overload.refuses("a")
        strained.now += seconds
        strained.end_round()
        return strained.overload._budget

    before = round_of(AIM_S / 2)
    assert round_of(AIM_S / 2) > before > round_of(AIM_S * 2)
    assert [round_of(AIM_S * 2) for _ in range(50)][-1] == LEAST_S
    assert [round_of(AIM_S / 2) for _ in range(50)][-1] == AIM_S


def test_time_that_others_had_of_the_processor_does_not_cut_the_budget(strained: Worker) -> None:
    for _ in range(10):
        strained.overload.refuses("a")
        strained.now += 0.01
        strained.stolen += 0.0099
        strained.end_round()
    assert strained.overload._budget > AIM_S / 2


@given(st.lists(st.tuples(st.floats(0, 0.2), st.lists(st.floats(0, 0.004), max_size=20)), max_size=60))
def test_whatever_the_rounds_are_the_first_call_of_each_is_taken(rounds: list[tuple[float, list[float]]]) -> None:
    worker = Worker()
    worker.late_rounds(0.1, 0.1)
    for took, gaps in rounds:
        verdicts = []
        for gap in gaps:
            verdicts.append(worker.overload.refuses("a"))
            worker.now += gap
        assert not any(verdicts[:1])
        assert verdicts == sorted(verdicts)  # taken, then refused: never again in the round
        worker.now += took
        worker.end_round()
        assert LEAST_S <= worker.overload._budget <= AIM_S


@pytest.mark.parametrize("call_s", [40e-6, 120e-6, 400e-6], ids=["cheap", "usual", "dear"])
@pytest.mark.parametrize("times", [1.5, 3, 10])
def test_what_is_taken_fills_the_worker_and_no_more(call_s: float, times: float) -> None:
    """A worker in a model: a third of a call's cost at its headers, a third in each of the next two rounds."""
    worker, refusal_s, waiting, served, began, rounds = Worker(), call_s / 20, 100.0, 0, 0.0, []
    lengths: list[float] = []
    later = [0, 0]
    for number in range(2000):
        if number == 500:  # it has settled
            served, began = 0, worker.now
        start = worker.now
        taken = refused = 0
        for _ in range(int(waiting)):
            if worker.overload.sheds and worker.overload.refuses("a"):
                worker.now += refusal_s
                refused += 1
            else:
                taken += 1
                worker.now += call_s / 3
        worker.now += sum(later) * call_s / 3 + 20e-6
        served += later[1]
        later = [taken, later[0]]
        took = worker.now - start
        waiting = waiting - int(waiting) + times / call_s * took
        rounds.append(took - refused * refusal_s)
        lengths.append(took)
        if not worker.overload.sheds:
            worker.overload.round_took(took, took)
        worker.end_round()
    room = (1 - times / 20) / (1 - 1 / 20)  # what refusing leaves
    assert served * call_s / (worker.now - began) > 0.9 * room
    assert sorted(rounds[500:])[int(0.99 * 1500)] < 4 * AIM_S
    assert sorted(lengths[500:])[int(0.99 * 1500)] < 4 * AIM_S / room


async def test_rounds_of_the_real_loop_are_measured() -> None:
    watched, tasks = Overload(0.001), Tasks("test")
    tasks.spawn("watch", watched.watch())
    async with asyncio.timeout(30):
        while not watched.sheds:
            for _ in range(20):
                _block(0.004)
                await asyncio.sleep(0)
        assert watched.longest >= 0.004
        while watched.sheds:  # noqa: ASYNC110 - nothing tells when it is over
            await asyncio.sleep(0.05)
    await tasks.close()


def _block(seconds: float) -> None:
    """As a callback does that takes long."""
    time.sleep(seconds)


def test_strangers_take_nothing_of_what_known_callers_may_have(strained: Worker) -> None:
    overload = strained.overload
    for _ in range(20):
        told = []
        for number in range(200):
            told.append(overload.refuses("192.0.2.1", stranger=True))
            strained.now += 0.0002  # what it takes to refuse one, or to find that it has no token
            if number % 50 == 49:
                assert not overload.refuses(f"192.0.2.{number}")
                strained.now += 0.0001
        assert not told[0]
        assert sum(told) > 180
        strained.end_round()
    assert overload.sheds
    assert overload._budget == pytest.approx(AIM_S)  # what was done for strangers has not cut it


def test_known_callers_take_nothing_of_what_strangers_may_have(strained: Worker) -> None:
    overload = strained.overload
    assert not overload.refuses("192.0.2.1")
    strained.now += 1.0
    assert overload.refuses("192.0.2.2")
    assert not overload.refuses("192.0.2.3", stranger=True)
    strained.end_round()
    assert overload._budget < AIM_S / 2
