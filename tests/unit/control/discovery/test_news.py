"""What servers say of their lists: acted on at once, then in rounds that are further and further apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from control.changes.write import changing
from control.discovery import news
from control.discovery.discover import Discovery
from control.discovery.news import LONGEST_PAUSE_S, NewsOfLists
from control.store.pool import Pool, transaction
from core.identifiers import new_id
from core.watches import HeardLists, HeardTaken, ListKind
from tests.control import seeded
from tests.fakes.discovered import Discovered
from tests.plugins.moved_clock import MovedClock
from tests.proxy.conftest import eventually
from tests.unit.control.changes.acting import ADMIN

PAUSE_S = 16.0
"""The first one here: longer than the slowest machine needs for what must happen before it is over."""


@dataclass
class Scene:
    """An entry on a gateway, with the installations through which its server may be heard."""

    news: NewsOfLists
    discovered: Discovered
    pool: Pool
    entry: str
    organisations: str
    somebodys: str
    gateway: str

    async def hear(self, *kinds: ListKind, through: str = "") -> HeardTaken:
        return await self.news.take(HeardLists({through or self.organisations: set(kinds)}))

    async def revisions(self) -> tuple[int, int]:
        """Of the gateway, and of what its server lists of prompts."""
        async with transaction(self.pool, readonly=True) as connection:
            gateway = await connection.fetchval("select revision from gateways where id = $1", self.gateway)
            listed = await connection.fetchval(
                "select list_revision from entry_tools where entry_id = $1 and kind = 'prompts'", self.entry
            )
        return gateway, listed


@pytest.fixture
async def scene(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(news, "FIRST_PAUSE_S", PAUSE_S)
    async with changing(pool, ADMIN) as write:
        connection = write.connection
        entry = await seeded.entry(connection)
        organisations = await seeded.installation(connection, entry)
        somebodys = await seeded.installation(connection, entry, user=await seeded.user(connection))
        await connection.execute(
            "update entries set discovery_installation_id = $2 where id = $1", entry, organisations
        )
        gateway = await seeded.gateway(connection)
        for name, kind in (("search", "tool"), ("all_prompts", "prompts")):
            await seeded.assignment(connection, gateway, await seeded.tool(connection, entry, name, kind=kind), name)
        await write.announce()
        write.observed()
    discovered = Discovered()
    made = NewsOfLists(pool, discovered)
    yield Scene(made, discovered, pool, entry, organisations, somebodys, gateway)
    await made.close()


async def test_the_first_news_are_acted_on_at_once_through_what_finds_its_tools(
    scene: Scene,
) -> None:
    assert await scene.hear("tools", through=scene.somebodys) == HeardTaken(1)
    await scene.discovered.times(1)
    assert scene.discovered.asked == [scene.organisations]


async def test_what_is_said_meanwhile_is_one_more_round_after_a_pause(scene: Scene, clock: MovedClock) -> None:
    await scene.hear("tools")
    await scene.discovered.times(1)
    for _ in range(5):
        await scene.hear("tools", "resources")
    await scene.discovered.times(1)
    clock.pass_by(PAUSE_S)
    await scene.discovered.times(2)


async def test_a_server_that_never_stops_is_asked_less_and_less_often(scene: Scene, clock: MovedClock) -> None:
    await scene.hear("tools")
    await scene.discovered.times(1)
    pauses = [PAUSE_S * 2**step for step in range(5)] + [LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    for number, pause in enumerate(pauses, start=2):
        await scene.hear("tools")
        clock.pass_by(pause / 2)
        await scene.discovered.times(number - 1)
        clock.pass_by(pause / 2)
        await scene.discovered.times(number)


async def test_news_after_a_quiet_pause_are_acted_on_at_once_again(scene: Scene, clock: MovedClock) -> None:
    await scene.hear("tools")
    await scene.discovered.times(1)
    clock.pass_by(PAUSE_S)
    await scene.discovered.times(1)
    await scene.hear("tools")
    await scene.discovered.times(2)


async def test_a_server_that_speaks_whenever_a_pause_is_over_waits_longer_and_longer(
    scene: Scene, clock: MovedClock
) -> None:
    for number in range(1, 4):
        await scene.hear("tools")
        await scene.discovered.times(number)
        clock.pass_by(PAUSE_S * 2 ** (number - 1))
        await scene.discovered.times(number)
    await scene.hear("tools")
    await scene.discovered.times(4)
    await scene.hear("tools")
    clock.pass_by(4 * PAUSE_S)
    await scene.discovered.times(4)  # the pause is eight times the first
    clock.pass_by(4 * PAUSE_S)
    await scene.discovered.times(5)


async def test_after_a_long_quiet_the_first_pause_is_the_shortest_again(scene: Scene, clock: MovedClock) -> None:
    await scene.hear("tools")
    await scene.discovered.times(1)
    clock.pass_by(PAUSE_S)
    await scene.discovered.times(1)
    clock.pass_by(LONGEST_PAUSE_S + 1)
    await scene.hear("tools")
    await scene.discovered.times(2)
    await scene.hear("tools")
    clock.pass_by(PAUSE_S)
    await scene.discovered.times(3)


async def test_a_discovery_that_failed_is_tried_again_and_then_given_up(scene: Scene, clock: MovedClock) -> None:
    scene.discovered.answer = Discovery("unreachable", "It is away.")
    await scene.hear("tools")
    tries = 1
    await scene.discovered.times(tries)
    pause = PAUSE_S
    while pause < LONGEST_PAUSE_S:
        clock.pass_by(pause)
        tries += 1
        await scene.discovered.times(tries)
        pause = min(2 * pause, LONGEST_PAUSE_S)
    clock.pass_by(10 * LONGEST_PAUSE_S)
    await scene.discovered.times(tries)


async def test_gateways_say_that_resources_and_prompts_are_others_and_nothing_is_discovered_for_prompts(
    scene: Scene,
) -> None:
    before, _ = await scene.revisions()
    await scene.hear("prompts")

    async def said() -> bool:
        return await scene.revisions() == (before + 1, 1)

    await eventually(said)
    await scene.discovered.times(0)


async def test_servers_of_no_gateway_and_installations_that_there_are_not_are_passed_over(scene: Scene) -> None:
    async with changing(scene.pool, ADMIN) as write:
        entry = await seeded.entry(write.connection, "alone")
        alone = await seeded.installation(write.connection, entry)
        await write.announce()
        write.observed()
    heard = HeardLists({alone: {"tools"}, new_id(): {"tools"}, "no identifier": {"tools"}})
    assert await scene.news.take(heard) == HeardTaken(0)
    await scene.discovered.times(0)


async def test_no_more_entries_are_kept_than_there_is_room_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "MOST", 0)
    assert await scene.hear("tools") == HeardTaken(0)
