"""Which copies a change concerns; `publish/test_copies.py` has the rows that this is read from."""

from __future__ import annotations

import pytest

from control.store.pool import Pool, transaction
from control.store.stale_copies import StaleCopies, claim, concerned, forget, note


@pytest.mark.parametrize(
    ("stale", "gone"),
    [
        (StaleCopies(gateways=frozenset({"g1"})), ["g1/a1/*", "g1/a2/user:u1", "g1/a3/user:u1#d1"]),
        (StaleCopies(assignments=frozenset({"a2"})), ["g1/a2/user:u1", "g2/a2/team:t1"]),
        (StaleCopies(callers=frozenset({"user:u1"})), ["g1/a2/user:u1", "g1/a3/user:u1#d1"]),
        (StaleCopies(every_caller=True), ["g1/a2/user:u1", "g2/a2/team:t1", "g1/a3/user:u1#d1"]),
        (StaleCopies(), []),
    ],
)
def test_a_copy_is_judged_by_the_part_of_its_name_that_changed(stale: StaleCopies, gone: list[str]) -> None:
    keys = ["g1/a1/*", "g1/a2/user:u1", "g2/a2/team:t1", "g1/a3/user:u1#d1"]
    assert [key for key in keys if stale.concern(key)] == gone


@pytest.mark.parametrize("key", ["", "g1", "g1/a1", "g1/a1/user/u1"])
def test_a_name_out_of_form_is_no_copy_of_ours(key: str) -> None:
    assert StaleCopies().concern(key)


async def test_a_change_is_claimed_by_one_and_stays_until_it_is_forgotten(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await note(connection, [("user", "u1"), ("user", "u1"), ("team", "t1")])
    async with transaction(pool) as first:
        changes = await claim(first, 10)
        async with transaction(pool) as second:
            assert await claim(second, 10) == []
    assert [(change.kind, change.name) for change in changes] == [("team", "t1"), ("user", "u1")]
    async with transaction(pool) as connection:
        assert len(await claim(connection, 10)) == 2
        assert (await concerned(connection, changes)).every_caller
        await forget(connection, [change.id for change in changes])
        assert await claim(connection, 10) == []
