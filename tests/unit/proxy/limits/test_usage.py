"""What is in use of a worker: counted in all, by principal and at each server, and given back."""

from proxy.limits.forgetful import MOST_IDLE
from proxy.limits.seat import CallLimits
from proxy.limits.usage import Usage


def test_what_runs_and_what_is_held_is_told_in_all() -> None:
    usage = Usage()
    assert usage.running.take("user:1", 2, most=4, share=4)
    assert usage.held.take("user:2", 100, most=400, share=400)
    assert (usage.calls_in_flight, usage.bytes_in_flight, usage.at_servers) == (2, 100, 0)


def test_places_are_counted_per_server_and_given_back() -> None:
    usage = Usage()
    assert usage.enter("a", "user:1", "t", 2)
    assert usage.enter("a", "user:2", "t", 2)
    assert not usage.enter("a", "user:3", "t", 2)
    assert usage.enter("b", "user:3", "t", 2)
    assert usage.at_servers == 3
    usage.leave("a", "user:1", "t")
    assert usage.enter("a", "user:3", "t", 2)
    for _ in range(5):
        usage.leave("a", "user:2", "t")
        usage.leave("a", "user:3", "t")
    assert usage.enter("a", "user:1", "t", 1)


def test_one_principal_has_at_most_half_of_a_servers_places_and_two_never_all() -> None:
    usage = Usage()
    assert [usage.enter("a", "user:greedy", "t", 10) for _ in range(6)] == [True] * 5 + [False]
    assert [usage.enter("a", "user:other", "u", 10) for _ in range(6)] == [True] * 4 + [False] * 2
    usage.leave("a", "user:greedy", "t")
    assert usage.enter("a", "user:greedy", "t", 10)


def test_a_place_that_a_seat_takes_at_a_forgotten_server_is_counted_once_and_given_back_by_name() -> None:
    usage = Usage()
    seat = usage.seat("user:1", "forgotten", "t", CallLimits(calls=9, room=900, at_server=9))
    for number in range(MOST_IDLE):
        usage.enter(f"s{number}", "user:2", "t", 1)
        usage.leave(f"s{number}", "user:2", "t")
    assert "forgotten" not in usage._at_servers._counts
    assert seat.take(1)
    assert usage.at_servers == 1
    usage.found_by_name("forgotten", "user:1", "t")
    assert usage.at_servers == 1
    usage.leave("forgotten", "user:1", "t")
    assert usage.at_servers == 0
