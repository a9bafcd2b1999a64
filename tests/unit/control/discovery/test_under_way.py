"""Discoveries that pages begin: they go on by themselves, each once, as many as may."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from control.discovery import under_way as under_way_module
from control.discovery.discover import Discoverer
from control.discovery.under_way import DiscoveriesUnderWay
from control.redis import Redis, RedisAway
from control.registry.access import Caller
from control.store.pool import StoreUnavailable

ANN = Caller("u1", "Ann", "admin")


class Servers:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answer = asyncio.Event()
        self.kept = asyncio.Event()

    async def discover(self, installation_id: str, *, asked_by: Caller) -> None:
        self.asked.append((installation_id, asked_by.name))
        await self.answer.wait()
        self.kept.set()


class Marks:
    """What of Redis is used here: keys with their values; `away`: nothing answers, `sticks`: nothing is deleted."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.away = self.sticks = False
        self.made, self.deleted = asyncio.Event(), asyncio.Event()

    async def script(self, lua: str, keys: list[str], arguments: list[Any]) -> bytes | int | None:
        if self.away:
            raise RedisAway("no answer")
        if "GET" in lua:
            return self.keys.get(keys[0])
        self.keys[keys[0]] = arguments[0].encode()
        self.made.set()
        return 1

    async def delete(self, names: list[str]) -> None:
        self.deleted.set()
        if self.away or self.sticks:
            raise RedisAway("no answer")
        for name in names:
            self.keys.pop(name, None)


def under_way(servers: Servers, marks: Marks, most: int = 20) -> DiscoveriesUnderWay:
    return DiscoveriesUnderWay(cast(Discoverer, servers), cast(Redis, marks), most)


async def test_it_goes_on_while_the_person_looks_elsewhere_and_is_over_with_the_answer() -> None:
    servers, marks = Servers(), Marks()
    ours, other_replica = under_way(servers, marks), under_way(servers, marks)
    assert ours.begin("i1", ANN)
    await marks.made.wait()
    assert [await one.goes_on("i1") for one in (ours, other_replica)] == [True, True]
    assert not await ours.goes_on("i2")
    servers.answer.set()
    await marks.deleted.wait()
    assert [await one.goes_on("i1") for one in (ours, other_replica)] == [False, False]
    assert servers.asked == [("i1", "Ann")]
    await ours.close()


async def test_what_is_asked_for_meanwhile_is_asked_once_more_afterwards_by_whoever_came_last() -> None:
    """The installation may have other answers by then, and what the first question finds is not kept."""
    servers, marks = Servers(), Marks()
    ours = under_way(servers, marks)
    assert ours.begin("i1", ANN)
    await marks.made.wait()
    for name in ("Bea", "Carl"):
        assert ours.begin("i1", Caller("u2", name, "member"))
    servers.answer.set()
    await marks.deleted.wait()
    await ours.close()
    assert servers.asked == [("i1", "Ann"), ("i1", "Carl")]


async def test_a_mark_that_redis_kept_is_no_discovery_to_whoever_made_it() -> None:
    servers, marks = Servers(), Marks()
    ours = under_way(servers, marks)
    marks.sticks = True
    servers.answer.set()
    assert ours.begin("i1", ANN)
    await marks.deleted.wait()
    assert marks.keys
    assert not await ours.goes_on("i1")
    assert await under_way(servers, marks).goes_on("i1")
    await ours.close()


async def test_no_more_run_than_may() -> None:
    servers = Servers()
    ours = under_way(servers, Marks(), most=1)
    assert ours.begin("i1", ANN)
    assert not ours.begin("i2", ANN)
    await ours.close()


async def test_redis_away_takes_nothing_but_the_mark() -> None:
    servers, marks = Servers(), Marks()
    marks.away = True
    ours = under_way(servers, marks)
    assert ours.begin("i1", ANN)
    assert await ours.goes_on("i1")
    servers.answer.set()
    await marks.deleted.wait()
    assert servers.kept.is_set()
    assert not await ours.goes_on("i1")
    await ours.close()


async def test_a_database_that_is_away_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_way_module, "_AGAIN_AFTER_S", 0.0)

    class Away(Servers):
        async def discover(self, installation_id: str, *, asked_by: Caller) -> None:
            self.asked.append((installation_id, asked_by.name))
            if len(self.asked) < 3:
                raise StoreUnavailable("TimeoutError")

    servers, marks = Away(), Marks()
    ours = under_way(servers, marks)
    assert ours.begin("i1", ANN)
    await marks.deleted.wait()
    await ours.close()
    assert servers.asked == [("i1", "Ann")] * 3


@pytest.mark.parametrize("answers", [True, False])
async def test_its_end_gives_up_what_runs(answers: bool) -> None:
    servers = Servers()
    ours = under_way(servers, Marks())
    ours.begin("i1", ANN)
    await asyncio.sleep(0)
    if answers:
        servers.answer.set()
    await ours.close()
    assert not await ours.goes_on("i1")
