"""The audit trail, against a real server."""

from __future__ import annotations

from control.registry.access import Caller
from control.store.audit import page
from control.store.pool import Pool, transaction
from control.store.writes.audit import record
from core.identifiers import new_id

ANN = Caller(user_id=new_id(), name="Ann", role="admin", address="127.0.0.1", request_id="r-1")


async def test_pages_go_from_new_to_old(pool: Pool) -> None:
    async with transaction(pool) as connection:
        for number in range(3):
            await record(connection, ANN, "create", "team", str(number))
        first = await page(connection, limit=2, before_id=None)
        rest = await page(connection, limit=2, before_id=first[-1].id)
    ids = [line.id for line in first + rest]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3


async def test_filters_narrow_the_trail(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await record(connection, ANN, "create", "team", "1")
        await record(connection, ANN, "delete", "user", "2")
        assert len(await page(connection, limit=9, before_id=None, action="delete")) == 1
        assert len(await page(connection, limit=9, before_id=None, object_kind="team", object_id="2")) == 0
        assert len(await page(connection, limit=9, before_id=None, actor_id=ANN.user_id)) == 2
