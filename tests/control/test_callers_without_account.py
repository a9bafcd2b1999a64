"""Who calls with a provider's own token and has no account here, as control judges them for a proxy."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from control.changes import external_principals, gateways, teams, users
from control.changes import identity_providers as changes
from control.changes.write import changing
from control.registry import external_principal
from control.registry.identity_provider import RoleRule, ServiceRule, TeamRule
from control.registry.team import NewTeam
from control.store import external_principals as stored
from control.store.pool import transaction
from control.store.writes import external_principals as rows
from core.resolve import CallerVerdict
from tests.control import seeded
from tests.control.corp_callers import OTHER, SAFEGUARDS, WORK, Corp
from tests.control.test_ci_jobs import nightly
from tests.fakes.issuer import FakeIssuer
from tests.fakes.providers import provider_fields

JOB = {"sub": "repo:acme/shop:ref:refs/heads/main", "repository": "acme/shop", "email": None}
ZOE = {"sub": "zoe", "email": "zoe@partner.test", "name": "Zoe"}


@pytest.fixture
def corp(corp_callers: Corp) -> Corp:
    return corp_callers


async def partners(corp: Corp, **fields: Any) -> str:
    """The team that `groups: partners` gives; the gateway is this team's, and its provider admits everybody."""
    async with changing(corp.pool, seeded.SEEDER) as write:
        team = await teams.create(write, NewTeam(name="Partners", description=""))
        await gateways.change(write, corp.gateway, lambda now: replace(now, visibility="teams", teams=(team.id,)))
    rules = (TeamRule("partners", team.id),)
    await corp.change(**{"admits_external": True, "teams_claim": "groups", "team_rules": rules, **fields})
    return team.id


async def row_of(corp: Corp, verdict: CallerVerdict) -> external_principal.ExternalPrincipal:
    assert verdict.principal is not None
    async with transaction(corp.pool, readonly=True) as connection:
        found = await stored.one(connection, verdict.principal.id)
    assert found is not None
    return found


async def test_whoever_is_no_user_here_calls_as_issuer_and_subject_in_the_teams_of_the_claims(corp: Corp) -> None:
    team = await partners(corp)
    verdict = await corp.says(**ZOE, groups=["partners"], azp="agent", scope="a")
    assert verdict.principal is not None
    assert (verdict.principal.kind, verdict.principal.teams) == ("external", frozenset({team}))
    assert verdict.principal.name == f"Zoe (zoe at {corp.idp.issuer})"
    assert (verdict.auth, verdict.client, verdict.scopes) == ("jwt", "agent", frozenset({"a"}))
    row = await row_of(corp, verdict)
    assert (row.provider_id, row.issuer, row.subject) == (corp.provider.id, corp.idp.issuer, "zoe")
    again = await corp.says(sub="zoe", email=None)
    assert again.principal is not None
    assert (again.principal.id, again.principal.teams) == (row.id, frozenset())  # what this token says, and no more
    assert again.principal.name == f"zoe at {corp.idp.issuer}"


async def test_nobody_is_admitted_where_the_provider_does_not_say_so(corp: Corp) -> None:
    assert (await corp.says(**ZOE)).refusal == "unknown"
    assert await _rows(corp) == 0


async def test_a_user_stays_a_user_be_they_known_or_found_or_made(corp: Corp) -> None:
    await partners(corp)
    found = await corp.says()
    await corp.change(create_people=True)
    made = await corp.says(sub="cid", email="cid@corp.test")
    assert found.principal is not None
    assert made.principal is not None
    assert (found.principal.kind, found.principal.id, made.principal.kind) == ("user", corp.ann, "user")
    assert await _rows(corp) == 0


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"sub": "ann"}, id="as they are known"),
        pytest.param({"sub": "ann-2", "email_verified": False}, id="A-5: email_verified false"),
        pytest.param({"sub": "ann-2", "email": "ANN@corp.test"}, id="by another account of the provider"),
    ],
)
async def test_who_was_shut_out_here_comes_back_in_no_other_way(corp: Corp, claims: dict[str, Any]) -> None:
    await partners(corp)
    assert (await corp.says()).principal is not None
    async with changing(corp.pool, seeded.SEEDER) as write:
        await seeded.user(write.connection, "root", "admin")
        await users.disable(write, corp.ann)
    verdict = await corp.says(**claims)
    assert (verdict.principal, verdict.refusal in {"disabled", "unknown"}) == (None, True)
    assert await _rows(corp) == 0


@pytest.mark.parametrize("email", [pytest.param("ann@evil.test@corp.test", id="A-5: a@b@c")])
async def test_an_address_that_is_none_makes_nobody_a_user(corp: Corp, email: str) -> None:
    await partners(corp)
    verdict = await corp.says(sub="eve", email=email)
    assert verdict.principal is not None
    assert verdict.principal.kind == "external"


