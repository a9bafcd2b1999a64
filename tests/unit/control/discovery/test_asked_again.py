from __future__ import annotations

import asyncio

from control.discovery.asked_again import AT_ONCE, AskedAgain
from control.discovery.discover import Discovery
from control.store.pool import Pool, transaction
from tests.control import seeded


class Asked:
    """Somebody who asks servers, and finds none that answers."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def discover(self, installation_id: str) -> Discovery | None:
        self.names.append(installation_id)
        return Discovery("unreachable", "It is away.")


async def test_each_that_is_marked_is_asked_once_by_one_replica_and_few_at_a_time(pool: Pool) -> None:
    async with transaction(pool) as connection:
        entry = await seeded.entry(connection, "time")
        names = [
            await seeded.installation(connection, entry, name=f"n{number}", is_default=False)
            for number in range(AT_ONCE + 1)
        ]
        await connection.execute("insert into asked_again (installation_id) select id from installations")
    asked = Asked()
    first, second = AskedAgain(pool, asked), AskedAgain(pool, asked)
    assert await first.ask() == AT_ONCE
    both = await asyncio.gather(first.ask(), second.ask())
    assert sum(both) == 1
    assert sorted(asked.names) == sorted(names)
