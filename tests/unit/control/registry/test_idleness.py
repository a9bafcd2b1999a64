from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from control.registry.idleness import LATE, Idleness

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = 5
IDLE = timedelta(minutes=MINUTES) + LATE
STEPS = st.lists(st.sampled_from(["call", "look", "forgotten"]) | st.integers(1, 600), max_size=60)
"""What happens to a server: a call, a look of whoever ends idle ones, proxies that have forgotten it; or seconds."""


def test_one_that_was_just_used_is_not_idle_and_one_that_was_not_for_so_long_is() -> None:
    found = Idleness(used_at=START)
    assert not found.is_idle(MINUTES, START, START + IDLE - timedelta(seconds=1))
    assert found.is_idle(MINUTES, START, START + IDLE)


def test_time_in_which_nobody_noted_uses_does_not_count() -> None:
    long_ago = Idleness(used_at=START - timedelta(days=1))
    assert not long_ago.is_idle(MINUTES, START, START + timedelta(minutes=1))


def test_one_that_dozes_is_ended_only_if_nobody_wants_it_before_all_have_forgotten_it() -> None:
    dozing = Idleness(used_at=START).dozing(START + IDLE)
    asleep = dozing.asleep(START + IDLE)
    assert asleep is not None
    assert (asleep.is_awake, asleep.asleep_since) == (False, START + IDLE)
    assert dozing.used(START + IDLE).asleep(START + IDLE) is None


def test_only_a_wake_from_sleep_is_counted_as_one() -> None:
    dozing = Idleness(used_at=START).dozing(START)
    asleep = dozing.asleep(START)
    assert asleep is not None
    assert (dozing.used(START).wakes, asleep.used(START).wakes, asleep.used(START).used(START).wakes) == (0, 1, 1)


@dataclass
class Model:
    """What must hold of it, told in another way: by the moments of calls alone."""

    last_call: datetime = START
    told_after_call: bool = False


@given(STEPS)
def test_whatever_happens_a_server_is_ended_only_when_idle_and_told_and_a_call_has_it_run(
    steps,
) -> None:
    now, found, model = START, Idleness(used_at=START), Model()
    for step in steps:
        match step:
            case int(seconds):
                now += timedelta(seconds=seconds)
            case "call":
                was_asleep, wakes = found.asleep_since is not None, found.wakes
                found, model = found.used(now), Model(now)
                assert found.is_awake
                assert found.wakes == wakes + was_asleep
            case "look":
                if found.is_idle(MINUTES, START, now):
                    assert now - model.last_call >= IDLE
                    found, model.told_after_call = found.dozing(now), True
            case "forgotten":
                if (asleep := found.asleep(now)) is not None:
                    assert model.told_after_call
                    found = asleep
        assert found.asleep_since is None or found.dozes_since is None
        assert found.asleep_since is None or now - model.last_call >= IDLE
