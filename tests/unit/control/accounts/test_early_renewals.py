from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from control.accounts.early_renewals import AT_ONCE, EarlyRenewals
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import Fault, RotatingProvider


def past(**since: float) -> datetime:
    return datetime.now(UTC) - timedelta(**since)


async def rounded(rig: Renewing) -> None:
    """One round, to the end of all that it began."""
    early = EarlyRenewals(rig.pool, rig.renewals)
    await asyncio.gather(*await early.round())
    await early.close()


async def test_an_account_that_is_due_and_was_used_lately_is_renewed_before_anybody_calls(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", refresh_at=past(minutes=1))
    await rig.execute("update accounts set used_at = now() - interval '2 hours'")
    await rounded(rig)
    account = await rig.account(ann)
    assert (account.version, provider.granted) == (2, 1)
    assert account.refresh_at is not None
    assert account.refresh_at > datetime.now(UTC) + timedelta(minutes=45)
    await rounded(rig)
    assert provider.granted == 1


async def test_an_account_that_nobody_uses_is_renewed_once_a_week(rig: Renewing, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann", refresh_at=past(minutes=1))
    await rounded(rig)
    assert provider.granted == 0
    refresh_at = (await rig.account(ann)).refresh_at
    assert refresh_at is not None
    assert refresh_at > datetime.now(UTC) + timedelta(days=6)
    await rig.execute(
        "update accounts set refresh_at = now() - interval '1 s', refreshed_at = now() - interval '8 days'"
    )
    await rounded(rig)
    assert provider.granted == 1


async def test_use_is_written_down(rig: Renewing) -> None:
    ann = await rig.signed_in("ann")
    await rig.token(ann)
    assert (await rig.account(ann)).used_at is None
    await rounded(rig)
    assert (await rig.account(ann)).used_at is not None


async def test_what_was_refused_rests_or_is_renewed_by_another_is_left_alone(
    rig: Renewing, provider: RotatingProvider
) -> None:
    due = {"refresh_at": past(minutes=1)}
    refused, held = await rig.signed_in("ann", **due), await rig.signed_in("bob", **due)
    await rig.execute("update accounts set used_at = now()")
    await rig.execute("update accounts set refused_at = now() where installation_id = $1", refused)
    await rig.execute("update accounts set refresh_until = now() + interval '9 s' where installation_id = $1", held)
    await rounded(rig)
    assert provider.granted == 0


async def test_a_provider_that_is_away_is_tried_for_a_few_and_holds_up_nobody_elses(
    rig: Renewing, provider: RotatingProvider
) -> None:
    due = {"refresh_at": past(minutes=1)}
    async with RotatingProvider() as broken:
        entry = await rig.entry()
        for number in range(AT_ONCE + 3):
            await rig.signed_in(f"p{number}", entry, token_endpoint=broken.endpoint, issuer=broken.url, **due)
        await rig.execute(
            "update entries set credential = jsonb_set(credential, '{approved_hosts}', to_jsonb($1::text[]))",
            [broken.url],
        )
        ann = await rig.signed_in("ann", **due)
        await rig.execute("update accounts set used_at = now()")
        broken.faults.extend([Fault.DOWN] * 50)
        await rounded(rig)
        assert len(broken.forms) == AT_ONCE
    assert (await rig.account(ann)).version == 2
    rows = await rig.execute("select count(*) as due from accounts where refresh_at <= now()")
    assert rows[0]["due"] == 0, "the others are put off"
    rows = await rig.execute("select count(*) as signed_out from accounts where refused_at is not null")
    assert rows[0]["signed_out"] == 0
    assert provider.granted == 1
