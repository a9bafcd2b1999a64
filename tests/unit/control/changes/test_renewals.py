from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from control.changes import accounts, renewals
from control.changes.write import Write, changing
from control.registry.account import Account, AccountTokens
from control.store import accounts as stored
from control.store import installations
from control.store.pool import Pool
from core.identifiers import new_id
from tests.fakes.registry import an_account
from tests.unit.control.changes.acting import ADMIN, SAFEGUARDS, new_entry, new_installation

LIFE = timedelta(seconds=20)


async def account(write: Write) -> Account:
    installation = await new_installation(write, await new_entry(write))
    return await accounts.keep(write, SAFEGUARDS.seals, installation, an_account(), AccountTokens("a", "r"))


async def again(write: Write, before: Account) -> Account:
    found = await stored.one(write.connection, before.installation_id)
    assert found is not None
    return found


async def test_one_has_the_lease_until_it_ends(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        of = await account(write)
        assert await renewals.lease(write, of, new_id(), LIFE)
        assert not await renewals.lease(write, of, new_id(), LIFE)
        await write.connection.execute("update accounts set refresh_until = clock_timestamp()")
        assert await renewals.lease(write, of, new_id(), LIFE)


async def test_no_lease_is_given_for_a_token_that_is_not_the_newest(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        of = await account(write)
        assert not await renewals.lease(write, replace(of, version=of.version + 1), new_id(), LIFE)


async def test_tokens_are_kept_over_the_version_that_was_read_and_end_the_lease(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        of = await account(write)
        await renewals.lease(write, of, new_id(), LIFE)
        kept = await renewals.keep(write, of.installation_id, of.version, replace(of, tokens=b"next"))
        assert kept is not None
        assert (kept.tokens, kept.version, kept.created_at) == (b"next", of.version + 1, of.created_at)
        assert await renewals.keep(write, of.installation_id, of.version, replace(of, tokens=b"late")) is None
        assert (await again(write, of)).tokens == b"next"
        assert await renewals.lease(write, kept, new_id(), LIFE), "the lease is over"


async def test_the_first_account_is_kept_once(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        installation = await new_installation(write, await new_entry(write))
        assert await renewals.keep(write, installation.id, 0, an_account()) is not None
        assert await renewals.keep(write, installation.id, 0, an_account()) is None


async def test_only_the_owner_of_the_lease_writes_a_fault(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        of, owner = await account(write), new_id()
        await renewals.lease(write, of, owner, LIFE)
        assert not await renewals.fail(write, of, new_id(), "it is away", LIFE)
        assert (await again(write, of)).fault == ""
        assert await renewals.fail(write, of, owner, "it is away" * 100, LIFE)
        after = await again(write, of)
        assert after.fault.startswith("it is away")
        assert len(after.fault) == 500
        assert after.failing_since is not None


@pytest.mark.parametrize("newer", [True, False])
async def test_an_account_is_refused_unless_there_is_a_newer_one(pool: Pool, newer: bool) -> None:
    async with changing(pool, ADMIN) as write:
        of = await account(write)
        if newer:
            await renewals.keep(write, of.installation_id, of.version, of)
        assert await renewals.refuse(write, of, "invalid_grant", "It was signed out.") is not newer
        installation = await installations.one(write.connection, of.installation_id)
        assert installation is not None
        told = ("new", "") if newer else ("needs_sign_in", "It was signed out.")
        assert (installation.state, installation.state_reason) == told
        assert ((await again(write, of)).refused_at is None) is newer
