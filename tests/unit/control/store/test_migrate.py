"""The migration runner, against a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from control.store.migrate import MigrationRefused, migrate, read_folder, refuse_old
from control.store.pool import StoreUnavailable


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
