"""An entry's credential in one column, beside control of the version before, which knows two others."""

from __future__ import annotations

import pytest

from control.store.migrate import FOLDER
from control.store.pool import Connection, Pool, transaction
from tests.control import seeded

MIGRATION = (FOLDER / "0004_credential_in_one.sql").read_text()
AS_BEFORE = """
    drop trigger entries_credential on entries;
    drop function entries_credential;
    alter table entries drop column credential, alter column credential_model drop default;
"""
HEADER = {"style": "header", "header": "x-key"}


@pytest.mark.parametrize(
    ("model", "placement", "credential"),
    [("none", {}, {"kind": "none"}), ("static", HEADER, {"kind": "static", **HEADER})],
)
async def test_the_migration_folds_two_columns_into_one(
    pool: Pool, model: str, placement: dict[str, str], credential: dict[str, str]
) -> None:
    async with transaction(pool) as connection:
        entry_id = await seeded.entry(connection)
        await connection.execute(AS_BEFORE)
        await connection.execute(
            "update entries set credential_model = $1, credential_placement = $2", model, placement
        )
        await connection.execute(MIGRATION)
        assert await connection.fetchval("select credential from entries where id = $1", entry_id) == credential


async def test_what_the_version_before_writes_is_the_credential(pool: Pool) -> None:
    async with transaction(pool) as connection:
        entry_id = await seeded.entry(connection, credential=None, credential_model="none")
        assert await connection.fetchval("select credential from entries") == {"kind": "none"}
        await connection.execute(
            "update entries set credential_model = $2, credential_placement = $3 where id = $1",
            entry_id, "static", HEADER,
        )  # fmt: skip
        assert await connection.fetchval("select credential from entries") == {"kind": "static", **HEADER}


async def test_the_version_before_reads_what_is_written_now(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await seeded.entry(connection, credential={"kind": "static", **HEADER})
        assert await _as_before(connection) == ("static", HEADER)
        await connection.execute("update entries set credential = $1", {"kind": "none"})
        assert await _as_before(connection) == ("none", {})


async def test_a_kind_that_the_version_before_does_not_know_is_told_to_it_as_none(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await seeded.entry(connection, credential={"kind": "coming", "style": "of its own"})
        assert await _as_before(connection) == ("none", {})
        await connection.execute("update entries set name = 'Another'")
        found = await connection.fetchval("select credential from entries")
    assert found == {"kind": "coming", "style": "of its own"}


async def _as_before(connection: Connection) -> tuple[str, dict[str, str]]:
    row = await connection.fetchrow("select credential_model, credential_placement from entries")
    return row["credential_model"], row["credential_placement"]
