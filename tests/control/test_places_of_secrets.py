"""Where stored secrets may go, on a real PostgreSQL: what was kept before, and what control of before writes."""

from __future__ import annotations

from typing import Any

import pytest

from control.credentials.places import places_of
from control.store import entries
from control.store.migrate import FOLDER
from control.store.pool import Connection, Pool, transaction
from tests.control import seeded

MIGRATION = (FOLDER / "0019_places_of_secrets.sql").read_text()
AS_BEFORE = """
    drop trigger installations_places on installations;
    drop function installations_places, places_of_secrets;
    alter table installations drop column bound_places;
"""
FIELDS = [
    {"name": "pin", "type": "secret", "header": "x-pin"},
    {"name": "site", "type": "string", "header": "x-site"},
]
STYLES = [
    {"style": "bearer"},
    {"style": "authorization"},
    {"style": "header", "header": "x-api-key"},
]


async def places(connection: Connection) -> Any:
    return await connection.fetchval("select bound_places from installations")


async def filled(connection: Connection, style: dict[str, str], *names: str) -> tuple[str, str]:
    entry = await seeded.entry(connection, credential={"kind": "static", **style}, fields=FIELDS)
    return entry, await seeded.installation(connection, entry, secret_names=list(names), secret_values=b"sealed")


async def said_by_the_rules(connection: Connection, entry_id: str) -> dict[str, str]:
    entry = await entries.one(connection, entry_id)
    assert entry is not None
    return places_of(entry)


@pytest.mark.parametrize("style", STYLES)
async def test_the_migration_binds_what_is_kept_to_where_it_goes_today(pool: Pool, style: dict[str, str]) -> None:
    async with transaction(pool) as connection:
        entry, _ = await filled(connection, style, "credential", "pin", "gone")
        await connection.execute(AS_BEFORE)
        await connection.execute(MIGRATION)
        assert await places(connection) == await said_by_the_rules(connection, entry)


async def test_the_migration_binds_nothing_of_what_is_not_kept(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await filled(connection, STYLES[0], "pin")
        await connection.execute(AS_BEFORE)
        await connection.execute(MIGRATION)
        assert await places(connection) == {"pin": "x-pin"}


@pytest.mark.parametrize("style", STYLES)
async def test_what_control_of_before_installs_is_bound_as_its_entry_then_is(
    pool: Pool, style: dict[str, str]
) -> None:
    async with transaction(pool) as connection:
        entry, _ = await filled(connection, style, "credential", "pin")
        assert await places(connection) == await said_by_the_rules(connection, entry)


async def test_what_control_of_before_fills_in_again_is_bound_again(pool: Pool) -> None:
    async with transaction(pool) as connection:
        entry, _ = await filled(connection, STYLES[0], "credential", "pin")
        await connection.execute(
            "update entries set credential = $2 where id = $1", entry, {"kind": "static", **STYLES[2]}
        )
        assert (await places(connection))["credential"] == "authorization: Bearer"
        await connection.execute(
            "update installations set secret_values = $1, credential_version = credential_version + 1", b"others"
        )
        assert (await places(connection))["credential"] == "x-api-key"


async def test_what_is_only_sealed_again_is_bound_to_what_it_was(pool: Pool) -> None:
    async with transaction(pool) as connection:
        entry, _ = await filled(connection, STYLES[0], "credential", "pin")
        await connection.execute(
            "update entries set credential = $2 where id = $1", entry, {"kind": "static", **STYLES[2]}
        )
        await connection.execute("update installations set secret_values = $1, state = 'needs_sign_in'", b"again")
        assert (await places(connection))["credential"] == "authorization: Bearer"
