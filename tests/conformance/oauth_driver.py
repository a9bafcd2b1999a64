"""The client that the official suite's `auth/*` scenarios drive: the Python SDK's client, with our OAuth behind it.

The suite starts it with the URL of a server, and says in the environment which scenario it is. Whatever OAuth is
asked for is done by `control/credentials/upstream_oauth/`, as for an installation; the SDK speaks MCP alone. Run by
`oauth_client.py`. The exit code is 1 where nobody could sign in, which some scenarios want.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from control.credentials.upstream_oauth.challenge import Challenge, bearer_challenge
from control.credentials.upstream_oauth.client import TokenPlace, UpstreamClient
from control.credentials.upstream_oauth.discovery import discover
from control.credentials.upstream_oauth.registration import OurClient
from control.credentials.upstream_oauth.token_request import Granted, client_credentials
from control.credentials.upstream_oauth.unfit import CannotSignIn
from control.providers.asking import Asker, ProviderAway
from control.providers.browser_round import BadReturn
from control.registry.credential import ClientCredentials, OAuthCredential
from core.client_keys import ClientKey
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from tests.fakes.upstream_sign_in import SigningIn, agrees_at_once

LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8,::1/128"))
OURS = OurClient(
    redirect_uri="http://localhost:3000/callback", document_url="https://conformance-test.local/client-metadata.json"
)
MOST_SIGN_INS = 3
"""For one request: a server that asks for ever more is left alone."""


class CannotGetIn(Exception):
    """A server that could not be signed in to."""


class OurOAuth(httpx2.Auth):
    """Signs in whenever the server asks for it, as the proxy and the install page do together."""

    requires_response_body = True

    def __init__(self, asker: Asker, url: str, told: dict[str, Any]) -> None:
        self._asker, self._url, self._told = asker, url, told
        settings = OAuthCredential(client_id=told.get("client_id", ""), issuer=told.get("issuer", ""))
        self._person = SigningIn(
            asker, url, settings, OURS, browser=agrees_at_once, client_secret=told.get("client_secret", "")
        )
        self._token, self._scopes = "", tuple[str, ...]()

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        for _ in range(MOST_SIGN_INS):
            if self._token:
                request.headers["Authorization"] = f"Bearer {self._token}"
            response = yield request
            challenge = bearer_challenge(response.headers.get_list("WWW-Authenticate"))
            if not (response.status_code == 401 or (response.status_code == 403 and challenge.wants_more_scopes)):
                return
            await self._get_in(challenge)
        request.headers["Authorization"] = f"Bearer {self._token}"
        last = yield request
        if last.status_code in {401, 403}:
            raise CannotGetIn("the server asks for ever more")

    async def _get_in(self, challenge: Challenge) -> None:
        try:
            if self._is_client():
                self._token = await self._of_the_client(challenge)
                return
            signed_in = await self._person.signs_in(challenge, self._scopes)
        except (CannotSignIn, ProviderAway, BadReturn) as why:
            raise CannotGetIn(str(why)) from why
        if not isinstance(signed_in.outcome, Granted):
            raise CannotGetIn(repr(signed_in.outcome))
        self._token, self._scopes = signed_in.granted.access_token, signed_in.scopes

    def _is_client(self) -> bool:
        return "client-credentials" in os.environ["MCP_CONFORMANCE_SCENARIO"]

    async def _of_the_client(self, challenge: Challenge) -> str:
        found = await discover(self._asker, self._url, ClientCredentials(), challenge)
        key = ClientKey.from_pem(self._told["private_key_pem"]) if "private_key_pem" in self._told else None
        client = UpstreamClient(
            issuer=found.server.issuer,
            client_id=self._told["client_id"],
            client_secret=self._told.get("client_secret", ""),
            authentication="private_key_jwt" if key else "client_secret_basic",
        )
        place = TokenPlace(
            endpoint=found.server.token_endpoint, client=client, key=key, algorithms=found.server.signing_algorithms
        )
        outcome = await client_credentials(self._asker, place, found.resource, challenge.scopes, time.time())
        if not isinstance(outcome, Granted):
            raise CannotGetIn(repr(outcome))
        return outcome.access_token


async def call(url: str, revision: str, told: dict[str, Any]) -> None:
    """Lists the server's tools and calls the first, twice: the second time with what the first one brought."""
    async with AsyncExitStack() as stack:
        egress = await stack.enter_async_context(Egress(LOOPBACK))
        auth = OurOAuth(Asker(egress, LOOPBACK), url, told)
        http = await stack.enter_async_context(httpx2.AsyncClient(auth=auth, timeout=30))
        mode = revision if revision >= "2026" else "legacy"
        client = await stack.enter_async_context(Client(streamable_http_client(url, http_client=http), mode=mode))
        for _ in range(2):
            found = await client.list_tools()
            await client.call_tool(found.tools[0].name, {})


def main() -> int:
    told = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    revision = os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION") or "2025-11-25"
    try:
        asyncio.run(call(sys.argv[-1], revision, told))
    except BaseExceptionGroup as several:  # the SDK's task groups wrap whatever happens in them
        print(several.exceptions, file=sys.stderr)
        return 1
    except CannotGetIn as why:
        print(why, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
