"""Single sign-on where the provider is away, changes, or says what must not be believed; with npm `oidc-provider`.

Each of these for tokens at gateways is in test_provider_tokens.py; with Keycloak, in tests/keycloak.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.corp_sign_in import Corp


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"aud": "another"}, id="A-6: an id_token for another client"),
        pytest.param({"aud": ["archway", "another"]}, id="A-6: an id_token for two clients"),
        pytest.param({"azp": "another"}, id="A-6: an id_token that another client asked for"),
        pytest.param({"iss": "https://other.test"}, id="A-6: an id_token of another issuer"),
        pytest.param({"nonce": "another"}, id="A-6: an id_token of another sign-in"),
    ],
)
async def test_what_was_said_to_somebody_else_signs_nobody_in(corp: Corp, said: dict[str, Any]) -> None:
    await corp.ann()
    await corp.idp.says(**said)
    browser = await corp.people.browser()
    assert (await corp.sign_in(browser, "ann")).status == 403
    assert not await browser.is_in()
    ((why, cure),) = await corp.why()
    assert why.startswith("id_token: ")
    assert "client_id" in cure


async def test_an_outage_of_an_hour_keeps_nobody_out_who_is_in_and_ends_by_itself(corp: Corp) -> None:
    await corp.ann()
    browser, on_the_way = await corp.people.browser(), await corp.people.browser()
    await corp.sign_in(browser, "ann")
    back = await corp.there_and_back(on_the_way, "ann")
    await corp.idp.outage(on=True)
    await corp.people.rows(
        """update identity_provider_states set tried_at = tried_at - interval '1 hour',
               fetched_at = fetched_at - interval '1 hour', discovered_at = discovered_at - interval '1 hour'"""
    )
    assert await browser.is_in()
    page = await on_the_way.get(back)
    assert (page.status, "try again in a moment" in page.words) == (503, True)
    assert "archway identity-providers test corp" in (await corp.why())[-1][1]
    await corp.idp.outage(on=False)
    assert (await corp.sign_in(await corp.people.browser(), "ann")).status == 303


async def test_keys_at_a_foreign_host_sign_nobody_in_before_somebody_approved_the_host(corp: Corp) -> None:
    await corp.ann()
    host = await corp.idp.foreign_keys()
    page = await (await corp.people.browser()).get("/sign-in/oidc/corp")
    assert page.status == 503
    assert host not in page.words
    assert host in (await corp.why())[-1][0]
    assert (await corp.idp.counts()).keys() == {"/.well-known/openid-configuration"}
    await corp.change(approved_hosts=(host,))
    await corp.people.rows("update identity_provider_states set tried_at = tried_at - interval '2 minutes'")
    assert (await corp.sign_in(await corp.people.browser(), "ann")).status == 303


async def test_an_endpoint_that_moves_to_a_foreign_host_later_is_not_followed(corp: Corp) -> None:
    await corp.ann()
    assert (await corp.sign_in(await corp.people.browser(), "ann")).status == 303
    await corp.idp.foreign_keys()
    await corp.idp.rotate()
    await corp.people.rows(
        """update identity_provider_states set tried_at = tried_at - interval '2 hours',
               discovered_at = discovered_at - interval '2 hours'"""
    )
    asked = (await corp.idp.counts()).get("/jwks", 0)
    assert (await corp.sign_in(await corp.people.browser(), "ann")).status in {403, 503}
    assert (await corp.idp.counts()).get("/jwks", 0) == asked
