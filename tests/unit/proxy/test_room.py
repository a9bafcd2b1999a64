import pytest

from proxy.limits.shares import quarter
from proxy.refusals import Refusal
from proxy.room import at_end, hold_read, no_room, reserve, try_reserve
from tests.fakes.call_parts import exchange, gateway, installation, parts
from tests.fakes.callers import a_user


async def test_one_principal_has_a_quarter_of_the_room_and_gives_it_back_at_the_end() -> None:
    async with parts(bytes_in_flight=100) as deps:
        greedy, other = exchange(gateway()), exchange(gateway())
        other.caller = a_user("other")
        reserve(greedy, deps, 25)
        with pytest.raises(Refusal, match="overloaded"):
            reserve(greedy, deps, 1)
        assert try_reserve(other, deps, 25)
        for _ in range(2):
            at_end(greedy, deps)
            assert deps.usage.bytes_in_flight == 25


async def test_a_call_whose_caller_has_left_takes_no_room_that_nobody_would_give_back() -> None:
    async with parts() as deps:
        x = exchange(gateway())
        at_end(x, deps)
        assert try_reserve(x, deps, 10)
        assert deps.usage.bytes_in_flight == 0


async def test_a_call_that_outlives_its_caller_holds_its_room_until_it_is_over() -> None:
    async with parts() as deps:
        x = exchange(gateway())
        reserve(x, deps, 10)
        x.runs = True
        at_end(x, deps)
        assert deps.usage.bytes_in_flight == 10
        x.runs = False
        at_end(x, deps)
        assert deps.usage.bytes_in_flight == 0


def test_a_quarter_is_at_least_one() -> None:
    assert [quarter(most) for most in (1, 7, 8)] == [1, 1, 2]


async def test_a_large_answer_that_is_read_takes_the_place_of_what_its_call_read_before() -> None:
    async with parts(bytes_in_flight=400) as deps:
        x = exchange(gateway())
        x.runs = True
        reserve(x, deps, 10)
        for size in (50, 90, 0, 30):
            assert hold_read(x, deps, size)
            assert deps.usage.bytes_in_flight == x.bytes_held == 10 + size
        assert not hold_read(x, deps, 91)
        assert deps.usage.bytes_in_flight == x.bytes_held == 10
        assert hold_read(x, deps, 90)
        x.runs = False
        at_end(x, deps)
        assert hold_read(x, deps, 90)
        assert (deps.usage.bytes_in_flight, x.bytes_held, x.bytes_read) == (0, 0, 0)


async def test_a_call_that_outlives_its_caller_holds_room_for_the_large_answer_that_it_reads() -> None:
    async with parts() as deps:
        x = exchange(gateway())
        x.runs = True
        at_end(x, deps)
        assert hold_read(x, deps, 10)
        assert deps.usage.bytes_in_flight == 10
        x.runs = False
        at_end(x, deps)
        assert deps.usage.bytes_in_flight == 0


async def test_the_refusal_of_an_answer_says_how_much_room_its_caller_has_left() -> None:
    async with parts(bytes_in_flight=400) as deps:
        x = exchange(gateway())
        x.installation = installation()
        reserve(x, deps, 60)
        assert no_room(x, deps).words["limit"] == 40
