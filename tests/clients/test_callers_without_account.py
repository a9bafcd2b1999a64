"""Somebody without an account and a CI job call a tool with the official SDK, through a real provider and gateway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from archway.admin_client import AdminApi
from core.identifiers import new_id
from tests.fakes.identity_provider import IdentityProvider
from tests.fixtures_archway import RunningArchway
from tests.fixtures_idp import idp, idp_issuer
from tests.fixtures_program import eventually

__all__ = ["idp", "idp_issuer"]
JOB = {"sub": "repo:acme/shop:environment:production", "repository": "acme/shop", "environment": "production"}
PARTNER = {"sub": "zoe", "name": "Zoe", "groups": ["tool-users"]}


@dataclass
class Door:
    """A gateway that takes the tokens of a provider, from whom the provider admits."""

    api: AdminApi
    url: str
    account: str

    def records(self, principal: str) -> list[dict[str, Any]]:
        return [one for one in self.api.pages("/records") if str(one["principal"]).startswith(principal)]


@pytest.fixture
def door(archway: RunningArchway, idp_issuer: str, everything_server: str) -> Iterator[Door]:
    api, slug = archway.api, f"jobs-{new_id()[-6:]}"
    team = api.post("/teams", {"name": slug})
    fields = {"name": slug, "acts": "by_itself", "auth_method": "client_secret_basic", "team_id": team["id"]}
    account = api.post("/oauth-clients", fields)
    url = f"{archway.up['proxy_url']}/v1/mcp/{slug}"
    rule = {"oauth_client_id": account["id"], "claims": {"repository": "acme/*", "environment": "production"}}
    provider = api.post("/identity-providers", {
        "slug": slug, "name": slug, "issuer": idp_issuer, "sign_in": False, "audiences": [url],
        "admits_external": True, "teams_claim": "groups", "service_rules": [rule],
        "team_rules": [{"value": "tool-users", "team_id": team["id"]}],
    })  # fmt: skip
    api.post(f"/identity-providers/{provider['id']}/test", {})
    archway.gateway(
        slug, archway.entry(slug, everything_server), prefix=False, visibility="teams", teams=[team["id"]],
        identity_provider_id=provider["id"], identity_provider_audience=url,
    )  # fmt: skip
    yield Door(api, url, account["id"])
    gateway = next(one for one in api.pages("/gateways") if one["slug"] == slug)
    api.delete(f"/gateways/{gateway['id']}")
    api.delete(f"/identity-providers/{provider['id']}")


@pytest.mark.parametrize(("claims", "kind"), [(PARTNER, "external"), (JOB, "service")], ids=["a partner", "a job"])
async def test_a_token_of_the_provider_calls_a_tool_and_the_record_says_whose(
    door: Door, idp: IdentityProvider, claims: dict[str, Any], kind: str
) -> None:
    token = await idp.token({**claims, "aud": door.url})
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(door.url, http_client=http)) as client,
    ):
        result = await client.call_tool("echo", {"message": "without an account"})
    assert "without an account" in str(result.content)
    principal = f"service:{door.account}" if kind == "service" else "external:"

    async def is_recorded() -> bool:
        return bool(door.records(principal))

    await eventually(is_recorded, 30, "the call is recorded")
    assert {(one["issuer"], one["subject"]) for one in door.records(principal)} == {(idp.issuer, claims["sub"])}


async def test_who_has_no_claim_that_gives_a_team_finds_no_gateway(door: Door, idp: IdentityProvider) -> None:
    for claims in ({**PARTNER, "groups": []}, {**JOB, "environment": "staging"}):
        token = await idp.token({**claims, "aud": door.url})
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            assert (await http.post(door.url, json=body)).status_code == 404
