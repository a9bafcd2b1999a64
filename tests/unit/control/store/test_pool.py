"""Transactions and the two ways in which the store fails, against a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.store.pool import Pool, StoreConflict, StoreUnavailable, close_pool, open_pool, transaction
from core.identifiers import new_id
from tests.fixtures_postgres import Server, start_server, stop_server


async def add_team(pool: Pool, name: str) -> str:
    async with transaction(pool) as connection:
        team_id = new_id()
        await connection.execute("insert into teams (id, name) values ($1, $2)", team_id, name)
    return team_id


async def count_teams(pool: Pool) -> int:
    async with transaction(pool, readonly=True) as connection:
        return int(await connection.fetchval("select count(*) from teams"))


async def test_a_block_that_ends_well_is_committed(pool: Pool) -> None:
    await add_team(pool, "red")
    assert await count_teams(pool) == 1


async def test_a_block_that_raises_leaves_nothing_behind(pool: Pool) -> None:
    async def write_and_fail() -> None:
        async with transaction(pool) as connection:
            await connection.execute("insert into teams (id, name) values ($1, 'red')", new_id())
            raise KeyError

    with pytest.raises(KeyError):
        await write_and_fail()
    assert await count_teams(pool) == 0


async def test_a_cancelled_block_leaves_nothing_behind_and_gives_its_connection_back(pool: Pool) -> None:
    async def slow() -> None:
        async with transaction(pool) as connection:
            await connection.execute("insert into teams (id, name) values ($1, 'red')", new_id())
            await connection.execute("select pg_sleep(20)")

    for _ in range(12):  # more than the pool is large
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow(), 0.05)
    assert await count_teams(pool) == 0


async def test_identifiers_are_text_and_json_is_plain(pool: Pool) -> None:
    team_id = await add_team(pool, "red")
    async with transaction(pool, readonly=True) as connection:
        row = await connection.fetchrow("""select id, array_agg(id) as ids, '{"a": [1]}'::jsonb as j
                                           from teams group by id""")
    assert (row["id"], row["ids"], row["j"]) == (team_id, [team_id], {"a": [1]})


async def test_a_second_row_of_the_same_name_is_a_conflict_that_names_the_constraint(pool: Pool) -> None:
    await add_team(pool, "red")
    with pytest.raises(StoreConflict) as conflict:
        await add_team(pool, "RED")
    assert conflict.value.constraint == "teams_name"


async def test_a_write_in_a_reading_transaction_is_refused(pool: Pool) -> None:
    with pytest.raises(StoreUnavailable):
        async with transaction(pool, readonly=True) as connection:
            await connection.execute("insert into teams (id, name) values ($1, 'red')", new_id())


async def test_repeatable_read_sees_one_moment(pool: Pool) -> None:
    async with transaction(pool, readonly=True, isolation="repeatable_read") as connection:
        before = await connection.fetchval("select count(*) from teams")
        await add_team(pool, "red")
        assert await connection.fetchval("select count(*) from teams") == before == 0


async def test_nobody_waits_longer_than_the_deadline_for_a_connection_of_an_exhausted_pool(database: str) -> None:
    pool = await open_pool(database, largest=1)
    try:
        async with transaction(pool):
            with pytest.raises(StoreUnavailable):
                async with transaction(pool, begin_within=0.1):
                    pass
    finally:
        await close_pool(pool)


async def test_a_connection_that_is_lost_inside_a_block_is_a_database_that_is_away(pool: Pool) -> None:
    async def lose_it() -> None:
        async with transaction(pool) as connection:
            me = await connection.fetchval("select pg_backend_pid()")
            async with transaction(pool) as other:
                await other.execute("select pg_terminate_backend($1, 5000)", me)
            await connection.execute("select 1")

    with pytest.raises(StoreUnavailable):
        await lose_it()
    assert await count_teams(pool) == 0


async def test_closing_does_not_wait_for_ever_for_a_connection_in_use(database: str) -> None:
    pool = await open_pool(database)
    await pool.acquire()
    async with asyncio.timeout(30):
        await close_pool(pool, grace=0.1)
    with pytest.raises(StoreUnavailable):
        await count_teams(pool)


async def test_no_pool_is_opened_where_no_server_listens(unused_tcp_port: int) -> None:
    with pytest.raises(StoreUnavailable):
        await open_pool(f"postgresql://archway:wrong@127.0.0.1:{unused_tcp_port}/none")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    server = start_server(tmp_path)
    yield server
    stop_server(server)


async def test_a_server_that_stands_still_is_away_within_the_deadline_and_used_again_afterwards(
    own_server: Server,
) -> None:
    pool = await open_pool(own_server.dsn())
    own_server.freeze()
    try:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            async with transaction(pool, begin_within=0.5):
                pass
        assert time.monotonic() - began < 15  # the deadline, and not the operating system's minutes
    finally:
        own_server.thaw()
    async with transaction(pool, begin_within=30) as connection:
        assert await connection.fetchval("select 1") == 1
    await close_pool(pool)
