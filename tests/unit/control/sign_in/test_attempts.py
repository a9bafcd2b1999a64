"""Notes of what happened at the door."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from control.changes.write import changing
from control.sign_in.attempts import Step, note
from control.store import sign_in_attempts
from control.store.pool import Pool, transaction
from tests.unit.control.changes.acting import ADMIN, new_user


@pytest.mark.parametrize("step", get_args(Step))
async def test_each_step_is_kept_with_why_it_failed_and_what_helps(pool: Pool, step: Step) -> None:
    told = {"client": "Cursor", "gateway": "desk", "address": "192.0.2.1", "reason": "no", "cure": "yes"}
    async with transaction(pool) as connection:
        await note(connection, step=step, **told)
        (kept,) = await sign_in_attempts.page(connection, limit=9, before_id=None)
    assert kept.step == step
    assert {name: getattr(kept, name) for name in told} == told


async def test_the_newest_two_hundred_are_kept(pool: Pool) -> None:
    async with transaction(pool) as connection:
        for _ in range(5):
            await note(connection, step="challenge", client="old")
        await asyncio.sleep(0.002)  # identifiers rise from one millisecond to the next
        for _ in range(200):
            await note(connection, step="challenge", client="new")
        kept = await sign_in_attempts.page(connection, limit=999, before_id=None)
    assert [one.client for one in kept] == ["new"] * 200
    assert [one.id for one in kept] == sorted((one.id for one in kept), reverse=True)


async def test_a_person_sees_their_own(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = await new_user(write, "Ann")
        await note(write.connection, step="signed_in", user_id=ann.id)
        await note(write.connection, step="challenge")
        (kept,) = await sign_in_attempts.page(write.connection, limit=9, before_id=None, user_id=ann.id)
    assert kept.step == "signed_in"


async def test_what_strangers_sent_is_cut_and_printable(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await note(connection, step="metadata", client="\x1b[31m\n" + "x" * 5_000, gateway="a\udcffb")
        (kept,) = await sign_in_attempts.page(connection, limit=9, before_id=None)
    assert kept.client.startswith("?[31m?xxx")
    assert (len(kept.client), kept.gateway) == (512, "a?b")