@pytest.mark.parametrize("subject", [pytest.param("zoe", id="A-5: same sub at two IdPs")])
async def test_the_same_subject_at_two_providers_is_two_callers(corp: Corp, subject: str) -> None:
    await partners(corp)
    here = await row_of(corp, await corp.says(sub=subject, email=None))
    async with FakeIssuer() as other:
        async with changing(corp.pool, seeded.SEEDER) as write:
            wanted = provider_fields(slug="other", issuer=other.issuer, audiences=(WORK,), admits_external=True)
            second = await changes.create(write, wanted, "secret", SAFEGUARDS)
            await gateways.change(
                write,
                corp.gateway,
                lambda now: replace(now, identity_provider_id=second.id, identity_provider_audience=WORK),
            )
        there = await row_of(corp, await corp.verdict(other.token(aud=WORK, sub=subject)))
    assert here.id != there.id


async def test_a_role_in_the_claims_gives_them_nothing(corp: Corp) -> None:
    await partners(corp, roles_claim="roles", role_rules=(RoleRule("boss", "admin"),), highest_role="admin")
    verdict = await corp.says(**ZOE, roles=["boss"])
    assert verdict.principal is not None
    assert (verdict.principal.kind, verdict.principal.teams) == ("external", frozenset())


async def test_they_are_served_at_the_gateway_of_their_team_and_at_no_other(corp: Corp) -> None:
    await partners(corp)
    member = await corp.token(**ZOE, groups=["partners"])
    assert (await corp.installation(member)).installation is not None
    assert (await corp.installation(await corp.token(**ZOE))).installation is None
    async with changing(corp.pool, seeded.SEEDER) as write:
        await gateways.change(write, corp.gateway, lambda now: replace(now, visibility="organisation", teams=()))
    assert (await corp.installation(member)).installation is None


async def test_one_who_was_shut_out_is_refused_until_they_are_let_in(corp: Corp) -> None:
    await partners(corp)
    row = await row_of(corp, await corp.says(**ZOE))
    async with changing(corp.pool, seeded.SEEDER) as write:
        await external_principals.set_disabled(write, row.id, disabled=True)
    verdict = await corp.says(**ZOE)
    assert (verdict.principal, verdict.refusal, verdict.why) == (None, "disabled", "external_shut_out")
    assert verdict.said == row.subject
    async with changing(corp.pool, seeded.SEEDER) as write:
        await external_principals.set_disabled(write, row.id, disabled=False)
    assert (await corp.says(**ZOE)).principal is not None


async def test_a_provider_that_admits_nobody_any_more_vouches_for_none_of_them(corp: Corp) -> None:
    await partners(corp)
    token = await corp.token(**ZOE)
    assert (await corp.verdict(token)).principal is not None
    await corp.change(admits_external=False)
    assert (await corp.verdict(token)).refusal == "unknown"


async def test_a_flood_of_subjects_fills_only_so_many_rows_and_who_is_known_still_calls(
    corp: Corp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rows, "_SEEN", rows._SEEN.replace(str(external_principal.MOST_OF_A_PROVIDER), "2"))
    await partners(corp)
    with caplog.at_level(logging.WARNING):
        verdicts = [await corp.says(sub=subject, email=None) for subject in ("a", "b", "c", "a")]
    assert [verdict.principal is not None for verdict in verdicts] == [True, True, False, True]
    assert await _rows(corp) == 2
    assert any("as are kept" in str(getattr(record, "cure", "")) for record in caplog.records)


async def test_who_has_not_called_for_long_is_forgotten_but_for_who_was_shut_out(corp: Corp) -> None:
    await partners(corp)
    gone, out, here = [await row_of(corp, await corp.says(sub=name, email=None)) for name in ("gone", "out", "here")]
    async with changing(corp.pool, seeded.SEEDER) as write:
        await external_principals.set_disabled(write, out.id, disabled=True)
    async with transaction(corp.pool) as connection:
        await connection.execute(
            "update external_principals set last_seen_at = now() - interval '91 days' where id <> $1", here.id
        )
        assert await stored.forget_unseen(connection, 90, 100) == 1
        left = await stored.many(connection, [gone.id, out.id, here.id])
    assert set(left) == {out.id, here.id}


async def _rows(corp: Corp) -> int:
    async with transaction(corp.pool, readonly=True) as connection:
        return await stored.count(connection, corp.provider.id)


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"aud": OTHER}, id="A-6: another gateway"),
        pytest.param({"aud": [WORK, "https://other.test"]}, id="A-6: list of audiences"),
        pytest.param({"aud": f"{WORK}/"}, id="A-6: trailing slash"),
        pytest.param({"nonce": "n"}, id="A-6: ID token with its nonce"),
        pytest.param({"typ": "ID"}, id="A-6: ID token of Keycloak"),
        pytest.param({"sub": None}, id="A-5: no subject"),
    ],
)
@pytest.mark.parametrize("bearer", [{**ZOE, "groups": ["partners"]}, JOB], ids=["without an account", "a job"])
async def test_a_token_that_is_not_for_calls_of_a_gateway_makes_nobody(
    corp: Corp, bearer: dict[str, Any], claims: dict[str, Any]
) -> None:
    await partners(corp)
    account = await nightly(corp)
    await corp.change(service_rules=(ServiceRule(account.id, {"repository": "acme/shop"}),))
    assert (await corp.says(**bearer)).principal is not None
    rows_before = await _rows(corp)
    assert (await corp.says(**{**bearer, **claims})).principal is None
    assert await _rows(corp) == rows_before
