"""Brings the database to the newest schema: `migrations/NNNN_name.sql`, in order, one transaction each.

Called at each start of control, by every replica at once: an advisory lock lets one work and the others wait, then
find nothing to do. What was applied is kept with its SHA-256, so a file that was edited afterwards is refused
instead of believed. Migrations of a later version are left alone, so that the version before still starts.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import asyncpg

from control.store.pool import Connection, StoreUnavailable

log = logging.getLogger(__name__)
FOLDER: Final = Path(__file__).with_name("migrations")
OLDEST: Final = 150_000
"""PostgreSQL 15, as `server_version_num` has it."""
_LOCK: Final = 0x61726368
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_TABLE = """create table if not exists migrations (
    number int primary key, name text not null, sha256 text not null,
    applied_at timestamptz not null default now())"""


class MigrationRefused(Exception):
    """The schema cannot be brought up to date; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the migrations: its number, name and text."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The digest by which an edited file is recognised."""
        return sha256(self.sql.encode()).hexdigest()


def read_folder(folder: Path = FOLDER) -> list[Migration]:
    """All migrations in order; raises MigrationRefused for a name out of form or a number used twice."""
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationRefused(f"{path.name}: a migration is named NNNN_words.sql")
        number = int(match[1])
        if number in found:
            raise MigrationRefused(f"{path.name} and {found[number].name} have the same number")
        found[number] = Migration(number, path.name, path.read_text(encoding="utf-8"))
    return list(found.values())


async def migrate(dsn: str, folder: Path = FOLDER, deadline: float = 600.0) -> list[str]:
    """Apply what is missing and return those names; raises MigrationRefused or StoreUnavailable."""
    migrations = read_folder(folder)
    try:
        async with asyncio.timeout(deadline):
            connection = await asyncpg.connect(
                dsn, timeout=2.0, server_settings={"application_name": "archway-migrate"}
            )
            try:
                return await _migrate(connection, migrations)
            finally:
                await connection.close(timeout=2.0)
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError) as error:
        raise StoreUnavailable(f"the database is away ({type(error).__name__})") from error


def refuse_old(version: int) -> None:
    """Raise MigrationRefused below PostgreSQL 15; `version` as `server_version_num`."""
    if version < OLDEST:
        raise MigrationRefused(
            f"PostgreSQL {version // 10_000} is too old: Archway needs 15 or newer; "
            "upgrade the server or point ARCHWAY_DATABASE_URL at a newer one"
        )


async def _migrate(connection: Connection, migrations: list[Migration]) -> list[str]:
    refuse_old(int(await connection.fetchval("show server_version_num")))
    await connection.execute("select pg_advisory_lock($1)", _LOCK)  # ends with the connection at the latest
    await connection.execute(_TABLE)
    applied = {row["number"]: row for row in await connection.fetch("select number, name, sha256 from migrations")}
    for migration in migrations:
        _refuse_edited(migration, applied.get(migration.number))
    missing = [migration for migration in migrations if migration.number not in applied]
    _refuse_gap(missing, applied)
    for migration in missing:
        await _apply(connection, migration)
    return [migration.name for migration in missing]


def _refuse_edited(migration: Migration, row: "asyncpg.Record | None") -> None:
    if row is not None and row["sha256"] != migration.sha256:
        raise MigrationRefused(
            f"{migration.name} was applied in another form than it has now; "
            "restore the file and put the change into a new migration"
        )


def _refuse_gap(missing: list[Migration], applied: dict[int, "asyncpg.Record"]) -> None:
    newest = max(applied, default=0)
    for migration in missing:
        if migration.number < newest:
            raise MigrationRefused(
                f"{migration.name} is missing, but {applied[newest]['name']} is applied; give it the next number"
            )


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute("set local statement_timeout = 0")
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into migrations (number, name, sha256) values ($1, $2, $3)",
                migration.number, migration.name, migration.sha256,
            )  # fmt: skip
    except asyncpg.PostgresError as error:
        raise MigrationRefused(f"{migration.name}: {error}") from error
    log.info("migration applied", extra={"migration": migration.name})
