from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from control.credentials.upstream_oauth.protected_resource import (
    WELL_KNOWN,
    ProtectedResource,
    covers,
    described_in,
    find_protected_resource,
    metadata_urls,
)
from control.credentials.upstream_oauth.unfit import Unfit
from control.providers.asking import Asker, ProviderAway
from core.egress.addresses import AddressPolicy
from core.egress.client import Egress
from tests.fakes.answering import LOOPBACK, Answering
from tests.fakes.scripted_names import ScriptedNames

URL = "https://mcp.example/v1/mcp"
ISSUER = "https://as.example"


def test_the_description_is_asked_where_the_challenge_says_then_behind_the_path_then_at_the_root() -> None:
    assert metadata_urls(URL, "https://mcp.example/told") == [
        "https://mcp.example/told",
        f"https://mcp.example{WELL_KNOWN}/v1/mcp",
        f"https://mcp.example{WELL_KNOWN}",
    ]
    assert metadata_urls("https://mcp.example/") == [f"https://mcp.example{WELL_KNOWN}"]
    assert metadata_urls("https://mcp.example/mcp?tenant=1")[0] == f"https://mcp.example{WELL_KNOWN}/mcp?tenant=1"


@pytest.mark.parametrize(
    "resource",
    [URL, "https://mcp.example", "https://mcp.example/", "https://mcp.example/v1", "https://MCP.example:443/v1/"],
)
def test_tokens_for_a_server_or_its_parent_are_for_it(resource: str) -> None:
    assert covers(resource, URL)


@pytest.mark.parametrize(
    "resource",
    [
        "https://evil.example/v1/mcp", "http://mcp.example/v1/mcp", "https://mcp.example:8443/v1/mcp",
        "https://mcp.example/v1/mcp/more", "https://mcp.example/v", "https://mcp.example/v1?x=1",
        "https://mcp.example/v1#x", "https://mcp.example/v1/../v1", "https://mcp.example:x/", "", "https://mcp.éxample",
        "urn:x",
    ],
)  # fmt: skip
def test_tokens_for_anything_else_are_not(resource: str) -> None:
    assert not covers(resource, URL)


def test_a_description_says_who_gives_tokens_and_what_they_may_do() -> None:
    found = {"resource": URL, "authorization_servers": [ISSUER, 5], "scopes_supported": ["a"]}
    assert described_in(found, URL) == ProtectedResource(URL, (ISSUER,), ("a",))
    assert described_in({"resource": URL, "authorization_servers": [ISSUER]}, URL) == ProtectedResource(
        URL, (ISSUER,), None
    )


@pytest.mark.parametrize(
    "found",
    [{}, {"resource": URL}, {"resource": URL, "authorization_servers": []}, {"resource": 5},
     {"authorization_servers": [ISSUER]}, {"resource": URL, "authorization_servers": "x"}],
)  # fmt: skip
def test_a_document_that_says_neither_is_none(found: dict[str, Any]) -> None:
    assert described_in(found, URL) is None


def test_the_description_of_another_server_is_refused_and_shown() -> None:
    with pytest.raises(Unfit, match=r"evil\.example"):
        described_in({"resource": "https://evil.example", "authorization_servers": [ISSUER]}, URL)


async def test_the_first_address_that_has_a_description_counts(server: Answering, asker: Asker) -> None:
    url = f"{server.url}/mcp"
    server.at(WELL_KNOWN, {"resource": server.url, "authorization_servers": [ISSUER]})
    found = await find_protected_resource(asker, url, f"{server.url}/told")
    assert found == ProtectedResource(server.url, (ISSUER,), None)
    assert server.paths == ["/told", f"{WELL_KNOWN}/mcp", WELL_KNOWN]


@pytest.fixture
async def guarded() -> AsyncIterator[Asker]:
    """Who asks where an operator has opened loopback for servers."""
    async with Egress(LOOPBACK) as opened, Egress(AddressPolicy()) as public:
        yield Asker(opened, LOOPBACK, Asker(public, AddressPolicy()))


async def test_a_server_has_nobody_ask_inside_for_what_it_says_of_itself(server: Answering, guarded: Asker) -> None:
    server.at(WELL_KNOWN, {"resource": server.url, "authorization_servers": [ISSUER]})
    async with Answering() as inside:
        inside.at("/told", {"resource": server.url, "authorization_servers": ["https://evil.example"]})
        plain = await find_protected_resource(guarded, f"{server.url}/mcp", f"{inside.url}/told")
        assert plain == ProtectedResource(server.url, (ISSUER,), None)
        with pytest.raises(ProviderAway, match="loopback"):
            await find_protected_resource(
                guarded, f"{server.url}/mcp", f"{inside.url}/told".replace("http:", "https:")
            )
        assert inside.paths == []


async def test_a_name_that_leads_inside_has_nobody_ask_there_either(server: Answering) -> None:
    names = ScriptedNames(["127.0.0.1"])
    async with (
        Answering() as inside,
        Egress(LOOPBACK) as opened,
        Egress(AddressPolicy(), resolver=names) as public,
    ):
        asker = Asker(opened, LOOPBACK, Asker(public, AddressPolicy()))
        port = inside.url.rpartition(":")[2]
        with pytest.raises(ProviderAway, match="is not allowed"):
            await find_protected_resource(asker, f"{server.url}/mcp", f"https://public.example:{port}/told")
        assert (names.questions, inside.paths) == (1, [])


async def test_what_a_server_names_beside_its_origin_is_asked_by_nobody_where_there_is_no_such_asker(
    server: Answering, asker: Asker
) -> None:
    assert asker.of_public is None
    assert await find_protected_resource(asker, f"{server.url}/mcp", "https://public.example/told") is None


@pytest.mark.parametrize(
    "told", ["https://[x/told", "told", "ftp://public.example/told", "http://public.example/told"]
)
async def test_what_a_server_names_that_is_no_https_address_is_passed_over(
    server: Answering, guarded: Asker, told: str
) -> None:
    assert await find_protected_resource(guarded, f"{server.url}/mcp", told) is None
    assert server.paths == [f"{WELL_KNOWN}/mcp", WELL_KNOWN]


async def test_a_server_without_one_is_of_before_there_were_any(server: Answering, asker: Asker) -> None:
    assert await find_protected_resource(asker, f"{server.url}/mcp") is None


@pytest.mark.parametrize("status", [500, 502, 429])
async def test_a_server_that_cannot_say_now_is_not_taken_for_an_old_one(
    server: Answering, asker: Asker, status: int
) -> None:
    server.at(f"{WELL_KNOWN}/mcp", {}, status)
    server.at(WELL_KNOWN, {"resource": server.url, "authorization_servers": ["https://evil.example"]})
    with pytest.raises(ProviderAway):
        await find_protected_resource(asker, f"{server.url}/mcp")
