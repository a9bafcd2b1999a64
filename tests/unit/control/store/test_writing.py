"""A transaction that knows what it owes."""

from __future__ import annotations

import pytest

from control.store.pool import Pool, transaction
from control.store.writing import Writing

INSERT = "insert into teams (id, name) values (gen_random_uuid(), $1)"


def owed(writing: Writing) -> tuple[bool, bool]:
    return writing.unrecorded, writing.unannounced


@pytest.mark.parametrize("how", ["execute", "execute_many", "fetch_row"])
async def test_every_statement_owes_a_record_and_an_announcement(pool: Pool, how: str) -> None:
    async with transaction(pool) as connection:
        writing = Writing(connection)
        assert owed(writing) == (False, False)
        if how == "fetch_row":
            assert (await writing.fetch_row(INSERT + " returning name", "Red"))["name"] == "Red"
        else:
            await getattr(writing, how)(INSERT, "Red" if how == "execute" else [("Red",), ("Blue",)])
        assert owed(writing) == (True, True)


async def test_reading_owes_nothing(pool: Pool) -> None:
    async with transaction(pool, readonly=True) as connection:
        writing = Writing(connection)
        await writing.connection.fetch("select * from teams")
        assert owed(writing) == (False, False)
