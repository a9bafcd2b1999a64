"""A realm of Keycloak as the authorization server of an MCP server, which takes the identity assertions (ID-JAG) that
the company's provider issues (npm `oidc-provider`, since Keycloak issues none): each kind of caller through the whole
product. Run by `make keycloak`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from archway.admin_client import AdminApi
from control.credentials.whose import TABLE, CallerKind
from tests.docs.conftest import Deployment
from tests.fakes.identity_provider import IdentityProvider
from tests.fakes.mcp_upstream import McpUpstream
from tests.fixtures_archway import RunningArchway
from tests.fixtures_idp import CALLBACK, running_provider
from tests.keycloak.at_server import KeycloakAtServer
from tests.trust.whose_cells import claims_in, told_by, what_is_wrong
from tests.trust.whose_company import AUDIENCE, Company, opened
from tests.trust.whose_npm import NpmVouches

pytestmark = pytest.mark.timeout(900)
SUBJECTS = {"ann": "Ann", "repo:acme/app": "Builds", "stranger": "Stranger"}


@dataclass
class Assertions:
    """The company, its provider, and the realm that takes what this one says."""

    company: Company
    idp: IdentityProvider
    realm: KeycloakAtServer
    server: str

    async def is_wrong(self, caller: CallerKind) -> str:
        """How a call went otherwise than its cell says; '' where it went so."""
        outcome = await self.company.call(caller, "id_jag")
        if TABLE["id_jag"][caller].uses is None:
            return await what_is_wrong(self.company, caller, "id_jag", outcome)
        if outcome.status != "ok":
            return f"{outcome.status}: {outcome.sentence}"
        got = json.loads(outcome.result["content"][0]["text"])["authorization"]
        said, client = claims_in(got.removeprefix("Bearer ")), self.realm.client
        found = [said.get(name) for name in ("iss", "sub", "azp", "aud")]
        user = self.realm.users[self.company.subjects[caller]]
        return "" if found == [client.issuer, user, client.client_id, self.server] else str(said)


async def test_every_caller_is_their_own_user_at_keycloak_or_is_told_why_not(assertions: Assertions) -> None:
    wrong = {caller: why for caller in TABLE["id_jag"] if (why := await assertions.is_wrong(caller))}
    assert wrong == {}
    asked = [one for one in await assertions.idp.exchanged() if one.get("audience") == assertions.realm.client.issuer]
    assert [one["answer"] for one in asked] == ["200"] * 4  # for Ann's sign-in once, whatever of hers she calls with


async def test_whom_keycloak_does_not_know_is_told_what_it_said(assertions: Assertions) -> None:
    assert await assertions.is_wrong("provider_token") == ""
    await assertions.realm.forget("ann")
    assertions.company.tokens["provider_token"] = await assertions.idp.token(
        {"sub": "ann", "aud": AUDIENCE, "jti": "another"}
    )
    assert "400 invalid_grant" in await assertions.is_wrong("provider_token")


@pytest.fixture
async def assertions(keycloak_url: str, deployment: Deployment) -> AsyncIterator[Assertions]:
    here = deployment.file
    archway = RunningArchway(here, AdminApi(here["control_url"], here["admin_token"]))
    with running_provider(here["proxy_url"] + CALLBACK) as issuer:
        async with McpUpstream(era="modern") as server, aiohttp.ClientSession() as http:
            for wanted in TABLE:
                server.tool(wanted, told_by)
            idp, realm = IdentityProvider(issuer, http), KeycloakAtServer(keycloak_url, http)
            await realm.set_up(issuer, server.url, SUBJECTS)
            async with opened(archway, NpmVouches(idp, http), realm.client, server.url) as company:
                yield Assertions(company, idp, realm, server.url)
    deployment.clear()
