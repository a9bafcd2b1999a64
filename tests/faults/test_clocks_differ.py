"""The clock of one host is off: a proxy is ahead of control or behind it, by more than their questions may be old.

It must not only seem that control is away. The proxy is a real process whose clock is moved before its first line
runs, by a `sitecustomize` on its path.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from archway.doctor.asking import TO_CONTROL, TO_PROXIES, ask
from tests.fixtures_postgres import Server
from tests.fixtures_program import ROOT, eventually
from tests.fixtures_system import Person, System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOVED = """
import datetime, os, time

ahead = float(os.environ["TEST_CLOCK_AHEAD"])
true = time.time


def moved():
    return true() + ahead


class Moved(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=ahead)


time.time = moved
datetime.datetime = Moved
"""
REFUSED = pytest.mark.parametrize(
    "ahead", [95.0, -125.0], ids=["F-10: a proxy 95 s ahead", "F-10: a proxy 125 s behind"]
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    (folder / "moved").mkdir()
    (folder / "moved" / "sitecustomize.py").write_text(MOVED)
    async with running_system(folder, postgres, people=2, soft_age=0.4, max_stale=600.0) as running:
        yield running


async def move_clock(system: System, ahead: float) -> None:
    """Start the proxy again with its clock so far ahead."""
    path = f"{system.folder / 'moved'}:{ROOT}" if ahead else str(ROOT)
    system.proxies[0].environment |= {"PYTHONPATH": path, "TEST_CLOCK_AHEAD": str(ahead)}
    await system.stop_proxy(0)
    system.proxies[0].start()
    await system.proxies[0].ready(system.http)


@pytest.fixture(autouse=True)
def _a_log_of_its_own(system: System) -> None:
    for program in (system.proxies[0], system.controls[0]):
        (system.folder / f"{program.name}.log").write_bytes(b"")


def said(system: System, by: str, event: str) -> list[dict[str, object]]:
    text = (system.folder / f"{by}.log").read_text()
    lines = [orjson.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


@REFUSED
async def test_both_logs_and_the_metric_say_that_it_is_the_clock(system: System, ahead: float) -> None:
    stranger = await system.add_person(f"stranger-{ahead:g}")
    await move_clock(system, ahead)

    assert (await system.call(stranger)).status == "http 503"

    line = said(system, "proxy-0", "this proxy's clock differs from control's")[0]
    assert line["refused"]
    assert abs(float(str(line["ahead_s"])) - ahead) < 20
    assert said(system, "control-0", "internal call refused for its time")

    async def is_told() -> bool:
        return abs(system.proxies[0].counted("archway_control_clock_difference_seconds") - abs(ahead)) < 20

    await eventually(is_told, 60, "the metric tells the difference")


@REFUSED
async def test_a_discovery_through_that_proxy_says_so_too(system: System, ahead: float) -> None:
    await move_clock(system, ahead)
    path = f"/installations/{system.installation['id']}/discover"

    answer = await system.admin.post(path)

    reason = orjson.loads(answer.body)["state_reason"]
    assert ("behind" if ahead > 0 else "ahead of") in reason
    assert "clock" in reason
    assert said(system, "control-0", "a proxy's clock differs from control's")


@REFUSED
async def test_the_doctor_tells_it_from_a_plane_that_is_away_and_from_another_key(
    system: System, ahead: float
) -> None:
    """It runs beside control here, so that what differs is the proxy's clock."""
    await move_clock(system, ahead)
    key, internal = system.keys["ARCHWAY_PROXY_KEY"], system.proxies[0].environment["ARCHWAY_PROXY_INTERNAL_LISTEN"]
    control = system.controls[0].environment["ARCHWAY_CONTROL_INTERNAL_LISTEN"]

    (of_proxy,) = await asyncio.to_thread(ask, TO_PROXIES, [f"http://{internal}"], key, "", must=True)
    (of_control,) = await asyncio.to_thread(ask, TO_CONTROL, [f"http://{control}"], key, "", must=True)

    assert of_proxy.wrong
    assert "clock" in of_proxy.what
    assert "KEY" not in of_proxy.what
    assert not of_control.wrong, of_control.line


@pytest.mark.parametrize("ahead", [45.0, -45.0])
async def test_a_clock_that_is_less_off_is_warned_of_and_everything_works(system: System, ahead: float) -> None:
    stranger: Person = await system.add_person(f"drift-{ahead:g}")
    await move_clock(system, ahead)

    assert (await system.call(stranger)).status == "ok"

    assert not said(system, "proxy-0", "this proxy's clock differs from control's")[0]["refused"]


async def test_once_the_clock_is_right_everything_works_again(system: System) -> None:
    stranger = await system.add_person("afterwards")
    await move_clock(system, 0.0)

    assert (await system.call(stranger)).status == "ok"
    answer = await system.admin.post(f"/installations/{system.installation['id']}/discover")
    assert orjson.loads(answer.body)["state"] == "ready", answer.body
    assert not said(system, "proxy-0", "this proxy's clock differs from control's")
