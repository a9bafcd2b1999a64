from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from core.identifiers import new_id
from core.snapshot import FORMAT, Gateway, Route, Tool, Visibility
from core.tasks import Tasks
from proxy import search_indexes
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.tool_search import ToolSearch
from proxy.search_indexes import MOST, SearchIndexes

GATEWAY = new_id()


class Held:
    """Indexes that are made when a test lets them be made."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.made = 0

    def __call__(self) -> ToolSearch:
        self.made += 1
        return Waiting(self.free)


class Waiting(ToolSearch):
    """An index that is not finished before it may be."""

    def __init__(self, free: threading.Event) -> None:
        super().__init__()
        self._free = free

    def finish(self) -> None:
        assert self._free.wait(30)
        super().finish()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    one = Held()
    monkeypatch.setattr(search_indexes, "ToolSearch", one)
    monkeypatch.setattr(search_indexes, "PATIENCE_S", 0.01)
    yield one
    one.free.set()


@pytest.fixture
def tasks() -> Tasks:
    return Tasks("test")


def gateway(revision: int, *names: str, id: str = GATEWAY) -> CompiledGateway:
    route = Route("remote", new_id(), "srv")
    tools = [Tool(name, name, new_id(), {"name": name, "inputSchema": {}}, route) for name in names]
    return CompiledGateway(
        Gateway(FORMAT, id, "one", "one", revision, Visibility("organisation"), tools, tool_loading="search_and_run")
    )


async def all_made(tasks: Tasks) -> None:
    while len(tasks):
        await asyncio.wait(set(tasks._running))


async def test_an_index_is_made_once_for_a_revision_however_many_look(held: Held, tasks: Tasks) -> None:
    searches, one = SearchIndexes(tasks), gateway(1, "old")
    found = await asyncio.gather(*(searches.of(one) for _ in range(20)))
    assert held.made == 1
    assert {id(index) for index in [*found, await searches.of(one)]} == {id(found[0])}


async def test_a_search_while_the_next_index_is_made_is_answered_from_the_one_before(
    held: Held, tasks: Tasks
) -> None:
    searches = SearchIndexes(tasks)
    assert (await searches.of(gateway(1, "old"))).find("old new") == ["old"]
    held.free.clear()
    new = gateway(2, "new")
    for _ in range(20):
        assert (await searches.of(new)).find("old new") == ["old"]
    held.free.set()
    await all_made(tasks)
    assert held.made == 2
    assert (await searches.of(new)).find("old new") == ["new"]


async def test_a_search_waits_a_little_for_the_next_index(
    held: Held, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_indexes, "PATIENCE_S", 30.0)
    searches = SearchIndexes(tasks)
    await searches.of(gateway(1, "old"))
    assert (await searches.of(gateway(2, "new"))).find("old new") == ["new"]


async def test_an_index_that_cannot_be_made_leaves_the_one_before(
    held: Held, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = SearchIndexes(tasks)
    await searches.of(gateway(1, "old"))
    monkeypatch.setattr(search_indexes, "ToolSearch", None)
    assert (await searches.of(gateway(2, "new"))).find("old") == ["old"]
    await all_made(tasks)
    monkeypatch.setattr(search_indexes, "ToolSearch", held)
    monkeypatch.setattr(search_indexes, "PATIENCE_S", 30.0)
    assert (await searches.of(gateway(2, "new"))).find("new") == ["new"]


async def test_so_many_indexes_are_at_hand_and_no_more(held: Held, tasks: Tasks) -> None:
    searches, gateways = SearchIndexes(tasks), [gateway(1, "t", id=new_id()) for _ in range(MOST + 1)]
    for one in [*gateways, gateways[-1], gateways[0]]:
        await searches.of(one)
    assert held.made == MOST + 2
