"""How soon a proxy serves after its start: with everything up, and with nothing but its last good copy on disk.

Asserted is that it serves and a bound for a busy machine; the figure is printed (`pytest -s`) and belongs to a
quiet one: at most 2 s and 3 s.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.fixtures_supervised import SupervisedProxy, supervised

A_BUSY_MACHINE_S = 60.0


async def seconds_to_an_answer(proxy: SupervisedProxy) -> tuple[float, float]:
    """Start it again: seconds until `/ready`, and until a known caller's call is answered."""
    await proxy.program.stop()
    proxy.program.start()
    began = time.monotonic()
    await proxy.program.ready(proxy.http)
    ready = time.monotonic() - began
    await proxy.call()
    return ready, time.monotonic() - began


@pytest.mark.parametrize("_", [pytest.param(0, id="L-8: Redis and control up")])
async def test_a_start_with_redis_and_control_up(tmp_path: Path, _: int) -> None:
    async with supervised(tmp_path, workers=2, grace_seconds="1") as proxy:
        ready, answered = await seconds_to_an_answer(proxy)
        print(f"ready after {ready:.2f} s, first answer after {answered:.2f} s; wanted 2 s")
        assert answered < A_BUSY_MACHINE_S


@pytest.mark.parametrize("_", [pytest.param(0, id="L-8: last good snapshot, both down")])
async def test_a_start_from_the_last_good_snapshot_with_both_down(tmp_path: Path, _: int) -> None:
    copies = tmp_path / "copies"
    async with supervised(tmp_path, workers=2, grace_seconds="1", disk_cache=str(copies)) as proxy:
        await proxy.call()
        proxy.redis.kill()
        await proxy.control.stop()
        ready, answered = await seconds_to_an_answer(proxy)
        print(f"ready after {ready:.2f} s, first answer after {answered:.2f} s; wanted 3 s")
        assert answered < A_BUSY_MACHINE_S
