import asyncio

import pytest

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.tracing.call_trace import CallTrace
from tests.fakes.call_parts import exchange, gateway, parts


def plain(x: Exchange, deps: Deps) -> None:
    """A stage that waits for nothing."""


async def waits(x: Exchange, deps: Deps) -> None:
    await asyncio.sleep(0.02)


def refuses(x: Exchange, deps: Deps) -> None:
    raise Refusal("overloaded", retry_after=1)


async def refuses_later(x: Exchange, deps: Deps) -> None:
    await asyncio.sleep(0)
    raise Refusal("overloaded", retry_after=1)


async def test_each_stage_tells_how_long_it_took_however_it_ended() -> None:
    trace, x = CallTrace("t", "s", None), exchange(gateway())
    async with parts() as deps:
        for stage in trace.timed([plain, waits, refuses, refuses_later]):
            try:
                pending = stage(x, deps)
                if pending is not None:
                    await pending
            except Refusal:
                pass
    assert list(trace.stages) == [f"archway.stage.{name}" for name in ("plain", "waits", "refuses", "refuses_later")]
    assert float(trace.stages["archway.stage.waits"]) >= 0.02


async def test_a_stage_that_waits_for_nothing_stays_plain() -> None:
    async with parts() as deps:
        (stage,) = CallTrace("t", "s", None).timed([plain])
        assert stage(exchange(gateway()), deps) is None


async def test_a_refusal_passes_through() -> None:
    async with parts() as deps:
        (stage,) = CallTrace("t", "s", None).timed([refuses])
        with pytest.raises(Refusal):
            stage(exchange(gateway()), deps)
