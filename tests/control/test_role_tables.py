"""Roles and entries of teams, in the tables: on a database that is in use, and beside the version before."""

from __future__ import annotations

import asyncpg
import pytest

from control.store import entries, users
from control.store.migrate import FOLDER
from control.store.pool import Pool, transaction
from tests.control import seeded

FILES = [next(FOLDER.glob(f"*_{name}.sql")) for name in ("roles", "entries_of_teams")]
AS_BEFORE = """
    drop table role_holders, roles;
    alter table entries drop column team_id;
    alter table users drop constraint users_role_check,
        add constraint users_role_check check (role in ('admin', 'member'));
    alter table memberships drop constraint memberships_role_check,
        add constraint memberships_role_check check (role in ('admin', 'member'));
"""


async def test_people_teams_and_entries_of_the_version_before_stay_what_they_were(pool: Pool) -> None:
    async with transaction(pool) as connection:
        root, ann = await seeded.user(connection, role="admin"), await seeded.user(connection)
        team, entry = await seeded.team(connection, "ops", ann), await seeded.entry(connection)
        await connection.execute(AS_BEFORE)
        for file in FILES:
            await connection.execute(file.read_text())
        standing = [await users.standing(connection, one) for one in (root, ann)]
        assert [(one.role, dict(one.teams), one.given) for one in standing if one] == [
            ("admin", {}, ()), ("member", {team: "member"}, ()),
        ]  # fmt: skip
        kept = await entries.one(connection, entry)
        assert kept is not None
        assert kept.team_id is None
        await connection.execute("update memberships set role = 'editor'")
        await connection.execute("update users set role = 'editor' where id = $1", ann)


@pytest.mark.parametrize("table", ["users", "memberships"])
async def test_a_role_that_there_is_not_is_in_no_row(pool: Pool, table: str) -> None:
    async with transaction(pool) as connection:
        await seeded.team(connection, "ops", await seeded.user(connection))
    with pytest.raises(Exception, match=f"{table}_role_check") as caught:
        async with transaction(pool) as connection:
            await connection.execute(f"update {table} set role = 'owner'")
    assert isinstance(caught.value.__cause__ or caught.value, asyncpg.CheckViolationError)
