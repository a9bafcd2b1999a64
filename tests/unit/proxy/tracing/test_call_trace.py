"""A traced call's stages tell how long they took, whatever a stage is called with."""

import asyncio

import pytest

from proxy.tracing.call_trace import CallTrace


class Stopped(Exception):
    """What a stage raises."""


def plain(number: int) -> None:
    """A stage that waits for nothing."""
    assert number == 7


async def waits(number: int) -> None:
    assert number == 7
    await asyncio.sleep(0.02)


def refuses(number: int) -> None:
    raise Stopped


async def refuses_later(number: int) -> None:
    await asyncio.sleep(0)
    raise Stopped


async def test_each_stage_tells_how_long_it_took_however_it_ended() -> None:
    trace = CallTrace("t", "s", None)
    for stage in trace.timed([plain, waits, refuses, refuses_later]):
        try:
            pending = stage(7)
            if pending is not None:
                await pending
        except Stopped:
            pass
    assert list(trace.stages) == [f"archway.stage.{name}" for name in ("plain", "waits", "refuses", "refuses_later")]
    assert float(trace.stages["archway.stage.waits"]) >= 0.02


def test_a_stage_that_waits_for_nothing_stays_plain() -> None:
    (stage,) = CallTrace("t", "s", None).timed([plain])
    assert stage(7) is None


def test_a_refusal_passes_through() -> None:
    (stage,) = CallTrace("t", "s", None).timed([refuses])
    with pytest.raises(Stopped):
        stage(7)
