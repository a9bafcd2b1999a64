"""The Python SDK's own OAuth client signs a person in: registering by itself, and with a document of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata, OAuthToken

from control.changes import gateways
from control.changes.write import changing
from control.public.deps import PublicDeps
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from tests.fakes.own_authority import issue
from tests.fakes.registry import gateway_fields
from tests.fakes.scripted_names import ScriptedNames
from tests.fakes.scripted_upstream import ScriptedUpstream, ok
from tests.fixtures_people import NOBODY
from tests.oauth.served_gateway import ServedGateway, served_gateway

REDIRECT = "http://localhost:3030/callback"


class Memory:
    """Where the SDK keeps what it got."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: Any = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client

    async def set_client_info(self, client_info: Any) -> None:
        self.client = client_info


class SdkClient:
    """The SDK's client, whose person agrees to whatever page it opens."""

    def __init__(self, gateway: ServedGateway, metadata_url: str | None = None) -> None:
        self._gateway, self.memory = gateway, Memory()
        self._back: dict[str, str] = {}
        self.opened: list[str] = []
        self.provider = OAuthClientProvider(
            gateway.resource,
            OAuthClientMetadata.model_validate({"client_name": "SDK", "redirect_uris": [REDIRECT]}),
            self.memory,
            redirect_handler=self._open,
            callback_handler=self._come_back,
            client_metadata_url=metadata_url,
        )

    async def _open(self, url: str) -> None:
        self.opened.append(url)
        self._back = await self._gateway.agree(url)

    async def _come_back(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(self._back)

    async def call(self) -> int:
        async with httpx2.AsyncClient(auth=self.provider) as client:
            return int((await client.post(self._gateway.resource, json={})).status_code)


@asynccontextmanager
async def gateway_for(deps: PublicDeps, egress: Egress | None = None) -> AsyncIterator[ServedGateway]:
    async with changing(deps.pool, NOBODY) as write:
        await gateways.create(write, gateway_fields(slug="work", name="Work"))
    async with served_gateway(deps, egress) as gateway:
        yield gateway


async def test_the_sdk_registers_signs_a_person_in_calls_and_refreshes(public_deps: PublicDeps) -> None:
    async with gateway_for(public_deps) as gateway:
        client = SdkClient(gateway)

        assert await client.call() == 200
        assert await client.call() == 200
        first = client.memory.tokens
        client.provider.context.token_expiry_time = 1.0
        assert await client.call() == 200

        assert len(client.opened) == 1
        assert first is not None
        assert client.memory.tokens is not None
        assert client.memory.tokens.refresh_token != first.refresh_token
        assert {claims["aud"] for claims in gateway.seen} == {gateway.resource}
        assert len(gateway.seen) == 3


async def test_the_sdk_signs_in_with_a_document_of_its_own(public_deps: PublicDeps, tmp_path: Path) -> None:
    certificate = issue(tmp_path, "client.example")
    policy = AddressPolicy(parse_networks("127.0.0.0/8"))
    described: dict[str, Any] = {"client_name": "SDK", "redirect_uris": ["http://localhost/callback"]}

    def document(_request: bytes) -> list[bytes]:
        return [ok(json.dumps(described).encode(), b"Content-Type: application/json")]

    async with (
        ScriptedUpstream(document, tls=certificate.server) as host,
        Egress(policy, ca_bundle=certificate.pem, resolver=ScriptedNames(["127.0.0.1"])) as egress,
        gateway_for(public_deps, egress) as gateway,
    ):
        url = f"https://client.example:{host.port}/client.json"
        described["client_id"] = url
        client = SdkClient(gateway, url)

        assert await client.call() == 200

        assert gateway.seen[-1]["client_id"] == url
        (row,) = await gateway.people.rows("select kind, redirect_uris from oauth_clients")
        assert (row["kind"], row["redirect_uris"]) == ("document", ["http://localhost/callback"])
        assert len(host.requests) == 1


async def test_a_client_whose_website_is_down_refreshes_all_the_same(public_deps: PublicDeps, tmp_path: Path) -> None:
    certificate = issue(tmp_path, "client.example")
    policy = AddressPolicy(parse_networks("127.0.0.0/8"))
    described: dict[str, Any] = {"client_name": "SDK", "redirect_uris": ["http://localhost/callback"]}
    async with (
        Egress(policy, ca_bundle=certificate.pem, resolver=ScriptedNames(["127.0.0.1"])) as egress,
        gateway_for(public_deps, egress) as gateway,
    ):
        async with ScriptedUpstream(
            lambda _: [ok(json.dumps(described).encode(), b"Content-Type: application/json")], tls=certificate.server
        ) as host:
            described["client_id"] = f"https://client.example:{host.port}/client.json"
            client = SdkClient(gateway, described["client_id"])
            assert await client.call() == 200

        client.provider.context.token_expiry_time = 1.0
        assert await client.call() == 200
        assert len(client.opened) == 1
