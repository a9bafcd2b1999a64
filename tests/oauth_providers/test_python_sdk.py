"""The whole round at the Python SDK's authorization server, and calls of the SDK's MCP server behind it with what it
gave, by the SDK's own client.
"""

from __future__ import annotations

import time
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from control.credentials.upstream_oauth.revocation import revoke
from control.credentials.upstream_oauth.token_request import Granted, Refused, refresh
from control.providers.asking import Asker
from control.registry.credential import OAuthCredential
from tests.fakes.upstream_clients import OURS
from tests.fakes.upstream_sign_in import SignedIn, SigningIn, agrees_at_once


def person_at(asker: Asker, origin: str, **settings: Any) -> SigningIn:
    """Somebody before the server."""
    return SigningIn(asker, f"{origin}/mcp", OAuthCredential(**settings), OURS, browser=agrees_at_once)


async def renewed(asker: Asker, signed_in: SignedIn, token: str) -> Any:
    """What a refresh comes to."""
    return await refresh(asker, signed_in.place, token, signed_in.discovered.resource, time.time())


async def called(origin: str, token: str, mode: str) -> str:
    """What the tool answers to whoever bears this token."""
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
        transport = streamable_http_client(f"{origin}/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            answer = await client.call_tool("read_note", {"name": "one"})
            return str(answer.content[0].text)  # type: ignore[union-attr] # the tool answers with text


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_somebody_signs_in_and_the_tool_answers(asker: Asker, sdk_server: str, mode: str) -> None:
    person = person_at(asker, sdk_server)
    signed_in = await person.signs_in(await person.challenge())
    assert (signed_in.place.client.how, signed_in.scopes) == ("dynamic", ("notes:read",))
    assert signed_in.discovered.resource == f"{sdk_server}/mcp"
    assert await called(sdk_server, signed_in.granted.access_token, mode) == "the note one"


async def test_a_token_for_another_resource_does_not_open_this_server(asker: Asker, sdk_server: str) -> None:
    person = person_at(asker, sdk_server, resource=f"{sdk_server}/other")
    signed_in = await person.signs_in()
    assert (await person.challenge(signed_in.granted.access_token)).error == "invalid_token"


async def test_a_renewed_token_opens_it_and_the_refresh_token_of_before_is_good_no_more(
    asker: Asker, sdk_server: str
) -> None:
    person = person_at(asker, sdk_server)
    first = (signed_in := await person.signs_in()).granted
    second = await renewed(asker, signed_in, first.refresh_token)
    assert isinstance(second, Granted)
    assert await called(sdk_server, second.access_token, "2026-07-28") == "the note one"
    again = await renewed(asker, signed_in, first.refresh_token)
    assert isinstance(again, Refused)
    assert again.is_invalid_grant


async def test_what_is_given_back_opens_it_no_more(asker: Asker, sdk_server: str) -> None:
    person = person_at(asker, sdk_server)
    signed_in = await person.signs_in()
    granted, server = signed_in.granted, signed_in.discovered.server
    back = await revoke(
        asker, signed_in.place, server.revocation_endpoint,
        [("access_token", granted.access_token), ("refresh_token", granted.refresh_token)], time.time(),
    )  # fmt: skip
    assert back.done
    assert (await person.challenge(granted.access_token)).error == "invalid_token"
    assert (await renewed(asker, signed_in, granted.refresh_token)).is_invalid_grant
