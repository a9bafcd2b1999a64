"""What becomes of calls with a provider's own token, as explained: of jobs, of who has no account, of people."""

from __future__ import annotations

from typing import Any

import pytest

from control.store.pool import Pool, transaction
from tests.control.registry_api import JSON, Api, api
from tests.control.test_every_operation import a_provider
from tests.control.test_external_principals import JOBS, known

__all__ = ["api"]
STATIC = {"credential_model": "static", "credential_placement": {"style": "header", "header": "x-key"}}


async def desk(api: Api, **provider: Any) -> tuple[JSON, JSON, JSON]:
    """A gateway of one team that takes a provider's tokens, with a tool; the provider, the gateway and the team."""
    partners = await api.team("Partners")
    wanted = a_provider("corp") | {"audiences": ["desk"], "teams_claim": "groups"} | provider
    corp = await api.post("/identity-providers", wanted)
    async with transaction(api.pool) as connection:  # past the API, which would ask it for its metadata
        await connection.execute("update identity_providers set enabled = true")
    entry = await api.entry(**STATIC)
    await api.install(entry, credential="k")
    gateway = await api.gateway(
        visibility="teams", teams=[partners["id"]], identity_provider_id=corp["id"], identity_provider_audience="desk"
    )
    await api.assign(gateway, entry)
    return corp, gateway, partners


async def explained(api: Api, gateway: JSON, subject: str, by: str = "jwt", **body: Any) -> dict[str, Any]:
    asked = {"tool": "time__now", "subject": subject, "by": by, **body}
    return dict(await api.post(f"/gateways/{gateway['id']}/explain", asked, expect=200))


async def test_for_who_has_no_account_the_rules_that_would_let_them_in_are_told_and_the_rest_as_if_they_did(
    api: Api, pool: Pool
) -> None:
    corp, gateway, partners = await desk(api, admits_external=True)
    await api.patch(
        f"/identity-providers/{corp['id']}",
        {"team_rules": [{"value": "tool-users", "team_id": partners["id"], "role": "member"}]},
    )
    (zoe,) = await known(pool, corp, "zoe")
    told = await explained(api, gateway, f"external:{zoe}")
    assert (told["refused"], told["cause"]) == (False, "")
    stages = {one["stage"]: one for one in told["stages"]}
    assert stages["enter_gateway"]["outcome"] == "at_the_call"
    assert stages["enter_gateway"]["why"] == (
        "Depends on the token's claim `groups`; these values give a team of the gateway: `tool-users` gives Partners."
    )
    assert told["serving"]["entry"] == "time"


async def test_for_who_has_no_account_what_keeps_them_out_is_told_one_after_the_other(api: Api, pool: Pool) -> None:
    corp, gateway, _ = await desk(api)
    (zoe,) = await known(pool, corp, "zoe")
    told = await explained(api, gateway, f"external:{zoe}")
    assert told["reason"] == "not_authenticated"
    assert "`archway identity-providers update corp --admits-external`" in told["cure"]
    await api.patch(f"/identity-providers/{corp['id']}", {"admits_external": True})
    told = await explained(api, gateway, f"external:{zoe}")
    assert told["reason"] == "gateway_unknown"
    assert told["cause"].startswith("No team rule of ")
    assert "archway identity-providers update corp --team-rules" in told["cure"]


async def test_a_job_is_told_that_no_rule_calls_as_it_and_then_which_clients_the_gateway_names(api: Api) -> None:
    corp, gateway, partners = await desk(api)
    nightly = await api.post("/oauth-clients", JOBS | {"team_id": partners["id"]})
    subject = f"service:{nightly['name']}"
    told = await explained(api, gateway, subject)
    assert told["reason"] == "not_authenticated"
    assert told["cause"].startswith("No rule of ")
    assert "archway identity-providers update corp --service-rules" in told["cure"]
    rules = [{"oauth_client_id": nightly["id"], "claims": {"repository": "acme/shop"}}]
    await api.patch(f"/identity-providers/{corp['id']}", {"service_rules": rules})
    assert not (await explained(api, gateway, subject))["refused"]
    other = await api.post("/oauth-clients", JOBS | {"name": "Weekly"})
    await api.patch(f"/gateways/{gateway['id']}", {"allowed_clients": [other["client_id"]]})
    told = await explained(api, gateway, subject)
    by_client = await explained(api, gateway, subject, by="oauth")
    assert told["reason"] == "gateway_unknown"
    assert (told["cause"], told["cure"]) == (by_client["cause"], by_client["cure"])
    assert f"--add-client {nightly['client_id']}" in told["cure"]


@pytest.mark.parametrize("by", ["jwt", "id_jag"])
async def test_a_provider_that_is_switched_off_is_told_to_be_so(api: Api, by: str) -> None:
    corp, gateway, partners = await desk(api)
    await api.user("bob", partners)
    await api.patch(f"/gateways/{gateway['id']}", {"takes_assertions": True})
    await api.patch(f"/identity-providers/{corp['id']}", {"enabled": False})
    told = await explained(api, gateway, "user:bob@example.com", by)
    assert told["reason"] == "not_authenticated"
    assert told["cause"] == f"{corp['name']} is switched off."
    assert "`archway identity-providers update corp --enabled`" in told["cure"]


async def test_a_gateway_that_takes_no_assertions_is_told_with_the_option_that_lets_it(api: Api) -> None:
    _, gateway, partners = await desk(api)
    await api.user("bob", partners)
    told = await explained(api, gateway, "user:bob@example.com", by="id_jag")
    assert told["reason"] == "way_not_accepted"
    assert told["cure"].endswith(f"`archway gateways update {gateway['slug']} --takes-assertions`.")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"subject": "service:Nightly", "by": "oauth"}, "subject"),
        ({"subject": "user:bob@example.com", "by": "oauth", "client": "Nightly"}, "client"),
        ({"subject": "user:bob@example.com", "by": "jwt", "client": "x"}, "client"),
        ({"subject": "user:bob@example.com", "client": "x"}, "client"),
    ],
)
async def test_a_client_that_is_not_meant_by_its_name_or_goes_with_another_way_is_refused_with_the_field(
    api: Api, body: dict[str, Any], field: str
) -> None:
    await api.user("bob")
    for _ in range(2):
        await api.post("/oauth-clients", JOBS)
    gateway = await api.gateway()
    answer = await api.admin.post(f"/gateways/{gateway['id']}/explain", {"tool": "t", **body})
    assert answer.status == 422, answer.json
    assert answer.problem(field)
