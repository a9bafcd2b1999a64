"""Identity providers' own tokens as control judges them for a proxy: whose they are, now, and for which gateway.

With a real OpenID provider (npm `oidc-provider`), which signs what a test wants said, over the internal listener.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

import pytest

from control.changes import gateways, teams, users
from control.changes import identity_providers as changes
from control.changes.write import changing
from control.publish.documents import gateway_document
from control.registry.identity_provider import TeamRule
from control.registry.team import NewTeam
from control.store.pool import transaction
from core.key_sets import KeySetAnswer, KeySetQuestion, open_key_set
from core.snapshot import TokenIssuer, open_gateway
from tests.control import seeded
from tests.control.asking_proxy import SIGNER, VERIFIER
from tests.control.corp_callers import OTHER, SAFEGUARDS, WORK, Corp
from tests.fakes.issuer import FakeIssuer
from tests.fakes.providers import provider_fields
from tests.fakes.registry import gateway_fields


@pytest.fixture
def corp(corp_callers: Corp) -> Corp:
    return corp_callers


async def test_the_bearer_is_the_person_who_is_known_by_issuer_and_subject(corp: Corp) -> None:
    verdict = await corp.says(azp="agent", scope="mcp:tools a")
    assert verdict.principal is not None
    assert (verdict.principal.kind, verdict.principal.id, verdict.principal.name) == ("user", corp.ann, "Ann")
    assert (verdict.auth, verdict.client, verdict.scopes) == ("jwt", "agent", frozenset({"mcp:tools", "a"}))
    assert verdict.expires is not None
    assert 0 < verdict.expires - time.time() <= 300
    again = await corp.says(email=None)
    assert again.principal == verdict.principal  # by subject: the address is needed once


async def test_the_gateway_tells_proxies_whose_tokens_it_takes(corp: Corp) -> None:
    async with transaction(corp.pool, readonly=True) as connection:
        document = await gateway_document(connection, corp.gateway, SIGNER)
    assert document is not None
    snapshot = open_gateway(document.document, corp.gateway, VERIFIER)
    assert snapshot.identity_provider == TokenIssuer(corp.provider.id, corp.idp.issuer, WORK)
    assert "jwt" in snapshot.ways
    await corp.change(enabled=False)
    async with transaction(corp.pool, readonly=True) as connection:
        document = await gateway_document(connection, corp.gateway, SIGNER)
    assert document is not None
    assert open_gateway(document.document, corp.gateway, VERIFIER).identity_provider is None


async def test_a_proxy_gets_the_providers_keys_signed(corp: Corp) -> None:
    answer: KeySetAnswer = await corp.proxy.ask_again(
        "/internal/key-set", KeySetQuestion(corp.idp.issuer), KeySetAnswer
    )
    key_set = open_key_set(answer.document, corp.idp.issuer, VERIFIER)
    assert (key_set.kind, key_set.provider_id, key_set.audiences) == ("provider", corp.provider.id, [WORK, OTHER])
    nobody: KeySetAnswer = await corp.proxy.ask_again(
        "/internal/key-set", KeySetQuestion("https://x.test"), KeySetAnswer
    )
    assert nobody.document == b""


A_6 = {
    "another gateway": "https://tools.test/v1/mcp/other",
    "our control API": "https://tools.test/api/v1",
    "parent path": "https://tools.test/v1/mcp",
    "trailing slash": f"{WORK}/",
    "upper-case host": WORK.replace("tools.test", "TOOLS.test"),
    "list of audiences": [WORK, "https://other.test"],
    "no audience": None,
    "the sign-in's client": "archway",
}


@pytest.mark.parametrize("audience", [pytest.param(audience, id=f"A-6: {name}") for name, audience in A_6.items()])
async def test_a_token_for_anything_but_the_gateways_audience_is_nobodys(corp: Corp, audience: Any) -> None:
    assert (await corp.says(aud=audience)).refusal == "unknown"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"nonce": "n"}, id="A-6: ID token with its nonce"),
        pytest.param({"at_hash": "x"}, id="A-6: ID token with its hash"),
        pytest.param({"typ": "ID"}, id="A-6: ID token of Keycloak"),
        pytest.param({"typ": "Refresh"}, id="A-6: refresh token of Keycloak"),
    ],
)
async def test_a_token_of_a_sign_in_opens_no_gateway(corp: Corp, changed: dict[str, Any]) -> None:
    assert (await corp.says(**changed)).refusal == "unknown"


async def test_a_token_opens_the_gateway_that_it_was_made_for_and_no_other(corp: Corp) -> None:
    token = await corp.token()
    assert (await corp.installation(token)).installation is not None
    async with changing(corp.pool, seeded.SEEDER) as write:
        naming = gateway_fields(slug="other", identity_provider_id=corp.provider.id, identity_provider_audience=OTHER)
        other = await gateways.create(write, naming)
        plain = await gateways.create(write, gateway_fields(slug="plain"))
    for gateway in (other.id, plain.id, "no-id"):
        refused = (await corp.installation(token, gateway)).refusal
        assert refused is not None
        assert refused.code == "not_allowed"


async def test_a_provider_that_a_gateway_does_not_name_opens_nothing_there(corp: Corp) -> None:
    token = await corp.token()
    async with changing(corp.pool, seeded.SEEDER) as write:
        await gateways.change(
            write, corp.gateway, lambda now: replace(now, identity_provider_id=None, identity_provider_audience="")
        )
    assert (await corp.verdict(token)).refusal == "unknown"
    assert (await corp.installation(token)).installation is None


async def test_an_audience_that_the_provider_allows_no_more_opens_nothing(corp: Corp) -> None:
    token = await corp.token()
    await corp.change(audiences=(OTHER,))
    assert (await corp.verdict(token)).refusal == "unknown"


A_5 = {
    "email_verified false": {"sub": "ann-2", "email_verified": False},
    "a@b@c": {"sub": "ann-2", "email": "ann@evil.test@corp.test"},
    "a domain that the IdP is not allowed": {"sub": "ann-2", "email": "ann@other.test"},
    "no subject": {"sub": None},
    "a subject that is no text": {"sub": 5},
}


@pytest.mark.parametrize("claims", [pytest.param(claims, id=f"A-5: {name}") for name, claims in A_5.items()])
async def test_a_bearer_of_whom_nothing_is_proven_is_nobody(corp: Corp, claims: dict[str, Any]) -> None:
    assert (await corp.says(**claims)).principal is None


@pytest.mark.parametrize("audience", [pytest.param(WORK, id="A-5: IdP X on a gateway for IdP Y")])
async def test_a_token_of_another_provider_than_the_gateway_names_is_nobodys(corp: Corp, audience: str) -> None:
    async with FakeIssuer() as other:
        async with changing(corp.pool, seeded.SEEDER) as write:
            wanted = provider_fields(slug="other", issuer=other.issuer, audiences=(audience,), create_people=True)
            await changes.create(write, wanted, "secret", SAFEGUARDS)
        token = other.token(aud=audience, email="eve@corp.test", email_verified=True)
        assert (await corp.verdict(token)).refusal == "unknown"
        assert (await corp.installation(token)).installation is None


async def test_a_person_is_made_on_the_first_call_where_the_settings_say_so(corp: Corp) -> None:
    newcomer = {"sub": "cid", "email": "cid@corp.test", "name": "Cid"}
    assert (await corp.says(**newcomer)).refusal == "unknown"
    await corp.change(create_people=True)
    verdict = await corp.says(**newcomer)
    assert verdict.principal is not None
    assert verdict.principal.name == "Cid"
    assert (await corp.says(**newcomer)).principal == verdict.principal


async def test_teams_follow_the_tokens_of_somebody_who_never_signs_in(corp: Corp) -> None:
    async with changing(corp.pool, seeded.SEEDER) as write:
        eng = await teams.create(write, NewTeam(name="Engineering", description=""))
    await corp.change(teams_claim="groups", team_rules=(TeamRule("eng", eng.id),))
    member, left = await corp.says(groups=["eng"]), await corp.says(groups=[])
    assert member.principal is not None
    assert left.principal is not None
    assert (member.principal.teams, left.principal.teams) == (frozenset({eng.id}), frozenset())


async def test_a_person_who_was_disabled_here_is_out_whatever_the_provider_says(corp: Corp) -> None:
    token = await corp.token()
    assert (await corp.verdict(token)).principal is not None
    async with changing(corp.pool, seeded.SEEDER) as write:
        await seeded.user(write.connection, "root", "admin")
        await users.disable(write, corp.ann)
    verdict = await corp.verdict(token)
    assert (verdict.principal, verdict.refusal) == (None, "disabled")


async def test_a_provider_that_was_switched_off_vouches_for_nobody(corp: Corp) -> None:
    token = await corp.token()
    await corp.change(enabled=False)
    assert (await corp.verdict(token)).refusal == "unknown"


async def test_a_key_that_is_new_is_found_at_the_first_token_that_it_signed(corp: Corp) -> None:
    assert (await corp.says()).principal is not None
    await corp.idp.rotate()
    async with transaction(corp.pool) as connection:
        await connection.execute("update identity_provider_states set tried_at = tried_at - interval '2 minutes'")
    assert (await corp.says()).principal is not None


async def test_an_outage_of_an_hour_takes_nobodys_access(corp: Corp) -> None:
    token = await corp.token(exp=int(time.time()) + 7_200)
    assert (await corp.verdict(token)).principal is not None
    await corp.idp.outage(on=True)
    async with transaction(corp.pool) as connection:
        await connection.execute(
            """update identity_provider_states set tried_at = tried_at - interval '1 hour',
                   fetched_at = fetched_at - interval '1 hour'"""
        )
    assert (await corp.verdict(token)).principal is not None


async def test_keys_at_a_foreign_host_prove_nothing_before_somebody_approved_the_host(corp: Corp) -> None:
    host = await corp.idp.foreign_keys()
    assert (await corp.says()).principal is None
    assert (await corp.idp.counts()).get("/jwks", 0) == 0
    await corp.change(approved_hosts=(host,))
    async with transaction(corp.pool) as connection:
        await connection.execute("update identity_provider_states set tried_at = tried_at - interval '2 minutes'")
    assert (await corp.says()).principal is not None


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        pytest.param({"iat": 50}, True, id="F-10: a provider's clock 50 s ahead"),
        pytest.param({"iat": 90}, False, id="F-10: a provider's clock 90 s ahead"),
        pytest.param({"iat": -400, "exp": -50}, True, id="F-10: a provider's clock 50 s behind"),
        pytest.param({"iat": -400, "exp": -90}, False, id="F-10: a provider's clock 90 s behind"),
    ],
)
async def test_clocks_may_differ_by_a_minute(
    corp: Corp, caplog: pytest.LogCaptureFixture, claims: dict[str, int], accepted: bool
) -> None:
    now = int(time.time())
    with caplog.at_level(logging.INFO):
        verdict = await corp.says(**{name: now + seconds for name, seconds in claims.items()})
    assert (verdict.principal is not None) is accepted
    if claims["iat"] > 60:
        assert any("clock" in str(getattr(record, "cure", "")) for record in caplog.records)
