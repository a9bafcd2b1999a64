"""The migration runner, against a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from control.store.migrate import (
    MigrationRefused,
    OlderControls,
    contract,
    migrate,
    pending,
    read_folder,
    refuse_old,
)
from control.store.pool import StoreUnavailable, close_pool, open_pool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # Numbers above those of the template database that the fixture hands out.
    write(tmp_path, "9001_first.sql", "create table first (one int);")
    write(tmp_path, "9002_second.sql", "create table second (two int); insert into second values (2);")
    return tmp_path


def write(folder: Path, name: str, sql: str) -> None:
    (folder / name).write_text(sql)


async def value(database: str, sql: str) -> object:
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_files_are_applied_in_order_and_once(database: str, folder: Path) -> None:
    assert await migrate(database, folder) == ["9001_first.sql", "9002_second.sql"]
    assert await migrate(database, folder) == []
    assert await value(database, "select count(*) from second") == 1


async def test_four_starters_at_once_apply_each_file_once(database: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate(database, folder) for _ in range(4)))
    assert sorted(name for names in applied for name in names) == ["9001_first.sql", "9002_second.sql"]
    assert await value(database, "select count(*) from second") == 1


async def test_a_file_that_was_edited_after_it_was_applied_is_refused(database: str, folder: Path) -> None:
    await migrate(database, folder)
    write(folder, "9001_first.sql", "create table first (one bigint);")
    with pytest.raises(MigrationRefused, match=r"9001_first\.sql was applied in another form"):
        await migrate(database, folder)


async def test_a_file_that_fails_leaves_nothing_of_itself(database: str, folder: Path) -> None:
    write(folder, "9003_broken.sql", "create table third (three int); select 1 / 0;")
    with pytest.raises(MigrationRefused, match=r"9003_broken\.sql: division by zero"):
        await migrate(database, folder)
    assert await value(database, "select to_regclass('second') is not null and to_regclass('third') is null")
    write(folder, "9003_broken.sql", "create table third (three int);")
    assert await migrate(database, folder) == ["9003_broken.sql"]


async def test_a_number_below_the_newest_that_was_never_applied_is_refused(database: str, folder: Path) -> None:
    await migrate(database, folder)
    write(folder, "9000_late.sql", "select 1;")
    with pytest.raises(MigrationRefused, match="give it the next number"):
        await migrate(database, folder)


async def test_migrations_of_a_later_version_are_left_alone(database: str, folder: Path) -> None:
    await migrate(database, folder)
    (folder / "9002_second.sql").unlink()
    assert await migrate(database, folder) == []


def test_two_files_with_one_number_are_refused(folder: Path) -> None:
    write(folder, "9002_other.sql", "select 1;")
    with pytest.raises(MigrationRefused, match="the same number"):
        read_folder(folder)


def test_a_name_out_of_form_is_refused(folder: Path) -> None:
    write(folder, "third.sql", "select 1;")
    with pytest.raises(MigrationRefused, match=r"third\.sql"):
        read_folder(folder)


def test_postgresql_14_is_refused_with_the_cure() -> None:
    with pytest.raises(MigrationRefused, match="PostgreSQL 14 is too old: Archway needs 15 or newer; upgrade"):
        refuse_old(140_011)
    refuse_old(150_000)


async def test_a_database_that_is_away_is_told_as_such(folder: Path, unused_tcp_port: int) -> None:
    with pytest.raises(StoreUnavailable):
        await migrate(f"postgresql://archway:wrong@127.0.0.1:{unused_tcp_port}/none", folder)


@pytest.fixture
def with_contracting(folder: Path) -> Path:
    write(folder, "9001_old_rows.contract.sql", "drop table second;")
    (folder / "9001_first.sql").rename(folder / "9003_first.sql")
    return folder


async def test_what_takes_away_waits_until_somebody_says_so(database: str, with_contracting: Path) -> None:
    assert await migrate(database, with_contracting) == ["9002_second.sql", "9003_first.sql"]
    assert await migrate(database, with_contracting) == []
    assert await value(database, "select to_regclass('second') is not null")
    assert [one.name for one in await pending(database, with_contracting)] == ["9001_old_rows.contract.sql"]
    assert await contract(database, with_contracting) == ["9001_old_rows.contract.sql"]
    assert await value(database, "select to_regclass('second') is null")


async def test_what_takes_away_comes_after_all_that_expands_whatever_its_number(
    database: str, with_contracting: Path
) -> None:
    names = ["9002_second.sql", "9003_first.sql", "9001_old_rows.contract.sql"]
    assert [one.name for one in await pending(database, with_contracting)] == names
    assert await contract(database, with_contracting) == names


async def test_a_later_migration_may_expand_below_one_that_took_away(database: str, folder: Path) -> None:
    write(folder, "9009_old_rows.contract.sql", "drop table second;")
    assert "9009_old_rows.contract.sql" in await contract(database, folder)
    write(folder, "9003_third.sql", "create table third (three int);")
    assert await migrate(database, folder) == ["9003_third.sql"]


async def test_nothing_is_taken_from_a_control_of_another_version_that_is_connected(
    database: str, with_contracting: Path
) -> None:
    ours = await open_pool(database)
    other = await asyncpg.connect(database, server_settings={"application_name": "archway-control 0.0.9"})
    try:
        with pytest.raises(OlderControls, match=r"^connected to this database: archway-control 0\.0\.9$"):
            await contract(database, with_contracting)
    finally:
        await other.close()
    assert await value(database, "select to_regclass('second') is not null")
    await close_pool(ours)


async def test_a_version_from_which_a_later_one_has_taken_something_does_not_start(
    database: str, with_contracting: Path
) -> None:
    await contract(database, with_contracting)
    (with_contracting / "9001_old_rows.contract.sql").unlink()
    with pytest.raises(MigrationRefused, match=r"9001_old_rows\.contract\.sql of a later version has taken away"):
        await migrate(database, with_contracting)


async def test_looking_at_an_empty_database_makes_nothing_in_it(database: str, folder: Path) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()
    assert [one.name for one in await pending(database, folder)] == ["9001_first.sql", "9002_second.sql"]
    assert await value(database, "select to_regclass('migrations') is null")


async def test_each_migration_is_told_when_it_is_applied(database: str, folder: Path) -> None:
    told: list[str] = []
    await migrate(database, folder, told=told.append)
    assert told == ["9001_first.sql", "9002_second.sql"]
