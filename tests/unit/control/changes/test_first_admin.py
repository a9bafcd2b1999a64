"""The user whom nobody makes."""

from __future__ import annotations

import asyncio

from control.changes.first_admin import ensure_first_admin
from control.changes.write import changing
from control.store import users
from control.store.pool import Pool, transaction
from tests.unit.control.changes.acting import ADMIN, audit_of, new_user


async def names(pool: Pool) -> list[tuple[str, str]]:
    async with transaction(pool, readonly=True) as connection:
        return [(user.name, user.role) for user in await users.page(connection, limit=9, after=None)]


async def test_an_empty_deployment_gets_one_admin_and_no_audit_record(pool: Pool) -> None:
    await ensure_first_admin(pool)
    assert (await names(pool), await audit_of(pool)) == ([("Administrator", "admin")], [])


async def test_replicas_that_start_at_once_make_one(pool: Pool) -> None:
    await asyncio.gather(*(ensure_first_admin(pool) for _ in range(4)))
    assert len(await names(pool)) == 1


async def test_where_there_are_users_nobody_is_made_even_without_an_admin(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        await new_user(write, "Bea")
    await ensure_first_admin(pool)
    assert await names(pool) == [("Bea", "member")]
