"""Servers given to workers that ask what to listen to: each to one, for as long as it asks."""

from __future__ import annotations

from typing import Any

import pytest

from control.changes.write import changing
from control.internal.watches import MOST_AT_ONCE
from control.registry.credential import KINDS_FOR_ONE_CALLER
from control.store import watches
from control.store.pool import Pool, transaction
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from core.watches import LEASE_S, HeardLists, HeardTaken, WatchAnswer, WatchQuestion
from tests.control import seeded
from tests.control.asking_proxy import AskingProxy
from tests.proxy.conftest import eventually
from tests.unit.control.changes.acting import ADMIN


async def server(pool: Pool, slug: str = "github", *, assigned: bool = True, **columns: Any) -> str:
    """An installation through which the tools of an entry are found, one of which is on a gateway."""
    async with changing(pool, ADMIN) as write:
        connection = write.connection
        entry = await seeded.entry(connection, slug)
        installation = await seeded.installation(connection, entry, **columns)
        await connection.execute(
            "update entries set discovery_installation_id = $2 where id = $1", entry, installation
        )
        if assigned:
            gateway = await seeded.gateway(connection, f"on-{slug}")
            await seeded.assignment(connection, gateway, await seeded.tool(connection, entry))
        await write.announce()
        write.observed()
    return installation


async def execute(pool: Pool, sql: str, *arguments: object) -> None:
    async with transaction(pool) as connection:
        await connection.execute(sql, *arguments)


async def ask(proxy: AskingProxy, worker: str, held: dict[str, int] | None = None, **more: Any) -> WatchAnswer:
    question = WatchQuestion(worker, held or {}, **{"room": 5, **more})
    answer: WatchAnswer = await proxy.ask_again("/internal/watches", question, WatchAnswer)
    return answer


def given(answer: WatchAnswer) -> list[str]:
    return sorted(one.installation_id for one in answer.installations)


async def test_a_server_on_a_gateway_is_given_to_one_worker_with_what_reaches_it(
    pool: Pool, proxy: AskingProxy
) -> None:
    installation = await server(pool)
    (found,) = (await ask(proxy, "one")).installations
    assert isinstance(found, ResolvedInstallation)
    assert (found.installation_id, found.url, found.version) == (installation, "https://github.test/mcp", 1)
    assert await ask(proxy, "two") == WatchAnswer()
    assert await ask(proxy, "one", {installation: 1}) == WatchAnswer()


@pytest.mark.parametrize("columns", [{"assigned": False}, {"state": "unreachable"}, {"state": "needs_sign_in"}])
async def test_what_nobody_calls_or_cannot_be_used_is_not_listened_to(
    pool: Pool, proxy: AskingProxy, columns: dict[str, Any]
) -> None:
    await server(pool, **columns)
    assert await ask(proxy, "one") == WatchAnswer()


@pytest.mark.parametrize("kind", KINDS_FOR_ONE_CALLER)
async def test_a_server_that_gets_another_credential_for_each_caller_is_not_listened_to(
    pool: Pool, proxy: AskingProxy, kind: str
) -> None:
    await server(pool)
    await execute(pool, "update entries set credential = jsonb_build_object('kind', $1::text)", kind)
    assert await ask(proxy, "one") == WatchAnswer()


async def test_a_worker_that_asks_no_more_loses_its_servers_to_another(pool: Pool, proxy: AskingProxy) -> None:
    installation = await server(pool)
    await ask(proxy, "one")
    await execute(pool, "update watches set until = now() - interval '1 second'")
    assert given(await ask(proxy, "two")) == [installation]
    assert await ask(proxy, "one", {installation: 1}) == WatchAnswer(ended=[installation])


