from __future__ import annotations

import time

import pytest

from proxy.caches.two_ages import PATIENCE_S
from proxy.resolve.control_pulse import FAILURES, ControlPulse
from tests.plugins.moved_clock import MovedClock


@pytest.fixture
def pulse(clock: MovedClock) -> ControlPulse:
    clock.pass_by(1000 - time.monotonic() % 1)
    return ControlPulse()


def test_a_control_that_was_never_asked_is_waited_for(pulse: ControlPulse) -> None:
    assert (pulse.away, pulse.late, pulse.patience()) == (False, False, PATIENCE_S)


def test_a_question_without_an_answer_makes_control_late_once_the_patience_is_over(
    pulse: ControlPulse, clock: MovedClock
) -> None:
    pulse.begins("one")
    assert pulse.patience() == PATIENCE_S
    clock.pass_by(PATIENCE_S + 0.1)
    assert (pulse.patience(), pulse.away) == (0.0, False)


def test_one_question_that_takes_long_does_not_make_a_control_late_that_answers_others(
    pulse: ControlPulse, clock: MovedClock
) -> None:
    pulse.begins("a large snapshot")
    for _ in range(5):
        clock.pass_by(PATIENCE_S / 2)
        pulse.begins("another")
        pulse.answers()
        pulse.ends("another")
        assert not pulse.late
    clock.pass_by(PATIENCE_S + 0.1)
    assert pulse.late


def test_a_question_that_nobody_waits_for_any_more_makes_nothing_late(pulse: ControlPulse, clock: MovedClock) -> None:
    pulse.begins("one")
    pulse.ends("one")
    clock.pass_by(60)
    assert not pulse.late


def test_a_failed_question_makes_control_late_until_one_is_answered(pulse: ControlPulse, clock: MovedClock) -> None:
    pulse.fails()
    clock.pass_by(60)
    assert (pulse.late, pulse.away) == (True, False)
    pulse.answers()
    assert not pulse.late


def test_after_failures_in_a_row_control_is_left_alone_but_for_a_probe_now_and_then(
    pulse: ControlPulse, clock: MovedClock
) -> None:
    for _ in range(FAILURES):
        pulse.fails()
    assert pulse.away
    clock.pass_by(1.1)
    assert not pulse.away
    pulse.begins("the probe")
    assert (pulse.away, pulse.patience()) == (True, 0.0)
    pulse.answers()
    assert not pulse.away
