"""One token for one caller at a real provider: what it refuses, and who can put that right."""

from __future__ import annotations

from typing import Any

import pytest

from control.exchanges.one_exchange import UNSAID_S
from control.identity.kept_state import NotKept, Why
from control.registry.credential import TokenExchange
from tests.fakes.answering import Answering
from tests.fakes.exchanging import SERVER, Exchanging, asserting, claims_of, executed
from tests.fakes.identity_provider import AT_SERVER, POSTER, IdentityProvider


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
async def test_the_kind_of_token_that_the_provider_takes_is_sent(rig: Exchanging, kind: str) -> None:
    await rig.idp.exchanges(takes=[kind])
    await rig.exchange(subject_token=kind)
    assert claims_of((await rig.given(await rig.person("ann"))).token)["sub"] == "ann"


async def test_a_client_shows_itself_in_the_form_and_asks_on_behalf_of_a_person(rig: Exchanging) -> None:
    await rig.idp.exchanges(clients=[POSTER])
    await rig.exchange(client_id=POSTER, client_authentication="client_secret_post", style="on_behalf_of")
    assert claims_of((await rig.given(await rig.person("ann"))).token)["sub"] == "ann"
    (asked,) = await rig.idp.exchanged()
    assert (asked["client"], asked["requested_token_use"]) == (POSTER, "on_behalf_of")


async def test_the_resource_is_the_servers_url_where_it_is_wanted(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    _ = await rig.given(ann)
    await rig.entry(TokenExchange(rig.provider.id, audience="crm", resource=""))
    _ = await rig.given(ann)
    assert [one.get("resource") for one in await rig.idp.exchanged()] == [None, SERVER]


async def test_a_sign_in_that_is_taken_no_more_is_renewed_once_and_then_made_again(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    await rig.idp.exchanges(refuses="invalid_grant")
    refusal = await rig.refusal(ann)
    assert refusal.code == "needs_sign_in"
    assert "sign in to Archway with Corp again" in refusal.sentence
    assert await rig.asked() == 2
    assert len(rig.sign_ins.given[ann.principal.id]) == 2


async def test_a_request_that_may_be_refused_for_its_token_is_made_once_more_with_a_newer_one(
    rig: Exchanging,
) -> None:
    ann = await rig.person("ann")
    await rig.idp.exchanges(refuses="invalid_request")
    assert (await rig.refusal(ann)).code == "not_allowed"
    assert len(rig.sign_ins.given[ann.principal.id]) == 2


async def test_an_own_token_that_is_taken_no_more_is_asked_for_anew_of_the_client(rig: Exchanging) -> None:
    await rig.idp.exchanges(refuses="invalid_grant")
    refusal = await rig.refusal(await rig.bearer("ann"))
    assert (refusal.code, "call with a newer one" in refusal.sentence) == ("not_allowed", True)
    assert await rig.asked() == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("interaction_required", "needs_sign_in"),
        ("invalid_request", "not_allowed"),
        ("unauthorized_client", "not_allowed"),
        ("temporarily_unavailable", "provider_away"),
    ],
)
async def test_what_a_provider_says_is_told_apart(rig: Exchanging, error: str, code: str) -> None:
    await rig.idp.exchanges(refuses=error)
    assert (await rig.refusal(await rig.person("ann"))).code == code


@pytest.mark.parametrize(("why", "code"), [("away", "provider_away"), ("gone", "needs_sign_in")])
async def test_what_is_not_kept_is_told_as_whoever_keeps_it_says(rig: Exchanging, why: Why, code: str) -> None:
    ann = await rig.person("ann")
    rig.sign_ins.missing = NotKept(why, "Do this.")
    refusal = await rig.refusal(ann)
    assert (refusal.code, refusal.sentence) == (code, "Do this.")


async def test_a_token_of_which_nobody_says_the_end_is_used_for_minutes(rig: Exchanging) -> None:
    await rig.idp.exchanges(lifetime=0)
    given = await rig.given(await rig.person("ann"))
    assert given.obtained_at < given.expires_at <= given.obtained_at + UNSAID_S


async def test_a_secret_that_cannot_be_opened_is_for_an_admin(rig: Exchanging) -> None:
    await executed(rig.pool, "update identity_providers set exchange_client_secret = 'x'::bytea")
    refusal = await rig.refusal(await rig.person("ann"))
    assert "cannot be read any more; give it again" in refusal.sentence
    assert await rig.asked() == 0


async def test_nothing_is_sent_to_an_endpoint_that_nobody_approved(rig: Exchanging) -> None:
    async with Answering() as elsewhere:
        told: dict[str, Any] = {name: f"{rig.idp.issuer}/{name}" for name in ("authorization_endpoint", "jwks_uri")}
        told["token_endpoint"] = f"{elsewhere.url}/token"
        await executed(
            rig.pool,
            """insert into identity_provider_states (provider_id, endpoints, tried_at) values ($1, $2, now())""",
            rig.provider.id, told,
        )  # fmt: skip
        refusal = await rig.refusal(await rig.person("ann"))
        assert "`approved_hosts`" in refusal.sentence
        assert elsewhere.asked == []


async def test_an_assertion_becomes_a_token_of_the_servers_own_authorization_server(
    rig: Exchanging, upstream_idp: IdentityProvider
) -> None:
    await asserting(rig, upstream_idp, scopes=("read",), scopes_at_server="omit")
    claims = claims_of((await rig.given(await rig.person("ann"))).token)
    assert (claims["iss"], claims["sub"]) == (upstream_idp.issuer, f"ann@{rig.idp.issuer}")
    assert (claims["aud"], claims["client_id"]) == (SERVER, AT_SERVER)
    (there,) = await upstream_idp.exchanged()
    assert "scope" not in there


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ({"refuses": "invalid_grant"}, "not_allowed", "invalid_grant"),
        ({"refuses": "temporarily_unavailable"}, "provider_away", "try again in a minute"),
    ],
)
async def test_what_the_servers_authorization_server_refuses_is_told_apart(
    rig: Exchanging, upstream_idp: IdentityProvider, how: dict[str, Any], code: str, said: str
) -> None:
    await asserting(rig, upstream_idp)
    await upstream_idp.exchanges(**how)
    refusal = await rig.refusal(await rig.person("ann"))
    assert refusal.code == code
    assert said in refusal.sentence.lower()
    assert upstream_idp.issuer in refusal.sentence


async def test_an_access_token_is_not_shown_as_an_assertion(rig: Exchanging, upstream_idp: IdentityProvider) -> None:
    await asserting(rig, upstream_idp)
    await rig.exchange(style="on_behalf_of", client_id=POSTER, client_authentication="client_secret_post")
    await rig.idp.exchanges(clients=[POSTER])
    assert "gave no identity assertion" in (await rig.refusal(await rig.person("ann"))).sentence
    assert await upstream_idp.exchanged() == []
