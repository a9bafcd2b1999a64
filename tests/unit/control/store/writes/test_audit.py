"""What the audit trail keeps, against a real server."""

from __future__ import annotations

from control.registry.access import Caller
from control.store.audit import page
from control.store.pool import Pool, transaction
from control.store.writes.audit import record
from core.identifiers import new_id

ANN = Caller(user_id=new_id(), name="Ann", role="admin", address="127.0.0.1", request_id="r-1")


async def test_a_line_says_who_did_what_to_which_object_from_where(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await record(connection, ANN, "update", "team", "t-1", {"name": "red"}, {"name": "blue"})
        (line,) = await page(connection, limit=10, before_id=None)
    assert (line.actor, line.actor_id, line.action, line.address) == (
        "Ann", ANN.user_id, "update", "127.0.0.1",
    )  # fmt: skip
    assert (line.object_kind, line.object_id, line.request_id) == ("team", "t-1", "r-1")
    assert (line.before, line.after) == ({"name": "red"}, {"name": "blue"})


async def test_a_creation_has_no_before(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await record(connection, ANN, "create", "team", "t-1", None, {"name": "blue"})
        (line,) = await page(connection, limit=10, before_id=None)
    assert line.before is None
