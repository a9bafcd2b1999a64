"""Which notes are kept, of many writers and of floods."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from control.changes.write import changing
from control.registry.sign_in_attempt import Attempt, NewAttempt, Step
from control.store import sign_in_attempts
from control.store.pool import Pool, transaction
from control.store.sign_in_attempts import MOST, SHARE, keep, page
from tests.unit.control.changes.acting import ADMIN, new_user


async def kept(pool: Pool) -> list[Attempt]:
    async with transaction(pool) as connection:
        return await page(connection, limit=9_999)


async def keep_all(pool: Pool, attempts: list[NewAttempt]) -> None:
    async with transaction(pool) as connection:
        await keep(connection, [(one, 1) for one in attempts])


def from_network(number: int, client: str, **changes: str) -> NewAttempt:
    return NewAttempt(step="registered", client=client, address=f"198.51.{number // 256}.{number % 256}", **changes)


@pytest.mark.parametrize("step", get_args(Step))
async def test_each_step_is_kept_with_why_it_failed_and_what_helps(pool: Pool, step: Step) -> None:
    noted = NewAttempt(
        step=step, client="Cursor", gateway="desk", address="192.0.2.1", reason="no", asked="what", cure="yes"
    )
    await keep_all(pool, [noted])
    (found,) = await kept(pool)
    assert {name: getattr(found, name) for name in sign_in_attempts._COLUMNS} == {
        name: getattr(noted, name) for name in sign_in_attempts._COLUMNS
    }
    assert (found.times, found.failed) == (1, True)


async def test_equal_notes_of_an_hour_are_one_that_counts_them(pool: Pool) -> None:
    one = from_network(1, "Claude")
    await keep_all(pool, [one, from_network(2, "Claude"), one])
    async with transaction(pool) as connection:
        await keep(connection, [(one, 40)])
    newest, other = await kept(pool)
    assert (newest.address, newest.times, other.times) == (one.address, 42, 1)
    assert newest.first_at <= newest.at


async def test_what_comes_again_after_hours_is_another_attempt(pool: Pool) -> None:
    await keep_all(pool, [from_network(1, "Claude")])
    async with transaction(pool) as connection:
        await connection.execute("update sign_in_attempts set at = at - interval '2 hours'")
    await keep_all(pool, [from_network(1, "Claude")])
    assert [one.times for one in await kept(pool)] == [1, 1]


async def test_exactly_the_newest_two_hundred_are_kept_of_many_who_write_at_once(pool: Pool) -> None:
    await keep_all(pool, [from_network(number, "old") for number in range(MOST)])
    await asyncio.gather(
        *(keep_all(pool, [from_network(300 + at * 25 + one, "new") for one in range(25)]) for at in range(8))
    )
    found = await kept(pool)
    assert [one.client for one in found] == ["new"] * MOST
    assert [one.id for one in found] == sorted((one.id for one in found), reverse=True)


async def test_a_flood_from_one_network_leaves_what_others_noted(pool: Pool) -> None:
    others = [from_network(number, "Claude") for number in range(MOST - SHARE)]
    await keep_all(pool, others)
    await keep_all(pool, [from_network(999, f"flood {number}") for number in range(100)])
    found = await kept(pool)
    assert len(found) == MOST
    assert sum(one.client == "Claude" for one in found) == len(others)


async def test_a_flood_from_many_networks_leaves_half_of_the_room_to_people_who_are_known(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        people = [await new_user(write, f"Ann {number}") for number in range(6)]
    steps: list[Step] = ["authorised", "token", "first_call"]
    theirs = [
        NewAttempt(step=step, client=f"{number}", user_id=one.id)
        for one in people for step in steps for number in range(6)
    ]  # fmt: skip
    await keep_all(pool, theirs)
    victim = people[0].id
    guesses = [
        NewAttempt(step="signed_in", user_id=victim, address=f"192.0.2.{at}", reason="wrong") for at in range(50)
    ]
    await keep_all(pool, guesses + [from_network(number, "flood") for number in range(100)])
    found = await kept(pool)
    assert len(found) == MOST
    assert sum(one.known for one in found) == MOST // 2


async def test_a_person_sees_their_own_and_filters_narrow(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = await new_user(write, "Ann")
    await keep_all(
        pool,
        [
            NewAttempt(step="signed_in", user_id=ann.id),
            NewAttempt(step="token", client="Claude Code", gateway="desk", reason="no", cure="yes"),
            NewAttempt(step="challenge", gateway="desk"),
        ],
    )
    async with transaction(pool) as connection:
        (own,) = await page(connection, limit=9, user_id=ann.id)
        (failed,) = await page(connection, limit=9, failed=True)
        (claude,) = await page(connection, limit=9, client="claude")
        (challenge,) = await page(connection, limit=9, step="challenge", gateway="desk", failed=False)
        assert await page(connection, limit=9, before_id=own.id) == []
    assert (own.step, own.user_name) == ("signed_in", ann.name)
    assert failed == claude
    assert challenge.step == "challenge"
