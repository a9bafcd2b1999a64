"""Reports of runtimes: kept in their order, over a database that was away, and what follows where one is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from control.changes import server_states as changes
from control.changes.write import changing
from control.discovery import server_reports
from control.discovery.discover import Discovery
from control.discovery.server_reports import ServerReports
from control.registry.server_state import ServerState
from control.store import server_states as store
from control.store.pool import Pool, StoreUnavailable, transaction
from tests.fakes.registry import a_server_state
from tests.unit.control.changes.acting import ADMIN, new_entry, new_installation


class Asked:
    """Stands for discovery: answers with what a test gives, the last again and again; says when it was asked."""

    def __init__(self, *answers: Discovery | None) -> None:
        self.answers = list(answers) or [Discovery("ready")]
        self.about: asyncio.Queue[str] = asyncio.Queue()

    async def discover(self, installation_id: str) -> Discovery | None:
        self.about.put_nowait(installation_id)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
async def installed(pool: Pool) -> str:
    async with changing(pool, ADMIN) as write:
        return (await new_installation(write, await new_entry(write))).id


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
async def reports(pool: Pool, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServerReports]:
    monkeypatch.setattr(server_reports, "_KEEP_AGAIN_S", 0.01)
    monkeypatch.setattr(server_reports, "_ASK_AGAIN_S", (0.01, 0.01, 0.01))
    made = ServerReports(pool, asked)
    yield made
    await made.close()


async def kept(pool: Pool, installation_id: str) -> ServerState:
    async with transaction(pool, readonly=True) as connection:
        found = await store.one(connection, installation_id)
    assert found is not None
    return found


async def is_asked(pool: Pool, installation_id: str) -> None:
    """Wait until nothing is left to ask."""
    async with asyncio.timeout(30):
        while True:
            async with transaction(pool, readonly=True) as connection:
                if not await store.to_ask(connection, installation_id):
                    return
            await asyncio.sleep(0.005)


async def test_a_server_that_becomes_ready_is_asked_what_it_offers_once(
    pool: Pool, installed: str, reports: ServerReports, asked: Asked
) -> None:
    for changed in ({"phase": "starting"}, {}, {"restarts": 1}, {"phase": "starting"}, {}):
        await reports.take(a_server_state(installation_id=installed, **changed))
        if not changed:
            await is_asked(pool, installed)
    assert asked.about.qsize() == 1


async def test_each_new_generation_is_asked(pool: Pool, installed: str, reports: ServerReports, asked: Asked) -> None:
    for generation in (1, 2, 3):
        await reports.take(a_server_state(installation_id=installed, generation=generation))
        await is_asked(pool, installed)
    assert asked.about.qsize() == 3


async def test_a_discovery_that_fails_is_tried_again(
    pool: Pool, installed: str, reports: ServerReports, asked: Asked
) -> None:
    asked.answers = [Discovery("unreachable", "It is slow."), None, Discovery("ready")]
    await reports.take(a_server_state(installation_id=installed))
    await is_asked(pool, installed)
    assert asked.about.qsize() == 3


async def test_a_discovery_that_always_fails_is_given_up_until_the_server_is_reported_again(
    pool: Pool, installed: str, reports: ServerReports, asked: Asked
) -> None:
    asked.answers = [Discovery("unreachable", "It is slow.")]
    await reports.take(a_server_state(installation_id=installed))
    async with asyncio.timeout(30):
        for _ in range(4):
            await asked.about.get()
    asked.answers = [Discovery("ready")]
    await reports.take(a_server_state(installation_id=installed, phase="failed", cause="crashed"))
    await reports.take(a_server_state(installation_id=installed))
    async with asyncio.timeout(30):
        assert await asked.about.get() == installed


async def test_reports_of_one_server_are_kept_in_their_order(
    pool: Pool, installed: str, reports: ServerReports
) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            state = a_server_state(installation_id=installed, phase="starting", restarts=number)
            group.create_task(reports.take(state))
    assert (await kept(pool, installed)).restarts == 19


async def test_what_cannot_be_kept_is_kept_when_the_database_is_back(
    pool: Pool, installed: str, reports: ServerReports, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, was_away = changes.keep, asyncio.Event()

    async def away(*_: Any) -> bool:
        was_away.set()
        raise StoreUnavailable("away")

    monkeypatch.setattr(changes, "keep", away)
    await reports.take(a_server_state(installation_id=installed, phase="starting"))
    assert was_away.is_set()
    monkeypatch.setattr(changes, "keep", keep)
    for _ in range(6_000):
        if not reports._latest and not reports._keeping:
            break
        await asyncio.sleep(0.005)
    assert (await kept(pool, installed)).phase == "starting"


async def test_no_more_than_so_many_reports_wait(
    pool: Pool, installed: str, reports: ServerReports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_reports, "MOST", 0)
    await reports.take(a_server_state(installation_id=installed))
    async with transaction(pool, readonly=True) as connection:
        assert await store.one(connection, installed) is None
