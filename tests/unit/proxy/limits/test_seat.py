"""A seat takes and gives back exactly what the same call takes one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.seat import CallLimits
from proxy.limits.shares import quarter
from proxy.limits.usage import Usage

LIMITS = CallLimits(calls=8, room=40, at_server=5)
LINES = [(principal, tool) for principal in "ab" for tool in "tu"]
STEPS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(LINES), st.sampled_from(["take", "leave", "room"]), st.integers(0, 12)),
    max_size=60,
)


def take(usage: Usage, principal: str, tool: str, size: int) -> bool:
    """As the stages do."""
    calls, room = LIMITS.calls, LIMITS.room
    if not usage.held.take(principal, size, most=room, share=quarter(room)):
        return False
    if not usage.running.take(principal, 1, most=calls, share=quarter(calls)):
        usage.held.give_back(principal, size)
        return False
    if not usage.enter("s", principal, tool, LIMITS.at_server):
        usage.running.give_back(principal, 1)
        usage.held.give_back(principal, size)
        return False
    return True


@given(STEPS)
def test_seats_and_stages_take_of_the_same_and_are_refused_alike(
    steps: list[tuple[bool, tuple[str, str], str, int]],
) -> None:
    mixed, plain = Usage(), Usage()
    seats = {line: mixed.seat(line[0], "s", line[1], LIMITS) for line in LINES}
    held: dict[tuple[str, str], list[int]] = {line: [] for line in LINES}
    for by_seat, line, what, size in steps:
        principal, tool = line
        if what == "take":
            taken = seats[line].take(size) if by_seat else take(mixed, principal, tool, size)
            assert taken == take(plain, principal, tool, size)
            if taken:
                held[line].append(size)
        elif held[line] and what == "leave":
            had = held[line].pop()
            plain.running.give_back(principal, 1)
            plain.leave("s", principal, tool)
            plain.held.give_back(principal, had)
            if by_seat:
                seats[line].leave()
                seats[line].give_room_back(had)
            else:
                mixed.running.give_back(principal, 1)
                mixed.leave("s", principal, tool)
                mixed.held.give_back(principal, had)
        elif what == "room":
            more = seats[line].take_room(size)
            assert more == plain.held.take(principal, size, most=LIMITS.room, share=quarter(LIMITS.room))
            if more:
                seats[line].give_room_back(size)
                plain.held.give_back(principal, size)
        assert (mixed.calls_in_flight, mixed.bytes_in_flight, mixed.at_servers) == (
            plain.calls_in_flight,
            plain.bytes_in_flight,
            plain.at_servers,
        )
