from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from control.accounts import renewals as module
from control.registry.account import Account
from control.store.pool import StoreUnavailable, close_pool
from core.resolve import InstallationRefusal, ResolvedInstallation
from core.tasks import Tasks
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import Fault, RotatingProvider


async def test_fifty_calls_on_four_replicas_are_one_renewal(rig: Renewing, provider: RotatingProvider) -> None:
    provider.grace_s = 0
    ann = await rig.signed_in("ann", ended=True)
    replicas = [rig.renewals, *[await rig.replica() for _ in range(3)]]
    tokens = await asyncio.gather(*(rig.token(ann, replicas[number % 4]) for number in range(50)))
    assert {provider.takes(one) for one in tokens} == {"ann"}
    assert len(set(tokens)) == 1
    assert (provider.granted, provider.reused, len(provider.forms)) == (1, 0, 1)


async def test_a_caller_that_leaves_ends_no_renewal(rig: Renewing, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.LATE)
    asked = asyncio.Event()
    provider.at_each = asked.set
    tasks = Tasks("test")
    tasks.spawn("leaving", rig.token(ann))
    await asked.wait()
    await tasks.close()
    assert provider.takes(await rig.token(ann)) == "ann"
    assert len(provider.forms) == 1


async def test_a_caller_waits_a_while_and_is_told_to_come_again(
    rig: Renewing, provider: RotatingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.01)
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.LATE)
    refusal = await rig.refusal(ann)
    assert refusal.code == "provider_away"
    assert "has not answered yet" in refusal.sentence
    assert refusal.under_way
    monkeypatch.setattr(module, "WAIT_S", 20)
    assert provider.takes(await rig.token(ann)) == "ann"
    assert len(provider.forms) == 1


async def test_a_caller_who_waits_for_longer_gets_the_token(
    rig: Renewing, provider: RotatingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.01)
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.LATE)
    found = await rig.renewals.renewed(*await rig.rows(ann), within=20.0)
    assert isinstance(found, Account)
    assert found.version == 2


async def test_no_more_than_so_many_renewals_are_begun_and_one_that_is_under_way_is_waited_for(
    rig: Renewing, provider: RotatingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 1)
    ann, bob = await rig.signed_in("ann", ended=True), await rig.signed_in("bob", ended=True)
    provider.faults.append(Fault.LATE)
    run = rig.renewals.run(ann, 1, "")
    assert (await rig.refusal(bob)).under_way
    assert provider.takes(await rig.token(ann)) == "ann"
    assert run.done()
    assert provider.takes(await rig.token(bob)) == "bob"


async def test_a_renewal_under_way_is_finished_when_the_process_ends(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.LATE)
    asked = asyncio.Event()
    provider.at_each = asked.set
    run = rig.renewals.run(ann, 1, "")
    await asked.wait()
    await rig.renewals.close()
    assert run.done()
    assert rig.tokens(await rig.account(ann)).refresh_token == provider.families[0].newest


async def test_each_renewal_is_counted_once_by_how_it_ended(rig: Renewing, provider: RotatingProvider) -> None:
    provider.grace_s = 0
    ann, bob, cid = [await rig.signed_in(name, ended=True) for name in ("ann", "bob", "cid")]
    other = await rig.replica()
    rows = await rig.rows(ann)  # read once: who reads later may find the new token already
    await asyncio.gather(*(one.renewed(*rows) for one in (rig.renewals, rig.renewals, other)))
    provider.faults.append(Fault.DOWN)
    await rig.refusal(bob)
    provider.faults.extend([Fault.NO, Fault.NO])
    await rig.refusal(cid)
    ended = [rig.renewals.counts.ended, other.counts.ended]
    assert {name: sum(one[name] for one in ended) for name in ended[0]} == {
        "renewed": 1, "adopted": 1, "away": 1, "refused": 1, "gone": 0, "failed": 0,
    }  # fmt: skip
    assert (rig.renewals.under_way, other.under_way) == (0, 0)


async def test_a_renewal_that_the_database_ended_is_counted_as_failed(rig: Renewing) -> None:
    ann = await rig.signed_in("ann", ended=True)
    rows = await rig.rows(ann)
    replica = await rig.replica()
    await close_pool(replica._one._leases._pool)
    with pytest.raises(StoreUnavailable):
        await replica.renewed(*rows)
    assert replica.counts.ended["failed"] == 1


