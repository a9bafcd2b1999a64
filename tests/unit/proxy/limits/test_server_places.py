"""Places at one server: whoever keeps what they are given is never given the last ones."""

import pytest

from proxy.limits.server_places import ServerPlaces

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
