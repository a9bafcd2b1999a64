"""The second leg: the server's own authorization server takes the provider's word, and nobody else is sent it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from control.credentials.upstream_oauth.unfit import NotApproved, Unfit
from control.exchanges.at_provider import JWT_BEARER
from control.exchanges.at_server import METADATA_S, AtServer, assertion_form
from control.providers.asking import ProviderAway
from control.registry.account import client_place
from control.registry.credential import IdentityAssertion
from core.client_keys import KeyRefused
from tests.fakes.answering import Answering, loopback_asker
from tests.fakes.exchanging import SEALS
from tests.fakes.registry import an_entry

WELL_KNOWN = "/.well-known/oauth-authorization-server"


@pytest.fixture
async def server() -> AsyncIterator[Answering]:
    async with Answering() as made:
        made.at(WELL_KNOWN, {"issuer": made.url, "token_endpoint": f"{made.url}/token"})
        yield made


@pytest.fixture
async def at_server() -> AsyncIterator[AtServer]:
    async with loopback_asker() as asker:
        yield AtServer(asker, SEALS)


async def test_it_is_the_token_endpoint_that_the_named_issuer_names(server: Answering, at_server: AtServer) -> None:
    credential = IdentityAssertion("p", server.url, "us")
    sealed = SEALS.entry_client_secret("e1", client_place(credential, "https://github.test"), "s3cret")
    place = await at_server.place(an_entry(credential=credential, client_secret=sealed), credential, 0.0)
    assert place.endpoint == f"{server.url}/token"
    assert (place.client.client_id, place.client.client_secret, place.client.authentication) == (
        "us", "s3cret", "client_secret_basic",
    )  # fmt: skip


async def test_metadata_is_asked_once_in_some_minutes(server: Answering, at_server: AtServer) -> None:
    credential = IdentityAssertion("p", server.url, "us")
    for now in (0.0, METADATA_S - 1, METADATA_S + 1):
        await at_server.place(an_entry(credential=credential), credential, now)
    assert len(server.asked) == 2


async def test_a_typed_endpoint_needs_no_metadata(at_server: AtServer) -> None:
    credential = IdentityAssertion("p", "https://as.test", "us", token_endpoint="https://as.test/token")
    place = await at_server.place(an_entry(credential=credential), credential, 0.0)
    assert (place.endpoint, place.client.authentication) == ("https://as.test/token", "none")


async def test_a_foreign_endpoint_gets_nothing_before_an_admin_approved_it(
    server: Answering, at_server: AtServer
) -> None:
    server.at(WELL_KNOWN, {"issuer": server.url, "token_endpoint": "http://localhost:9/token"})
    credential = IdentityAssertion("p", server.url, "us")
    with pytest.raises(NotApproved, match="localhost:9"):
        await at_server.place(an_entry(credential=credential), credential, 0.0)
    approved = IdentityAssertion("p", server.url, "us", approved_hosts=("http://localhost:9",))
    place = await at_server.place(an_entry(credential=approved), approved, 0.0)
    assert place.endpoint == "http://localhost:9/token"


async def test_the_metadata_of_another_issuer_is_not_believed(server: Answering, at_server: AtServer) -> None:
    server.at(WELL_KNOWN, {"issuer": "https://evil.test", "token_endpoint": f"{server.url}/token"})
    credential = IdentityAssertion("p", server.url, "us")
    with pytest.raises(Unfit, match="another issuer"):
        await at_server.place(an_entry(credential=credential), credential, 0.0)
    with pytest.raises(ProviderAway):
        await at_server.place(an_entry(), IdentityAssertion("p", "http://127.0.0.1:9", "us"), 0.0)


async def test_a_key_that_is_none_is_refused_before_anything_is_sent(server: Answering, at_server: AtServer) -> None:
    credential = IdentityAssertion("p", server.url, "us", client_authentication="private_key_jwt")
    with pytest.raises(KeyRefused):
        await at_server.place(an_entry(credential=credential), credential, 0.0)


@pytest.mark.parametrize(
    ("how", "scope"),
    [({}, "read"), ({"scopes_at_server": "omit"}, ""), ({"scopes_at_server": "named", "server_scopes": ("x",)}, "x")],
)
def test_scopes_there_are_the_same_none_or_others(how: dict[str, object], scope: str) -> None:
    made: dict[str, object] = {"scopes": ("read",), **how}
    credential = IdentityAssertion("p", "https://as.test", "us", **made)  # type: ignore[arg-type]
    assert assertion_form(credential, "https://crm.test/mcp", "e.y.j") == {
        "grant_type": JWT_BEARER, "assertion": "e.y.j", "scope": scope, "resource": "https://crm.test/mcp",
    }  # fmt: skip