async def test_a_token_that_its_server_refuses_is_renewed_once_for_everybody(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann")
    first = await rig.resolved(ann)
    assert isinstance(first, ResolvedInstallation)
    other = await rig.replica()
    tokens = await asyncio.gather(
        *(rig.token(ann, one, first.version) for one in (rig.renewals, other) for _ in range(10))
    )
    assert (len(set(tokens)), provider.granted) == (1, 1)
    assert provider.takes(tokens[0]) == "ann"


async def test_a_server_that_goes_on_refusing_causes_no_second_renewal_for_a_while(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann")
    version = 1
    for _ in range(5):
        found = await rig.resolved(ann, refused_version=version)
        assert isinstance(found, ResolvedInstallation)
        version = found.version
    assert provider.granted == 1
    await rig.execute("update accounts set refreshed_at = now() - interval '31 s'")
    await rig.token(ann, refused_version=version)
    assert provider.granted == 2


async def test_a_server_that_refuses_whatever_it_gets_has_a_provider_asked_ever_more_seldom(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann")
    await refused(rig, ann)
    for number, wait in enumerate((30, 60, 120, 240, 480, 900, 900), 1):
        await aged(rig, wait - 5)
        await refused(rig, ann)
        assert provider.granted == number, wait
        await aged(rig, wait + 5)
        await refused(rig, ann)
        assert provider.granted == number + 1, wait


async def test_a_discovery_that_the_server_answers_ends_the_long_waits(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann")
    await rig.execute("update accounts set refusals = 6")
    await aged(rig, 40)
    await refused(rig, ann)
    assert provider.granted == 0
    await rig.execute("update installations set state = 'ready', discovered_at = now()")
    await refused(rig, ann)
    assert (provider.granted, (await rig.account(ann)).refusals) == (1, 1)


async def test_a_renewal_that_was_due_counts_as_nobodys_refusal(rig: Renewing, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann", ended=True)
    await rig.token(ann)
    assert (provider.granted, (await rig.account(ann)).refusals) == (1, 0)


async def aged(rig: Renewing, seconds: int) -> None:
    """The token of now came so long ago."""
    await rig.execute(f"update accounts set refreshed_at = now() - interval '{seconds} s'")


async def refused(rig: Renewing, installation_id: str) -> None:
    """A call meets a server that does not take the token of now."""
    found = await rig.resolved(installation_id)
    assert isinstance(found, ResolvedInstallation)
    await rig.token(installation_id, refused_version=found.version)


async def test_a_call_whose_token_is_due_goes_on_with_it_while_the_next_one_is_got(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", refresh_at=datetime.now(UTC) - timedelta(seconds=1))
    assert await rig.token(ann) == "first"
    await rig.renewals.close()
    assert provider.takes(await rig.token(ann)) == "ann"
    assert provider.granted == 1


async def test_use_is_noted_once_an_hour_and_waits_for_nobody(rig: Renewing) -> None:
    ann, bob = await rig.signed_in("ann"), await rig.signed_in("bob")
    await rig.execute("update accounts set used_at = now() - interval '10 minutes' where installation_id = $1", bob)
    await rig.token(ann)
    await rig.token(bob)
    assert rig.renewals.taken_used() == {ann}
    assert rig.renewals.taken_used() == set()


async def test_a_client_that_gets_no_first_token_is_not_asked_for_with_each_call(
    rig: Renewing, provider: RotatingProvider
) -> None:
    installation = await rig.installed(
        await rig.client_entry(), values={"client_id": "archway"}, credential="a wrong secret"
    )
    refusals = [await rig.resolved(installation.id) for _ in range(5)]
    assert {one.code for one in refusals if isinstance(one, InstallationRefusal)} == {"needs_sign_in"}
    assert len(provider.forms) == 2, "asked, and once more before the no is believed"


async def test_one_entrys_slow_provider_holds_up_nobody_elses(rig: Renewing, provider: RotatingProvider) -> None:
    slow, quick = await rig.signed_in("ann", ended=True), await rig.signed_in("bob")
    provider.faults.append(Fault.LATE)
    run = rig.renewals.run(slow, 1, "")
    assert await rig.token(quick) == "first"
    assert not run.done()
    await run
