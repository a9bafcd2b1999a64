"""Steps of signing in at one worker, added up; a flood has little to tell."""

from __future__ import annotations

from core.sign_in_steps import LONGEST, MOST_TOLD, ToldStep
from proxy.telemetry.sign_in_steps import OF_ONE, SignInSteps, short


def step(address: str, gateway: str = "g") -> ToldStep:
    return ToldStep("challenge", address, gateway)


def test_equal_steps_of_one_network_are_one_that_counts_them() -> None:
    steps = SignInSteps()
    for address in ("2001:db8:1:2::1", "2001:db8:1:2::9", "192.0.2.1"):
        steps.note(step(address))
    assert [(one.address, one.times) for one in steps.take()] == [("2001:db8:1:2::1", 2), ("192.0.2.1", 1)]


def test_what_was_taken_is_not_told_again() -> None:
    steps = SignInSteps()
    steps.note(step("192.0.2.1"))
    assert len(steps.take()) == 1
    assert steps.take() == []
    steps.note(step("192.0.2.1"))
    assert [one.times for one in steps.take()] == [1]


def test_a_network_has_so_many_and_all_of_them_so_many() -> None:
    steps = SignInSteps()
    for number in range(OF_ONE * 3):
        steps.note(step("192.0.2.1", f"g{number}"))
    assert len(steps._steps) == OF_ONE
    for number in range(MOST_TOLD * 3):
        steps.note(step(f"198.51.{number // 256}.{number % 256}"))
    assert len(steps.take()) == MOST_TOLD


def test_a_text_is_cut_to_what_may_be_told() -> None:
    assert short("x" * 9_000) == "x" * LONGEST
