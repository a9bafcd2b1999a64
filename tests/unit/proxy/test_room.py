import pytest

from proxy.limits.shares import quarter
from proxy.refusals import Refusal
from proxy.room import at_end, reserve, try_reserve
from tests.fakes.call_parts import exchange, gateway, parts


async def test_one_principal_has_a_quarter_of_the_room_and_gives_it_back_at_the_end() -> None:
    async with parts(bytes_in_flight=100) as deps:
        greedy, other = exchange(gateway()), exchange(gateway())
        other.principal_key = "user:other"
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
