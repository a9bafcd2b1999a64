"""What writers leave for the publisher, against a real server."""

from __future__ import annotations

from control.store.outbox import announce, gateways_gone, touch_gateways
from control.store.pool import Connection, Pool, transaction
from core.identifiers import new_id


async def add_gateway(connection: Connection, slug: str) -> str:
    gateway_id = new_id()
    await connection.execute("insert into gateways (id, slug, name) values ($1, $2, $2)", gateway_id, slug)
    return gateway_id


async def outbox(pool: Pool) -> list[tuple[str, str, int]]:
    async with transaction(pool, readonly=True) as connection:
        rows = await connection.fetch("select kind, name, revision from outbox order by id")
    return [(row["kind"], row["name"], row["revision"]) for row in rows]


async def index_revision(pool: Pool) -> int:
    async with transaction(pool, readonly=True) as connection:
        return int(await connection.fetchval("select index_revision from publication"))


async def test_an_announcement_is_in_the_outbox_once_its_transaction_is_committed(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await announce(connection, "token", "d" * 64)
        assert await outbox(pool) == []
    assert await outbox(pool) == [("token", "d" * 64, 0)]


async def test_touching_a_gateway_raises_its_revision_and_that_of_the_index(pool: Pool) -> None:
    async with transaction(pool) as connection:
        one, two = await add_gateway(connection, "one"), await add_gateway(connection, "two")
    async with transaction(pool) as connection:
        await touch_gateways(connection, [two, one, one, new_id()])
    assert await outbox(pool) == [("gateway", name, 2) for name in sorted([one, two])]
    assert await index_revision(pool) == 1


async def test_touching_no_gateway_changes_nothing(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await touch_gateways(connection, [])
        await gateways_gone(connection, [])
    assert (await outbox(pool), await index_revision(pool)) == ([], 0)


async def test_a_gateway_that_is_gone_is_announced_with_revision_minus_one(pool: Pool) -> None:
    gateway_id = new_id()
    async with transaction(pool) as connection:
        await gateways_gone(connection, [gateway_id])
    assert await outbox(pool) == [("gateway", gateway_id, -1)]
    assert await index_revision(pool) == 1
