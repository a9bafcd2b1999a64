"""The SDKs' own clients for identity assertions (ID-JAG) get in, with a real identity provider and a real gateway.

Nobody signs in at Archway: the person signed in at the provider, which vouches for them.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx2
import pytest
from mcp import Client
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client

from core.identifiers import new_id
from tests.clients.real_clients import DRIVERS, NODE
from tests.fakes.identity_provider import IdentityProvider
from tests.fixtures_archway import RunningArchway
from tests.fixtures_idp import idp, idp_issuer
from tests.oauth.test_python_sdk import Memory

__all__ = ["idp", "idp_issuer"]
AT_IDP, AT_IDP_SECRET = "poster", "in the body"
SAID = "without a second sign-in"
_TYPE = "urn:ietf:params:oauth:token-type"


@dataclass
class Company:
    """A gateway that takes the assertions of a provider, and a client that both know."""

    archway: RunningArchway
    idp: IdentityProvider
    url: str
    client: dict[str, Any]
    id_token: str

    @property
    def issuer(self) -> str:
        return str(self.archway.up["proxy_url"])

    async def assertion(self, audience: str, resource: str) -> str:
        """What the provider gives the client for the person who signed in there."""
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "client_id": AT_IDP,
            "client_secret": AT_IDP_SECRET, "requested_token_type": f"{_TYPE}:id-jag", "audience": audience,
            "resource": resource, "subject_token": self.id_token, "subject_token_type": f"{_TYPE}:id_token",
        }  # fmt: skip
        async with aiohttp.ClientSession() as http, http.post(f"{self.idp.issuer}/token", data=form) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["access_token"])

    def grants(self) -> list[dict[str, Any]]:
        return list(self.archway.api.pages("/grants", client_id=self.client["id"]))


@pytest.fixture
def provider(archway: RunningArchway, idp_issuer: str) -> dict[str, Any]:
    api = archway.api
    fields = {
        "slug": "corp",
        "name": "Corp",
        "issuer": idp_issuer,
        "sign_in": False,
        "allowed_domains": ["corp.test"],
    }
    made = api.post("/identity-providers", fields)
    api.post(f"/identity-providers/{made['id']}/test", {})
    return made


@pytest.fixture
async def company(
    archway: RunningArchway, idp: IdentityProvider, everything_server: str, provider: dict[str, Any]
) -> AsyncIterator[Company]:
    api = archway.api
    slug = f"vouched-{new_id()[-6:]}"
    ann = api.post("/users", {"name": "Ann", "email": "ann@corp.test"})
    url = archway.gateway(
        slug, archway.entry(slug, everything_server), prefix=False,
        identity_provider_id=provider["id"], takes_assertions=True,
    )  # fmt: skip
    fields = {"name": "Agent", "redirect_uris": ["https://agent.example/cb"], "auth_method": "client_secret_post"}
    client = api.post("/oauth-clients", fields)
    await idp.exchanges(clients=[AT_IDP], client_ids={archway.up["proxy_url"]: client["client_id"]})
    yield Company(archway, idp, url, client, (await idp.signed_in("ann"))["id_token"])
    gateway = next(one for one in api.pages("/gateways") if one["slug"] == slug)
    api.delete(f"/gateways/{gateway['id']}")
    api.delete(f"/identity-providers/{provider['id']}")
    api.delete(f"/oauth-clients/{client['id']}")
    api.patch(f"/users/{ann['id']}", {"email": f"{slug}@corp.test"})


async def test_the_python_sdk_gets_in_by_an_assertion_and_gets_another_for_each_token(company: Company) -> None:
    memory = Memory()
    provider = IdentityAssertionOAuthProvider(
        company.url, memory, company.client["client_id"], company.client["client_secret"], company.issuer,
        company.assertion,
    )  # fmt: skip
    async with (
        httpx2.AsyncClient(auth=provider, timeout=60) as http,
        Client(streamable_http_client(company.url, http_client=http)) as client,
    ):
        result = await client.call_tool("echo", {"message": SAID})
        assert SAID in str(result.content)
        assert memory.tokens is not None
        assert (memory.tokens.scope, memory.tokens.refresh_token) == ("mcp", None)
        memory.tokens.access_token = "spoiled"
        assert not (await client.call_tool("echo", {"message": SAID})).is_error
    (grant,) = company.grants()
    assert (grant["by_assertion"], grant["user_name"], grant["state"]) == (True, "Ann", "active")


async def test_the_typescript_sdk_gets_in_by_an_assertion_and_gets_another_for_each_token(company: Company) -> None:
    given = {
        "issuer": company.issuer, "client_id": company.client["client_id"],
        "client_secret": company.client["client_secret"], "idp": company.idp.issuer, "id_token": company.id_token,
        "idp_client_id": AT_IDP, "idp_client_secret": AT_IDP_SECRET,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        NODE, str(DRIVERS / "ts_identity_assertion.mjs"), company.url, "echo", json.dumps({"message": SAID}),
        json.dumps(given), env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    said = json.loads(out.splitlines()[-1])
    assert SAID in said["result"]["content"][0]["text"]
    assert (said["asked"], said["scope"], said["refreshes"]) == (2, "mcp", False)
    (grant,) = company.grants()
    assert grant["by_assertion"] is True
