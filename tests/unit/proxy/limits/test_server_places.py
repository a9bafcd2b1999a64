"""Places at one server: whoever keeps what they are given is never given the last ones."""

from collections import Counter
from random import Random
from typing import NoReturn

import pytest

from proxy.limits.server_places import ServerPlaces
from proxy.limits.shares import Share

MOST = 100


def taken(places: ServerPlaces, callers: list[str], tools: list[str]) -> int:
    """How many of 200 calls get a place, by these callers and of these tools in turn; none gives one back."""
    return sum(places.take(callers[n % len(callers)], tools[n % len(tools)], MOST) for n in range(200))


@pytest.mark.parametrize(("tools", "most"), [(1, 75), (2, 86), (5, 94), (10, 97), (30, 99)])
@pytest.mark.parametrize("callers", [16, 101])
def test_however_many_callers_a_hanging_tool_has_others_find_a_place(tools: int, most: int, callers: int) -> None:
    places = ServerPlaces()
    hanging = [f"hanging-{n}" for n in range(tools)]
    assert taken(places, [f"user:{n}" for n in range(callers)], hanging) <= most
    assert places.take("user:other", "quick", MOST)


@pytest.mark.parametrize(("callers", "most"), [(1, 50), (2, 86), (5, 94), (10, 97)])
def test_however_many_tools_hanging_callers_call_others_find_a_place(callers: int, most: int) -> None:
    places = ServerPlaces()
    tools = [f"tool-{n}" for n in range(101)]
    assert taken(places, [f"user:{n}" for n in range(callers)], tools) <= most
    assert places.take("user:other", "tool-0", MOST)


def test_up_to_half_of_the_places_nobody_is_asked_who_they_are() -> None:
    places = ServerPlaces()
    assert all(places.take("user:1", "t", MOST) for _ in range(50))
    assert not places.take("user:1", "u", MOST)
    assert places.take("user:2", "t", MOST)


@pytest.mark.parametrize(("most", "given"), [(1, 1), (2, 2), (3, 3), (4, 3), (8, 6)])
def test_few_places_are_used_as_far_as_one_can_be_left(most: int, given: int) -> None:
    places = ServerPlaces()
    assert sum(places.take(f"user:{n}", "t", most) for n in range(20)) == given


def test_what_is_given_back_is_there_again_and_never_more() -> None:
    places = ServerPlaces()
    assert places.take("user:1", "t", 1)
    assert not places.take("user:2", "t", 1)
    for _ in range(3):
        places.give_back("user:1", "t")
        places.give_back("user:1", "u")
    assert places.used == 0
    assert places.take("user:2", "t", 1)
    assert not places.take("user:3", "t", 1)


class Counted(dict[str, Share]):
    """Counts that are asked for by key alone: to look through them all would take longer with each call that runs."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("all counts are looked through")

    items = keys = values = __iter__  # type: ignore[assignment]  # none of them may be called


@pytest.mark.parametrize("held", [0, 50, 60, 74])
def test_a_place_is_given_without_a_look_at_what_all_others_hold(held: int) -> None:
    places = ServerPlaces()
    for number in range(held):
        assert places.take(f"user:{number}", f"t{number}", MOST)
    for counts in (places.callers, places.tools):
        counts._owners._counts = Counted(counts._owners._counts)
    assert places.take("user:other", "other", MOST)
    places.give_back("user:other", "other")
    assert places.used == held


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_taken_and_given_back_the_counts_are_those_of_what_is_held(seed: int) -> None:
    places, held, random = ServerPlaces(), Counter[tuple[str, str]](), Random(seed)
    for _ in range(2_000):
        line = f"user:{random.randrange(4)}", f"t{random.randrange(4)}"
        if random.random() < 0.6 and places.take(*line, 20):
            held[line] += 1
        elif held[line]:
            places.give_back(*line)
            held[line] -= 1
        assert places.used == held.total()
    for counts, one in ((places.callers, 0), (places.tools, 1)):
        having = {owner: share.used for owner, share in counts._owners._counts.items() if share.used}
        assert having == +Counter(line[one] for line in held.elements())