async def test_of_two_workers_that_ask_in_one_moment_one_has_it(pool: Pool) -> None:
    installation, tasks = await server(pool), Tasks("test")
    await execute(pool, "insert into watches values ($1, 'gone', now() - interval '1 second')", installation)

    async def claim() -> list[str]:
        async with transaction(pool) as connection:
            return await watches.claim(connection, "two", 5, LEASE_S)

    async def waits() -> bool:
        async with transaction(pool, readonly=True) as connection:
            return bool(await connection.fetchval("select exists (select from pg_locks where not granted)"))

    async with transaction(pool) as connection:
        assert await watches.claim(connection, "one", 5, LEASE_S) == [installation]
        second = tasks.spawn("second", claim())
        await eventually(waits)
    assert await second == []


async def test_a_worker_that_comes_late_keeps_what_nobody_took(pool: Pool, proxy: AskingProxy) -> None:
    installation = await server(pool)
    await ask(proxy, "one")
    await execute(pool, "update watches set until = now() - interval '1 second'")
    assert await ask(proxy, "one", {installation: 1}) == WatchAnswer()
    assert await ask(proxy, "two") == WatchAnswer()


async def test_what_a_worker_does_not_name_any_more_is_given_back_at_once(pool: Pool, proxy: AskingProxy) -> None:
    installation = await server(pool)
    await ask(proxy, "one")
    await ask(proxy, "one", room=0)
    assert given(await ask(proxy, "two")) == [installation]


async def test_a_server_that_cannot_be_listened_to_is_left_alone_for_a_while(pool: Pool, proxy: AskingProxy) -> None:
    installation = await server(pool)
    await ask(proxy, "one")
    assert await ask(proxy, "one", silent=[installation]) == WatchAnswer()
    assert await ask(proxy, "two") == WatchAnswer()
    await execute(pool, "update watches set until = now() - interval '1 second'")
    assert given(await ask(proxy, "two")) == [installation]


ENDED: dict[str, str] = {
    "is found through another": "update entries set discovery_installation_id = null",
    "needs a sign-in": "update installations set state = 'needs_sign_in'",
    "is on no gateway": "delete from assignments",
    "is gone": "delete from installations",
}


@pytest.mark.parametrize("sql", ENDED.values(), ids=ENDED.keys())
async def test_a_worker_is_told_of_a_server_that_is_not_to_be_listened_to_any_more(
    pool: Pool, proxy: AskingProxy, sql: str
) -> None:
    installation = await server(pool)
    await ask(proxy, "one")
    await execute(pool, sql)
    assert await ask(proxy, "one", {installation: 1}) == WatchAnswer(ended=[installation])


async def test_a_worker_is_told_of_what_it_uses_in_an_older_version(pool: Pool, proxy: AskingProxy) -> None:
    installation = await server(pool)
    await ask(proxy, "one")
    await execute(pool, "update entries set version = 2, url = 'https://github.test/other'")
    await execute(pool, "update installations set bound_url = 'https://github.test/other'")
    (newer,) = (await ask(proxy, "one", {installation: 1})).installations
    assert (newer.version, newer.url) == (2, "https://github.test/other")


async def test_one_whose_credential_cannot_be_had_is_given_to_nobody(pool: Pool, proxy: AskingProxy) -> None:
    installation = await server(pool)
    await execute(pool, "update entries set credential = $1", {"kind": "static", "style": "bearer"})
    assert await ask(proxy, "one") == WatchAnswer(ended=[installation])
    assert await ask(proxy, "two") == WatchAnswer()


async def test_one_answer_gives_a_few_and_no_more_than_there_is_room_for(pool: Pool, proxy: AskingProxy) -> None:
    for number in range(MOST_AT_ONCE + 2):
        await server(pool, f"server-{number}")
    assert len(given(await ask(proxy, "one", room=2))) == 2
    assert len(given(await ask(proxy, "two", room=100))) == MOST_AT_ONCE


async def test_news_are_taken_from_any_worker(pool: Pool, proxy: AskingProxy) -> None:
    installation = await server(pool)
    told = HeardLists({installation: {"tools"}})
    assert await proxy.ask_again("/internal/news-of-lists", told, HeardTaken) == HeardTaken(1)
    await proxy.discovered.times(1)
    assert proxy.discovered.asked == [installation]
