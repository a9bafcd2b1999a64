"""Jobs of CI systems that call as service accounts with a provider's own tokens, as control judges them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from control.changes import gateways, oauth_clients, teams
from control.changes.write import changing
from control.registry.identity_provider import ServiceRule
from control.registry.oauth_client import ClientFields, OAuthClient
from control.registry.team import NewTeam
from tests.control import seeded
from tests.control.corp_callers import Corp

GITHUB = {
    "sub": "repo:acme/shop:environment:production", "email": None, "email_verified": None,
    "repository": "acme/shop", "repository_owner": "acme", "repository_id": "74", "ref": "refs/heads/main",
    "environment": "production", "job_workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
    "event_name": "workflow_dispatch", "run_id": "1", "jti": "j-1",
}  # fmt: skip
"""As GitHub documents its token for jobs."""
GITLAB = {
    "sub": "project_path:acme/shop:ref_type:branch:ref:main", "email": None, "email_verified": None,
    "namespace_id": "72", "namespace_path": "acme", "project_id": "20", "project_path": "acme/shop",
    "user_id": "1", "user_login": "zoe", "user_email": "ann@corp.test", "pipeline_id": "574", "job_id": "302",
    "ref": "main", "ref_type": "branch", "ref_protected": "true", "environment": "production", "jti": "j-2",
}  # fmt: skip
"""As GitLab documents its ID tokens."""


@pytest.fixture
def corp(corp_callers: Corp) -> Corp:
    return corp_callers


async def nightly(corp: Corp, **fields: Any) -> OAuthClient:
    async with changing(corp.pool, seeded.SEEDER) as write:
        wanted = {"name": "Nightly", "acts": "by_itself", "auth_method": "client_secret_basic", **fields}
        made, _ = await oauth_clients.create(write, ClientFields(**wanted))
    return made


async def bound(corp: Corp, *rules: dict[str, str], **fields: Any) -> OAuthClient:
    """The service account that jobs with these claims call as."""
    client = await nightly(corp, **fields)
    await corp.change(service_rules=tuple(ServiceRule(client.id, claims) for claims in rules))
    return client


@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        pytest.param(GITHUB, {"repository": "acme/shop", "environment": "production"}, id="GitHub"),
        pytest.param(GITHUB, {"sub": "repo:acme/shop:*"}, id="GitHub, by its subject"),
        pytest.param(GITLAB, {"project_path": "acme/*", "ref_protected": "true"}, id="GitLab"),
    ],
)
async def test_a_job_calls_as_the_service_account_that_its_claims_name(
    corp: Corp, claims: dict[str, Any], rule: dict[str, str]
) -> None:
    async with changing(corp.pool, seeded.SEEDER) as write:
        team = await teams.create(write, NewTeam(name="Deployers", description=""))
    client = await bound(corp, rule, team_id=team.id)
    now = int(time.time())
    verdict = await corp.verdict(
        await corp.token(header={"typ": "JWT"}, **claims, iat=now, nbf=now - 5, exp=now + 300)
    )
    assert verdict.principal is not None
    assert (verdict.principal.kind, verdict.principal.id, verdict.principal.name) == ("service", client.id, "Nightly")
    assert verdict.principal.teams == frozenset({team.id})
    assert (verdict.auth, verdict.client) == ("jwt", client.client_id)
    assert (await corp.installation(await corp.token(**claims))).installation is not None


async def test_a_job_whom_no_rule_fits_is_nobody(corp: Corp) -> None:
    await bound(corp, {"repository": "acme/shop", "ref": "refs/heads/release"})
    assert (await corp.says(**GITHUB)).refusal == "unknown"


async def test_the_first_rule_that_fits_decides_also_where_its_account_is_gone(corp: Corp) -> None:
    first, second = await nightly(corp, name="First"), await nightly(corp, name="Second")
    rules = (
        ServiceRule(first.id, {"repository": "acme/shop", "environment": "production"}),
        ServiceRule(second.id, {"repository": "acme/*"}),
    )
    await corp.change(service_rules=rules)
    deploy, build = await corp.says(**GITHUB), await corp.says(**{**GITHUB, "environment": None})
    assert deploy.principal is not None
    assert build.principal is not None
    assert (deploy.principal.id, build.principal.id) == (first.id, second.id)
    async with changing(corp.pool, seeded.SEEDER) as write:
        await oauth_clients.delete(write, first.id)
    assert (await corp.says(**GITHUB)).refusal == "unknown"


async def test_a_rule_is_looked_at_before_people_are(corp: Corp) -> None:
    await corp.change(admits_external=True)
    client = await bound(corp, {"sub": "ann"})
    verdict = await corp.says()
    assert verdict.principal is not None
    assert (verdict.principal.kind, verdict.principal.id) == ("service", client.id)


async def test_a_service_account_that_was_shut_out_takes_no_jobs(corp: Corp) -> None:
    client = await bound(corp, {"repository": "acme/shop"})
    async with changing(corp.pool, seeded.SEEDER) as write:
        await oauth_clients.set_disabled(write, client.id, disabled=True)
    verdict = await corp.says(**GITHUB)
    assert (verdict.principal, verdict.refusal, verdict.why) == (None, "disabled", "job_shut_out")


async def test_a_gateway_that_names_its_clients_lets_in_no_job_of_another(corp: Corp) -> None:
    client, other = await bound(corp, {"repository": "acme/shop"}), await nightly(corp, name="Other")
    token = await corp.token(**GITHUB)
    for allowed, let_in in (((other.client_id,), False), ((other.client_id, client.client_id), True)):
        async with changing(corp.pool, seeded.SEEDER) as write:
            await gateways.change(
                write, corp.gateway, lambda now, allowed=allowed: replace(now, allowed_clients=allowed)
            )
        assert ((await corp.installation(token)).installation is not None) is let_in
