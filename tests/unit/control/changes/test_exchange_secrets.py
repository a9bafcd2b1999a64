"""The secret of the client that exchanges: sealed, told to nobody, and given again for another place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control.changes import identity_providers
from control.changes.write import changing
from control.registry.broken_rule import BrokenRule
from control.registry.exchange_rules import exchange_place
from control.registry.identity_provider import Exchange, told_of_provider
from control.store.pool import Pool
from core.sealing import SealBroken
from tests.fakes.providers import provider_fields
from tests.unit.control.changes.acting import ADMIN, SAFEGUARDS, audit_of

OWN = Exchange(enabled=True, client_id="exchanger")


async def test_it_is_sealed_for_its_place_and_stays_until_another_is_given(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await identity_providers.create(write, provider_fields(exchange=OWN), "s1", SAFEGUARDS, "s3cret")
        renamed = await identity_providers.change(
            write, made.id, lambda now: replace(now, name="Other"), None, SAFEGUARDS
        )
    assert made.exchange_client_secret is not None
    assert renamed.exchange_client_secret == made.exchange_client_secret
    place, seals = exchange_place(made), SAFEGUARDS.seals
    assert seals.open_exchange_client_secret(made.id, place, made.exchange_client_secret) == "s3cret"
    with pytest.raises(SealBroken):
        seals.open_exchange_client_secret(made.id, "another place", made.exchange_client_secret)
    with pytest.raises(SealBroken):
        seals.open_client_secret(made.id, made.exchange_client_secret)
    told = told_of_provider(made)
    assert (told["has_exchange_client_secret"], told["has_client_secret"]) == (True, True)
    assert "exchange_client_secret" not in told
    assert all("s3cret" not in str(dict(line)) for line in await audit_of(pool))


@pytest.mark.parametrize("changed", [{"client_id": "another"}, {"token_endpoint": "https://id.example.com/x"}])
async def test_it_follows_to_no_other_place(pool: Pool, changed: dict[str, str]) -> None:
    other = Exchange(**{"enabled": True, "client_id": "exchanger", **changed})
    async with changing(pool, ADMIN) as write:
        made = await identity_providers.create(write, provider_fields(exchange=OWN), "s1", SAFEGUARDS, "s3cret")
        with pytest.raises(BrokenRule, match="exchange_client_secret: was given for another endpoint or client"):
            await identity_providers.change(
                write, made.id, lambda now: replace(now, exchange=other), None, SAFEGUARDS
            )
        given = await identity_providers.change(
            write, made.id, lambda now: replace(now, exchange=other), None, SAFEGUARDS, exchange_secret="again"
        )
        gone = await identity_providers.change(
            write, made.id, lambda now: replace(now, exchange=Exchange()), None, SAFEGUARDS, exchange_secret=""
        )
    sealed = given.exchange_client_secret
    assert SAFEGUARDS.seals.open_exchange_client_secret(made.id, exchange_place(given), sealed) == "again"
    assert gone.exchange_client_secret is None
