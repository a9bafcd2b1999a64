"""The audit trail, against a real server."""

from __future__ import annotations

from control.registry.access import Caller
from control.store import audit
from control.store.pool import Pool, transaction
from core.identifiers import new_id

ANN = Caller(user_id=new_id(), name="Ann", role="admin", address="127.0.0.1", request_id="r-1")


async def test_a_line_says_who_did_what_to_which_object_from_where(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await audit.record(connection, ANN, "update", "team", "t-1", {"name": "red"}, {"name": "blue"})
        (line,) = await audit.page(connection, limit=10, before_id=None)
    assert (line["actor"], line["actor_id"], line["action"], line["address"]) == (
        "Ann", ANN.user_id, "update", "127.0.0.1",
    )  # fmt: skip
    assert (line["object_kind"], line["object_id"], line["request_id"]) == ("team", "t-1", "r-1")
    assert (line["before"], line["after"]) == ({"name": "red"}, {"name": "blue"})


async def test_a_creation_has_no_before(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await audit.record(connection, ANN, "create", "team", "t-1", None, {"name": "blue"})
        (line,) = await audit.page(connection, limit=10, before_id=None)
    assert line["before"] is None


async def test_pages_go_from_new_to_old(pool: Pool) -> None:
    async with transaction(pool) as connection:
        for number in range(3):
            await audit.record(connection, ANN, "create", "team", str(number))
        first = await audit.page(connection, limit=2, before_id=None)
        rest = await audit.page(connection, limit=2, before_id=first[-1]["id"])
    ids = [line["id"] for line in first + rest]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3


async def test_filters_narrow_the_trail(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await audit.record(connection, ANN, "create", "team", "1")
        await audit.record(connection, ANN, "delete", "user", "2")
        assert len(await audit.page(connection, limit=9, before_id=None, action="delete")) == 1
        assert len(await audit.page(connection, limit=9, before_id=None, object_kind="team", object_id="2")) == 0
        assert len(await audit.page(connection, limit=9, before_id=None, actor_id=ANN.user_id)) == 2
