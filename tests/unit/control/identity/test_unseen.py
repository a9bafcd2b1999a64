"""Who has not called without an account for long is forgotten, on a real PostgreSQL."""

from __future__ import annotations

from control.changes import external_principals as changes
from control.changes.write import changing
from control.identity.unseen import forget_unseen
from control.registry.external_principal import UNSEEN_DAYS
from control.store import external_principals
from control.store.pool import Pool, transaction
from tests.fakes.providers import ISSUER, a_person
from tests.unit.control.changes.acting import ADMIN, new_provider


async def test_only_who_was_not_seen_for_so_many_days_is_forgotten(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider = await new_provider(write, "corp", ISSUER)
        for subject in ("zoe", "yan"):
            await changes.seen(write, provider, a_person(subject=subject))
    async with transaction(pool) as connection:
        await connection.execute(
            "update external_principals set last_seen_at = now() - make_interval(days => $1) where subject = 'yan'",
            UNSEEN_DAYS,
        )
    assert (await forget_unseen(pool), await forget_unseen(pool)) == (1, 0)
    async with transaction(pool, readonly=True) as connection:
        assert [one.subject for one in await external_principals.page(connection, limit=9)] == ["zoe"]
