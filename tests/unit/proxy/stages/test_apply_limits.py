import pytest

from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.stages.apply_limits import apply_limits
from proxy.stages.choose_tool import choose_tool
from tests.fakes.call_parts import exchange, gateway, parts, tool
from tests.fakes.callers import a_user


async def test_a_call_takes_one_of_its_upstreams_places() -> None:
    held = gateway([tool()])
    async with parts(calls_per_upstream=1) as deps:
        first, second = exchange(held), exchange(held)
        for x in (first, second):
            choose_tool(x, deps)
        apply_limits(first, deps)
        assert first.holds_slot
        with pytest.raises(Refusal) as refusal:
            apply_limits(second, deps)
        assert refusal.value.reason == "busy"
        assert not second.holds_slot  # so it gives none back


async def test_where_a_record_is_demanded_and_cannot_be_kept_no_place_is_taken() -> None:
    held = gateway([tool()], audit_required=True)
    async with parts() as deps:
        x: Exchange = exchange(held)
        choose_tool(x, deps)
        for _ in range(3):
            await deps.sessions.open("x", "g", a_user("p"))
        while not deps.records._redis.away:
            await deps.installations.resolved.drop("x")
        with pytest.raises(Refusal) as refusal:
            apply_limits(x, deps)
        assert refusal.value.reason == "audit_unavailable"
        assert not x.holds_slot
