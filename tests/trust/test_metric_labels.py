"""Nothing that a caller says becomes a label, so nobody makes series without end (row X-3)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.telemetry.exposition import render
from tests.fixtures_program import eventually
from tests.proxy.conftest import MakeRig, Rig

MARK = "zq7"
EVIL = f'{MARK}"}} 1\narchway_forged_total{{x="{MARK}\\'
TIMES = 40

Say = Callable[[Rig, int], Awaitable[Any]]


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    return tmp_path / "worker-1.counts"


@pytest.fixture
async def rig(make_rig: MakeRig, counts: Path) -> AsyncIterator[Rig]:
    async with make_rig(metrics_file=str(counts)) as running:
        yield running


async def say_tool_name(rig: Rig, number: int) -> None:
    await rig.call(f"{MARK}-{number}")
    await rig.legacy("tools/call", {"name": EVIL + str(number), "arguments": {}})


async def say_client_id(rig: Rig, number: int) -> None:
    info = {"io.modelcontextprotocol/clientInfo": {"name": f"{MARK}-{number}", "version": EVIL}}
    await rig.modern("tools/call", {"name": "nothing", "arguments": {}}, meta=info)
    await rig.call("nothing", headers={"User-Agent": f"{MARK}-{number}"})


async def say_path(rig: Rig, number: int) -> None:
    await rig.call("nothing", gateway=f"{MARK}-{number}")
    async with rig.http.post(f"http://127.0.0.1:{rig.port}/{MARK}/{number}") as answer:
        await answer.read()


async def a_gauge_has_been_read(counts: Path) -> None:
    """The worker reads its gauges now and then: on a busy machine for the first time long after its first call."""

    async def read() -> bool:
        return any(name == "archway_snapshot_revision" for name, _ in series(counts))

    await eventually(read, within=30, what="the first reading of the gauges")


def series(counts: Path) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = render([counts]).decode()
    assert MARK not in text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    "say",
    [
        pytest.param(say_tool_name, id="X-3: tool name"),
        pytest.param(say_client_id, id="X-3: client id"),
        pytest.param(say_path, id="X-3: path"),
    ],
)
async def test_what_callers_say_makes_no_series(rig: Rig, counts: Path, say: Say) -> None:
    await rig.serve([])
    await rig.call("nothing")
    await say(rig, 0)
    await a_gauge_has_been_read(counts)
    before = series(counts)
    for number in range(1, TIMES):
        await say(rig, number)

    after = series(counts)

    assert after.keys() == before.keys()
    assert sum(after.values()) > sum(before.values()) + TIMES  # it was all counted
