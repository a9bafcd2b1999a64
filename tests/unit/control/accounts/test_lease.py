from __future__ import annotations

import asyncio

import pytest

from control.accounts.lease import Ended, Held, Leased, Leases
from control.providers.asking import DEADLINE_S
from control.registry.account import Account, AccountTokens
from control.store.lease_waits import LEASE_S
from core.resolve import InstallationRefusal
from tests.fakes.renewing import Renewing


@pytest.fixture
def leases(rig: Renewing) -> Leases:
    return Leases(rig.pool, rig.seals)


async def test_one_of_many_gets_the_lease(rig: Renewing, leases: Leases) -> None:
    ann = await rig.signed_in("ann")
    taken = await asyncio.gather(*(leases.take(ann, 1) for _ in range(8)))
    assert sorted(type(one).__name__ for one in taken) == ["Held"] * 7 + ["Leased"]
    (leased,) = [one for one in taken if isinstance(one, Leased)]
    assert 3 * DEADLINE_S < leased.left < LEASE_S
    assert leased.url == rig.server
    assert "Leased" in repr(leased)
    assert leased.tokens.refresh_token not in repr(leased)


async def test_a_lease_ends_by_itself(rig: Renewing, leases: Leases) -> None:
    ann = await rig.signed_in("ann")
    assert isinstance(await leases.take(ann, 1), Leased)
    await rig.execute("update accounts set refresh_until = now() - interval '1 s'")
    assert isinstance(await leases.take(ann, 1), Leased)


async def test_whoever_knows_an_older_token_is_given_the_newer_account(rig: Renewing, leases: Leases) -> None:
    ann = await rig.signed_in("ann")
    found = await leases.take(ann, 0)
    assert isinstance(found, Account)
    assert found.version == 1


async def test_an_account_that_rests_is_not_leased(rig: Renewing, leases: Leases) -> None:
    ann = await rig.signed_in("ann")
    await rig.execute(
        "update accounts set failing_since = now(), fault = 'id.example answered 503', "
        "refresh_at = now() + interval '1 minute'"
    )
    found = await leases.take(ann, 1)
    assert isinstance(found, InstallationRefusal)
    assert "id.example answered 503" in found.sentence


async def test_an_account_that_ended_without_a_refresh_token_is_over(rig: Renewing, leases: Leases) -> None:
    ann = await rig.signed_in("ann", ended=True, tokens=AccountTokens("first"))
    assert isinstance(await leases.take(ann, 1), Ended)


async def test_what_cannot_be_opened_needs_a_sign_in(rig: Renewing, leases: Leases) -> None:
    ann = await rig.signed_in("ann")
    await rig.execute("update accounts set tokens = 'x'")
    found = await leases.take(ann, 1)
    assert isinstance(found, InstallationRefusal)
    assert "cannot be read any more" in found.sentence


async def test_what_is_gone_is_not_leased(rig: Renewing, leases: Leases) -> None:
    ann = await rig.signed_in("ann")
    await rig.execute("delete from installations")
    found = await leases.take(ann, 1)
    assert isinstance(found, InstallationRefusal)
    assert found.code == "installation_gone"
    assert await leases.newest(ann) is None


async def test_an_account_of_another_place_is_left_alone_for_a_while(rig: Renewing, leases: Leases) -> None:
    ann = await rig.signed_in("ann", place="elsewhere")
    assert isinstance(await leases.take(ann, 1), InstallationRefusal)
    rows = await rig.execute("select refresh_at > now() + interval '20 minutes' as later from accounts")
    assert [row["later"] for row in rows] == [True]


async def test_who_holds_a_lease_is_waited_for(rig: Renewing, leases: Leases) -> None:
    ann = await rig.signed_in("ann")
    leased = await leases.take(ann, 1)
    assert isinstance(leased, Leased)
    found = await leases.take(ann, 1)
    assert isinstance(found, Held)
    assert found.installation.id == ann
