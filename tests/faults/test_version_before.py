"""One plane of the version before beside one of this, as in the middle of an upgrade: real processes of both sources.

The order of an upgrade is control first; the other way round it must do for as long as somebody goes back.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fixtures_postgres import Server
from tests.fixtures_program import ROOT, eventually
from tests.fixtures_system import System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEFORE = "4dcb792181300288c2df97e092155b00bbe9c7e4"
"""A commit that was in use before this one. With a release it becomes the commit of that release."""
MARK = "0.0.before"
"""What the version before calls itself here, so that one sees that it runs."""


@pytest.fixture(scope="module")
def sources_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the version before, from this clone's own history."""
    folder = tmp_path_factory.mktemp("before")
    command = ["git", "-c", f"safe.directory={ROOT}", "archive", BEFORE, "core", "proxy", "control", "archway"]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("this clone has no history of the version before: git fetch --unshallow")
    _ = subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    with (folder / "core" / "our_version.py").open("a") as told:
        _ = told.write(f'VERSION = "{MARK}"\n')
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running_system(
        tmp_path_factory.mktemp("system"), postgres, people=1, soft_age=600.0, max_stale=3600.0
    ) as running:
        yield running


@pytest.mark.parametrize(
    "of_before",
    [
        pytest.param("proxies", id="F-18: old proxy with new control"),
        pytest.param("controls", id="F-18: new proxy with old control"),
    ],
)
async def test_a_plane_of_the_version_before_and_one_of_this_serve_together(
    of_before: str, system: System, sources_before: Path
) -> None:
    (old,) = getattr(system, of_before)
    old.environment["PYTHONPATH"] = str(sources_before)
    try:
        for program in (*system.controls, *system.proxies):
            await system.restart(program)
        assert [plane for plane, is_old in (await _are_of_before(system)).items() if is_old] == [of_before]
        await _everything_between_them(system, of_before)
    finally:
        del old.environment["PYTHONPATH"]


async def _everything_between_them(system: System, name: str) -> None:
    """Questions, snapshots, news and records, each at least once."""
    known, stranger = system.people[0], await system.add_person(f"of-{name}")
    for person in (known, stranger):
        assert (await system.call(person)).status == "ok"
    _ = await system.add_gateway(f"for-{name}")
    called = await system.call(stranger, gateway=f"for-{name}")
    assert called.status == "ok"

    async def is_recorded() -> bool:
        return called.request_id in {record["request_id"] for record in await system.records()}

    await eventually(is_recorded, 60, "the call's record has arrived")
    await system.revoke(stranger)

    async def is_refused() -> bool:
        return (await system.call(stranger)).status == "http 401"

    # Far within the soft age: it is the news that ends it, and nothing else.
    await eventually(is_refused, 60, "the revoked token is refused")
    assert (await system.call(known)).status == "ok"


async def _are_of_before(system: System) -> dict[str, bool]:
    """Which planes say that they are of the version before."""
    told = await system.ask("server/discover", token=system.people[0].token)
    deployment = await system.admin.get("/deployment")
    return {
        "proxies": told.result["_meta"]["io.modelcontextprotocol/serverInfo"]["version"] == MARK,
        "controls": deployment.json["version"] == MARK,
    }
