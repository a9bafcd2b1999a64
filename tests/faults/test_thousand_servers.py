"""A thousand servers in one cluster (row L-9): how long a pass over all of them takes, and what is asked afterwards.

Cluster and platform share one process and one core here, so the first figure is of both together.
"""

from __future__ import annotations

import asyncio
import resource
import time
import uuid
from pathlib import Path

import pytest

from control.orchestrator.kinds import applied
from tests.kube.fake_server import FakeKube
from tests.kube.passing import Passing, UnderWay, running
from tests.kube.platform import NAMESPACE, RowsInMemory, platform
from tests.plugins.moved_clock import MovedClock

SERVERS = 1_000
PASS_S = 30.0
STEADY_S = 1_200
MOST_CALLS_A_SECOND = 1.0


@pytest.fixture
def rows() -> RowsInMemory:
    made = RowsInMemory()
    made.generations = {str(uuid.uuid4()): 1 for _ in range(SERVERS)}
    return made


def memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def all_applied(kube: FakeKube) -> float:
    """Seconds of processor time until each server has its objects."""
    began = time.process_time()
    for _ in range(6_000):
        if all(len(kube.things(kind.plural, NAMESPACE)) >= SERVERS for kind in applied("kubernetes")):
            return time.process_time() - began
        await asyncio.sleep(0.1)
    raise AssertionError("they were not applied in ten minutes")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("a_pass", "steady"), [pytest.param(PASS_S, MOST_CALLS_A_SECOND, id="L-9: full pass and steady state")]
)
async def test_a_pass_takes_seconds_and_then_hardly_anything_is_asked(
    a_pass: float, steady: float, rows: RowsInMemory, tmp_path: Path, clock: MovedClock
) -> None:
    under_way, before = UnderWay(), memory_mib()
    async with FakeKube() as kube, platform(kube, rows, tmp_path, under_way) as one, running(one.run()):
        took = await all_applied(kube)
        passing = Passing(clock, under_way)
        await passing.until(lambda: sum(state.phase == "ready" for state in rows.states.values()) == SERVERS, by=0.1)
        await passing.seconds(400, by=5)  # the first resync
        kube.requests.clear()
        await passing.seconds(STEADY_S, by=5)
        a_second = len(kube.requests) / STEADY_S
    print(f"full pass {took:.1f} s; {a_second:.2f} calls a second; {memory_mib() - before:.0f} MiB with the fake's")
    assert took < a_pass
    assert a_second <= steady
