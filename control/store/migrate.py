"""Brings the database to the newest schema: `migrations/NNNN_name.sql`, in order, one transaction each.

Called at each start of control, by every replica at once, and by `archway migrate`: an advisory lock lets one work
and the others wait, then find nothing to do. What was applied is kept with its SHA-256, so a file that was edited
afterwards is refused instead of believed. Migrations of a later version are left alone, so that the version before
still starts.

These expand: whatever the version before reads or writes stays. A file named `NNNN_name.contract.sql` takes away what
only versions before need. It is applied when somebody says so, and after all that expand, whatever its number; a
version that does not know one that was applied does not start.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import asyncpg

from control.store.pool import APPLICATION, Connection, StoreUnavailable

log = logging.getLogger(__name__)
FOLDER: Final = Path(__file__).with_name("migrations")
OLDEST: Final = 150_000
"""PostgreSQL 15, as `server_version_num` has it."""
_LOCK: Final = 0x61726368
_CONTRACTS: Final = ".contract.sql"
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+(\.contract)?\.sql")
_TABLE = """create table if not exists migrations (
    number int primary key, name text not null, sha256 text not null,
    applied_at timestamptz not null default now())"""
_APPLIED = "select number, name, sha256 from migrations"
_OTHERS = """select distinct application_name from pg_stat_activity
    where datname = current_database() and application_name like 'archway-control%' and application_name <> $1
    order by 1"""
T = TypeVar("T")


class MigrationRefused(Exception):
    """The schema cannot be brought up to date; the sentence says why and what to do."""


class OlderControls(Exception):
    """Controls of other versions are connected, from which a contracting migration would take what they use."""


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

    @property
    def contracts(self) -> bool:
        """Whether it takes away what versions before need."""
        return self.name.endswith(_CONTRACTS)


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


def _nobody(_name: str) -> None:
    pass


async def migrate(
    dsn: str, folder: Path = FOLDER, deadline: float = 600.0, told: Callable[[str], None] = _nobody
) -> list[str]:
    """Apply what is missing and expands, and return those names; raises MigrationRefused or StoreUnavailable.

    `told` is called with each name once it is applied. `deadline` in seconds, for all together.
    """

    async def expand(connection: Connection, migrations: list[Migration]) -> list[str]:
        return await _apply_all(connection, [one for one in migrations if not one.contracts], told)

    return await _under_the_lock(dsn, folder, deadline, expand)


async def contract(
    dsn: str, folder: Path = FOLDER, deadline: float = 600.0, told: Callable[[str], None] = _nobody
) -> list[str]:
    """Apply all that is missing, what expands first, and return those names. Raises as `migrate`, and OlderControls
    while a control of another version is connected; then nothing was taken away. It does not wait for that one to
    leave: its successor needs the lock to start.
    """

    async def expand_and_contract(connection: Connection, missing: list[Migration]) -> list[str]:
        expanded = await _apply_all(connection, [one for one in missing if not one.contracts], told)
        contracting = [one for one in missing if one.contracts]
        if contracting:
            await _refuse_beside_others(connection)
        return expanded + await _apply_all(connection, contracting, told)

    return await _under_the_lock(dsn, folder, deadline, expand_and_contract)


async def pending(dsn: str, folder: Path = FOLDER, deadline: float = 60.0) -> list[Migration]:
    """What is missing, in the order in which it would be applied; changes nothing. Raises as `migrate`."""

    async def look(_connection: Connection, missing: list[Migration]) -> list[Migration]:
        return sorted(missing, key=lambda one: one.contracts)

    return await _under_the_lock(dsn, folder, deadline, look)


def refuse_old(version: int) -> None:
    """Raise MigrationRefused below PostgreSQL 15; `version` as `server_version_num`."""
    if version < OLDEST:
        raise MigrationRefused(
            f"PostgreSQL {version // 10_000} is too old: Archway needs 15 or newer; "
            "upgrade the server or point ARCHWAY_DATABASE_URL at a newer one"
        )


async def _under_the_lock(
    dsn: str, folder: Path, deadline: float, work: Callable[[Connection, list[Migration]], Awaitable[T]]
) -> T:
    """What `work` makes of what is missing, while no other migrates."""
    migrations = read_folder(folder)
    try:
        async with asyncio.timeout(deadline):
            connection = await asyncpg.connect(
                dsn, timeout=2.0, server_settings={"application_name": "archway-migrate"}
            )
            try:
                return await work(connection, await _missing(connection, migrations))
            finally:
                await connection.close(timeout=2.0)
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError) as error:
        raise StoreUnavailable(f"the database is away ({type(error).__name__})") from error


async def _missing(connection: Connection, migrations: list[Migration]) -> list[Migration]:
    """Those that are not applied; refuses what does not fit to those that are."""
    refuse_old(int(await connection.fetchval("show server_version_num")))
    await connection.execute("select pg_advisory_lock($1)", _LOCK)  # ends with the connection at the latest
    rows = await connection.fetch(_APPLIED) if await connection.fetchval("select to_regclass('migrations')") else []
    applied = {row["number"]: row for row in rows}
    for migration in migrations:
        _refuse_edited(migration, applied.get(migration.number))
    _refuse_taken_away({migration.number for migration in migrations}, applied.values())
    missing = [migration for migration in migrations if migration.number not in applied]
    _refuse_gap(missing, applied)
    return missing


async def _refuse_beside_others(connection: Connection) -> None:
    others = [row["application_name"] for row in await connection.fetch(_OTHERS, APPLICATION)]
    if others:
        raise OlderControls(f"connected to this database: {', '.join(others)}")


async def _apply_all(connection: Connection, missing: Iterable[Migration], told: Callable[[str], None]) -> list[str]:
    await connection.execute(_TABLE)
    names = []
    for migration in missing:
        await _apply(connection, migration)
        told(migration.name)
        names.append(migration.name)
    return names


def _refuse_edited(migration: Migration, row: "asyncpg.Record | None") -> None:
    if row is not None and row["sha256"] != migration.sha256:
        raise MigrationRefused(
            f"{migration.name} was applied in another form than it has now; "
            "restore the file and put the change into a new migration"
        )


def _refuse_taken_away(known: set[int], applied: Iterable["asyncpg.Record"]) -> None:
    for row in applied:
        if row["number"] not in known and row["name"].endswith(_CONTRACTS):
            raise MigrationRefused(
                f"{row['name']} of a later version has taken away what this version needs; "
                "start that version again, or restore the backup from before it"
            )


def _refuse_gap(missing: list[Migration], applied: dict[int, "asyncpg.Record"]) -> None:
    newest = max((number for number, row in applied.items() if not row["name"].endswith(_CONTRACTS)), default=0)
    for migration in missing:
        if migration.number < newest and not migration.contracts:
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
