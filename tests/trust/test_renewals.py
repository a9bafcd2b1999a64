"""Renewals of accounts at a real token endpoint and a real database (row F-11)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from control.accounts import one_renewal
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import Fault, RotatingProvider
from tests.fixtures_postgres import database, postgres

__all__ = ["database", "postgres"]


@pytest.fixture
async def provider() -> AsyncIterator[RotatingProvider]:
    async with RotatingProvider() as running:
        yield running


@pytest.fixture
async def accounts(
    database: str,  # the fixture
    provider: RotatingProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Renewing]:
    monkeypatch.setattr(one_renewal, "AGAIN_AFTER_S", 0.01)
    async with Renewing(database, provider) as made:
        yield made


@pytest.mark.parametrize("_", [pytest.param(0, id="F-11: 50 calls, 4 workers on 2 replicas, one expired token")])
async def test_fifty_calls_with_one_expired_token_are_one_refresh(
    accounts: Renewing, provider: RotatingProvider, _: int
) -> None:
    """ "exactly 1 refresh upstream; 50 successes", at a provider that ends everything at the first reuse."""
    provider.grace_s = 0
    ann = await accounts.signed_in("ann", ended=True)
    replicas = [accounts.renewals, await accounts.replica()]

    async def worker(number: int) -> list[str]:
        calls = range(number, 50, 4)
        return await asyncio.gather(*(accounts.token(ann, replicas[number % 2]) for _ in calls))

    tokens = [one for of_worker in await asyncio.gather(*map(worker, range(4))) for one in of_worker]
    assert [provider.takes(one) for one in tokens] == ["ann"] * 50
    assert (len(provider.forms), provider.granted, provider.reused) == (1, 1, 0)


@pytest.mark.parametrize(
    ("faults", "grace_s", "signed_out"),
    [
        pytest.param([Fault.LOSES], 30, False, id="F-11: lost answer, the old token is tried once within grace"),
        pytest.param([Fault.LOSES], 0, True, id="F-11: lost answer, strict provider"),
        pytest.param([Fault.NO, Fault.NO], 30, True, id="F-11: fatal invalid_grant clears"),
        pytest.param([Fault.NO], 30, False, id="F-11: invalid_grant once"),
        pytest.param([Fault.NOTHING, Fault.NOTHING], 30, False, id="F-11: network error keeps"),
        pytest.param([Fault.DOWN], 30, False, id="F-11: 5xx keeps"),
        pytest.param([Fault.BUSY], 30, False, id="F-11: 429 keeps"),
        pytest.param([Fault.PAGE], 30, False, id="F-11: HTML keeps"),
        pytest.param([Fault.LATE], 30, False, id="F-11: late answer"),
        pytest.param([Fault.ANOTHER], 30, True, id="F-11: ID token of another person"),
    ],
)
async def test_only_the_providers_own_no_ends_a_sign_in_and_other_peoples_calls_go_on(
    accounts: Renewing, provider: RotatingProvider, faults: list[Fault], grace_s: float, signed_out: bool
) -> None:
    provider.grace_s = grace_s
    ann, bob = await accounts.signed_in("ann", ended=True), await accounts.signed_in("bob", ended=True)
    provider.faults.extend(faults)
    await accounts.resolved(ann)
    assert provider.takes(await accounts.token(bob)) == "bob"
    assert ((await accounts.account(ann)).refused_at is not None) is signed_out
    if signed_out:
        assert (await accounts.refusal(ann)).code == "needs_sign_in"
    else:
        await accounts.rested(ann)
        assert provider.takes(await accounts.token(ann)) == "ann"
