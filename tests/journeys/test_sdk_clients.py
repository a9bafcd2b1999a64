"""The OAuth clients of the official SDKs: a real browser to sign in, a tool called through the proxy, a refresh."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

from tests.clients.real_clients import DRIVERS
from tests.fixtures_upstreams import NODE
from tests.journeys.loopback import Loopback, loopback
from tests.journeys.real_sign_in import ASKED, TOOL, Desk, Person, started
from tests.oauth.test_python_sdk import Memory

WAYS = pytest.mark.parametrize("way", ["dynamic", "document"])


class PythonClient:
    """The Python SDK's provider, whose person opens in their browser what it asks to open."""

    def __init__(self, person: Person, back: Loopback, metadata_url: str | None) -> None:
        self._person, self._back, self.memory = person, back, Memory()
        self.asked = 0
        self.provider = OAuthClientProvider(
            person.desk.url,
            OAuthClientMetadata.model_validate({"client_name": "Python SDK", "redirect_uris": [back.url]}),
            self.memory,
            redirect_handler=self._open,
            callback_handler=self._come_back,
            client_metadata_url=metadata_url,
        )

    async def _open(self, address: str) -> None:
        self.asked += 1
        await self._person.allows(address, "Python SDK")

    async def _come_back(self) -> AuthorizationCodeResult:
        async with asyncio.timeout(60):
            return AuthorizationCodeResult.model_validate(await self._back.given)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        async with (
            httpx2.AsyncClient(auth=self.provider, timeout=60) as http,
            Client(streamable_http_client(self._person.desk.url, http_client=http)) as client,
        ):
            yield client


def document(desk: Desk, name: str, way: str) -> str | None:
    """A document whose redirect names no port, for clients that get a port of the moment."""
    if way != "document":
        return None
    return desk.documents.publish(
        name.lower().replace(" ", "-"), client_name=name, redirect_uris=["http://localhost/callback"]
    )


@WAYS
async def test_the_python_sdk_signs_in_calls_and_refreshes(desk: Desk, person: Person, way: str) -> None:
    async with loopback() as back:
        client = PythonClient(person, back, document(desk, "Python SDK", way))
        async with client.connected() as connected:
            result = await connected.call_tool(TOOL, ASKED)
            first = client.memory.tokens
            client.provider.context.token_expiry_time = 1.0
            again = await connected.call_tool(TOOL, ASKED)

    assert "as Ann" in str(result.content[0].text)
    assert not again.is_error
    assert first is not None
    assert client.memory.tokens is not None
    assert client.memory.tokens.refresh_token != first.refresh_token
    assert client.asked == 1
    (grant,) = person.grants()
    assert desk.client(grant)["kind"] == way


@WAYS
@pytest.mark.parametrize("major", ["1", "2"])
async def test_the_typescript_sdk_signs_in_calls_and_refreshes(
    desk: Desk, person: Person, tmp_path: Path, way: str, major: str
) -> None:
    url = document(desk, "TypeScript SDK", way)
    driver = str(DRIVERS / "ts_sign_in.mjs")
    command = [str(NODE), driver, major, desk.url, TOOL, json.dumps(ASKED), *([url] if url else [])]
    async with started(command, tmp_path) as program:
        await person.allows(await program.address(desk), "TypeScript SDK")
        said: dict[str, Any] = json.loads((await program.ended()).splitlines()[-1])

    assert "as Ann" in said["result"]["content"][0]["text"]
    assert (said["asked"], said["refreshed"]) == (1, True)
    (grant,) = person.grants()
    assert desk.client(grant)["kind"] == way
    assert desk.client(grant)["client_id"] == said["client"]
