"""A proxy of several workers is restarted while control and Redis stand still.

DESIGN 3: "A disk copy (sealed, setting) holds snapshots and the caches, so that a restart with control and Redis down
serves the callers it knew." It, not one of its workers: each caller was known to one worker only, and may be let in
by another one afterwards.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
import pytest
import pytest_asyncio

from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import Person, System, new_session, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLERS = 12
ROUNDS = 4
"""Calls of each caller afterwards, each on a connection of its own: every worker lets some of them in."""
LEGACY = "2025-06-18"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(folder, postgres, supervised=2, people=1, soft_age=1.0, max_stale=600.0) as running:
        yield running


@asynccontextmanager
async def standing_still(system: System) -> AsyncIterator[None]:
    """Control and Redis keep their connections and do nothing."""
    system.controls[0].freeze()
    system.redis.freeze()
    try:
        yield
    finally:
        system.redis.thaw()
        system.controls[0].thaw()


async def start(system: System, workers: int) -> None:
    """Start the proxy that was ended, with so many workers."""
    system.proxies[0].environment["ARCHWAY_WORKERS"] = str(workers)
    ports(system).unlink(missing_ok=True)  # workers of one that was killed are there a moment more
    system.proxies[0].start()
    await eventually(lambda: _are(system, workers), 60, "all workers are there")
    await system.proxies[0].ready(system.http)


async def _are(system: System, workers: int) -> bool:
    return len(pids(system)) == workers


def pids(system: System) -> list[int]:
    told = orjson.loads(ports(system).read_bytes()) if ports(system).exists() else {"workers": []}
    return [pid for pid, _ in told["workers"]]


def ports(system: System) -> Path:
    return system.folder / "proxy-0.ports"


async def known_to_one_worker_each(system: System, name: str) -> list[Person]:
    """New callers, each of whom called once, on a connection of their own."""
    people = [await system.add_person(f"{name}-{number}") for number in range(CALLERS)]
    outcomes = [await system.call(one, close=True) for one in people]
    assert Counter(one.status for one in outcomes) == Counter(ok=CALLERS)
    return people


async def on_disk(system: System) -> None:
    """Every worker has had the time to write what it knows."""
    folder = disk(system)
    began = max((_written(path) for path in folder.glob("*.*")), default=0)

    async def all_wrote() -> bool:
        written = [path for path in folder.glob("verdicts.*") if _written(path) > began]
        return len(written) >= 1

    await eventually(all_wrote, 60, "the copies are written")
    await asyncio.sleep(6)  # the others' turn comes within 5 s


def _written(path: Path) -> int:
    """When a copy was written last, in ns; 0 for one that its worker has just replaced."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def disk(system: System) -> Path:
    return system.folder / "proxy-0-disk"


async def served_by_all(system: System, people: Iterable[Person]) -> Counter[str]:
    outcomes = await asyncio.gather(*(system.call(one, close=True) for one in people for _ in range(ROUNDS)))
    return Counter(f"{one.status} {one.sentence}".strip() for one in outcomes)


@pytest.mark.parametrize(
    ("before", "after"), [pytest.param(2, 2, id="two workers"), (1, 3), (3, 1)], ids=lambda number: f"{number}"
)
async def test_every_caller_known_to_any_worker_is_served_by_all_that_start_later(
    system: System, before: int, after: int
) -> None:
    await system.stop_proxy(0)
    await start(system, before)
    people = await known_to_one_worker_each(system, f"from-{before}-to-{after}")
    await on_disk(system)
    async with standing_still(system):
        for _ in range(2):  # and a second time, though few were called in between
            await system.stop_proxy(0)
            await start(system, after)
            assert await served_by_all(system, people[:1]) == Counter(ok=ROUNDS)
        served = await served_by_all(system, people)
    assert served == Counter(ok=CALLERS * ROUNDS)


async def test_what_a_worker_knew_that_was_killed_just_before_is_not_lost(system: System) -> None:
    await system.stop_proxy(0)
    await start(system, 2)
    people = await known_to_one_worker_each(system, "killed")
    await on_disk(system)
    async with standing_still(system):
        victim = pids(system)[0]
        os.kill(victim, signal.SIGKILL)
        await eventually(lambda: _is_gone(system, victim), 60, "another worker took its place")
        await system.proxies[0].kill()
        await start(system, 2)
        served = await served_by_all(system, people)
    assert served == Counter(ok=CALLERS * ROUNDS)


async def _is_gone(system: System, pid: int) -> bool:
    return pid not in pids(system) and len(pids(system)) == 2


async def test_a_damaged_file_takes_no_other_along(system: System) -> None:
    await system.stop_proxy(0)
    await start(system, 2)
    people = await known_to_one_worker_each(system, "damaged")
    await on_disk(system)
    async with standing_still(system):
        await system.stop_proxy(0)
        for path in list(disk(system).glob("*.*")):
            copy = path.with_name(path.name.partition(".")[0] + ".0badf11e")
            whole = path.read_bytes()
            copy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        await start(system, 2)
        served = await served_by_all(system, people)
    assert served == Counter(ok=CALLERS * ROUNDS)
    assert "the copy on disk cannot be used" in system.proxies[0].log


async def test_a_legacy_session_goes_on_in_whatever_worker_comes_later(system: System) -> None:
    await system.stop_proxy(0)
    await start(system, 2)
    person = (await known_to_one_worker_each(system, "legacy"))[0]
    async with new_session() as session:
        opening = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        _, head = await legacy(system, session, person, {"id": 1, "method": "initialize", "params": opening})
        told = {"Mcp-Session-Id": head["Mcp-Session-Id"], "MCP-Protocol-Version": LEGACY}
        await on_disk(system)
        async with standing_still(system):
            await system.stop_proxy(0)
            await start(system, 2)
            call = {"method": "tools/call", "params": {"name": "echo", "arguments": {"text": "still here"}}}
            answers = [
                (await legacy(system, session, person, {"id": number, **call}, **told))[0] for number in range(6)
            ]
    assert {one["result"]["content"][0]["text"] for one in answers} == {"still here"}


async def legacy(
    system: System, session: aiohttp.ClientSession, person: Person, message: dict[str, object], **headers: str
) -> tuple[dict[str, object], dict[str, str]]:
    usual = {
        "Authorization": f"Bearer {person.token}",
        "Accept": "application/json, text/event-stream",
        "Connection": "close",
    }
    url = f"{system.proxies[0].url}/v1/mcp/desk"
    async with session.post(url, json={"jsonrpc": "2.0", **message}, headers=usual | headers) as answer:
        body = await answer.text()
        assert answer.status == 200, body
        text = body.partition("data: ")[2] if body.startswith(("event:", "data:")) else body
        return orjson.loads(text), dict(answer.headers)
