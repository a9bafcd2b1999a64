"""Keys of a provider that vouches: they rotate, are away, lie at another host, or are another provider's."""

from __future__ import annotations

import pytest
from aiohttp import web

from control.store.pool import transaction
from tests.fakes.issuer import FakeIssuer, rsa_jwk
from tests.oauth.asserting import AssertingCorp, corp

__all__ = ["corp"]


async def as_after(corp: AssertingCorp, ago: str) -> None:
    """As if the provider had been asked the last time so long ago."""
    async with transaction(corp.flow.pool) as connection:
        await connection.execute(
            """update identity_provider_states set tried_at = tried_at - $1::text::interval,
                   fetched_at = fetched_at - $1::text::interval""",
            ago,
        )


async def gets_in(corp: AssertingCorp, key: str = "a") -> bool:
    return (await corp.exchange(corp.assertion(key))).status == 200


async def test_a_key_that_is_new_is_found_at_the_first_assertion_that_it_signed(corp: AssertingCorp) -> None:
    corp.idp.keys = [rsa_jwk("b")]
    await as_after(corp, "2 minutes")
    assert await gets_in(corp, "b")


async def test_a_key_that_the_provider_publishes_no_more_vouches_for_nobody(corp: AssertingCorp) -> None:
    corp.idp.keys = [rsa_jwk("b")]
    await as_after(corp, "2 minutes")
    assert await gets_in(corp, "b")
    assert not await gets_in(corp, "a")


@pytest.mark.parametrize(("ago", "held"), [("1 hour", True), ("8 days", False)])
async def test_an_outage_of_an_hour_keeps_nobody_out_and_one_of_days_does(
    corp: AssertingCorp, ago: str, held: bool
) -> None:
    corp.idp.answer_keys = lambda: web.Response(status=503)
    await as_after(corp, ago)
    assert await gets_in(corp) is held


async def test_keys_at_another_host_prove_nothing_before_somebody_approved_the_host(corp: AssertingCorp) -> None:
    async with FakeIssuer() as elsewhere:
        elsewhere.keys = [rsa_jwk("c")]
        corp.idp.metadata = {"jwks_uri": f"{elsewhere.issuer}/keys"}
        async with transaction(corp.flow.pool) as connection:
            await connection.execute("delete from identity_provider_states")
        assert not await gets_in(corp, "c")
        assert elsewhere.fetched == 0
        await corp.change_provider(approved_hosts=(elsewhere.issuer,))
        await as_after(corp, "2 minutes")
        assert await gets_in(corp, "c")
