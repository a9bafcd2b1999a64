"""Row S-1 at identity providers and clients: what they say of themselves leads control to no forbidden address.

The policy is that of a fresh deployment, which opens nothing. Where a test must see that nobody was reached, a
listener on loopback plays the inside, and a name leads to it as a rebound one would: past every check of a text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from control.credentials.upstream_oauth.client import TokenPlace
from control.credentials.upstream_oauth.discovery import find_authorization_server
from control.credentials.upstream_oauth.protected_resource import find_protected_resource
from control.credentials.upstream_oauth.registration import register
from control.credentials.upstream_oauth.token_request import Away, refresh
from control.credentials.upstream_oauth.unfit import Unfit
from control.identity.discovery import WELL_KNOWN, discover, endpoints_in
from control.identity.token_endpoint import Client
from control.oauth.clients.documents import ClientDocuments
from control.oauth.errors import NotSentBack
from control.providers.asking import Asker, ProviderAway
from control.registry.broken_rule import BrokenRule
from control.registry.identity_provider import Endpoints
from control.registry.provider_rules import check_provider
from core.egress.client import Egress
from tests.fakes.providers import ISSUER, a_provider, provider_fields
from tests.fakes.scripted_names import ScriptedNames
from tests.fakes.scripted_upstream import ScriptedUpstream, ok
from tests.fakes.upstream_clients import OURS, SERVER_URL, a_client, a_server
from tests.trust.test_outbound_addresses import ADDRESSES, FRESH, INSIDE, SHAPES, host_in_url

FORBIDDEN = [host_in_url(ip) for ips in ADDRESSES.values() for ip in ips] + [
    host for hosts in SHAPES.values() for host in hosts
]
FOUND = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}
REFUSALS = (ProviderAway, NotSentBack, Unfit)
Ask = Callable[[Egress, str], Awaitable[Any]]
"""Goes to a base URL as this place does."""


async def ask_for_metadata(egress: Egress, base: str) -> object:
    return await discover(Asker(egress, FRESH), base, signs_in=True)


async def ask_for_keys(egress: Egress, base: str) -> object:
    return await Asker(egress, FRESH).get(endpoints_at(base).jwks_uri)  # as `KeySets` does


async def ask_for_a_clients_keys(egress: Egress, base: str) -> object:
    return await ClientDocuments(egress).keys(f"{base}/keys")


async def ask_what_a_server_says_of_itself(egress: Egress, base: str) -> object:
    return await find_protected_resource(Asker(egress, FRESH), SERVER_URL, f"{base}/told")


async def ask_an_upstreams_issuer(egress: Egress, base: str) -> object:
    return await find_authorization_server(Asker(egress, FRESH), base, {})


async def register_at_an_upstreams_issuer(egress: Egress, base: str) -> object:
    server = a_server(registration_endpoint=f"{base}/register")
    return await register(Asker(egress, FRESH), server, OURS)


async def renew_at_an_upstreams_issuer(egress: Egress, base: str) -> None:
    place = TokenPlace(endpoint=f"{base}/token", client=a_client())
    outcome = await refresh(Asker(egress, FRESH), place, "rt", "", 0.0)
    assert isinstance(outcome, Away)
    raise ProviderAway(outcome.why)


async def redeem_a_code(egress: Egress, base: str) -> object:
    client = Client(Asker(egress, FRESH), a_provider(), endpoints_at(base), "secret")
    return await client.redeem("code", "https://archway.example/cb", "v" * 43, 0.0)


def endpoints_at(base: str) -> Endpoints:
    """As if they had been found good when they were read."""
    return Endpoints(
        authorization_endpoint=f"{base}/authorize", token_endpoint=f"{base}/token", jwks_uri=f"{base}/keys"
    )


PLACES = [
    pytest.param(ask_for_metadata, id="S-1: place: IdP discovery"),
    pytest.param(ask_for_keys, id="S-1: place: JWKS URI"),
    pytest.param(ask_for_a_clients_keys, id="S-1: place: JWKS URI-of a client"),
    pytest.param(redeem_a_code, id="S-1: place: token endpoint"),
    pytest.param(renew_at_an_upstreams_issuer, id="S-1: place: token endpoint-of an upstream"),
    pytest.param(register_at_an_upstreams_issuer, id="S-1: place: token endpoint-registration at an upstream's"),
    pytest.param(ask_an_upstreams_issuer, id="S-1: place: IdP discovery-of an upstream"),
    pytest.param(ask_what_a_server_says_of_itself, id="S-1: place: resource_metadata"),
]


@pytest.mark.parametrize("ask", PLACES)
async def test_a_name_that_leads_inside_reaches_nobody(ask: Ask) -> None:
    names = ScriptedNames([INSIDE])
    async with ScriptedUpstream([ok(b"{}")]) as inside, Egress(FRESH, resolver=names) as egress:
        with pytest.raises(REFUSALS):
            await ask(egress, f"https://idp.example:{inside.port}")
        assert names.questions == 1
        assert inside.connections == 0


@pytest.mark.parametrize("ask", PLACES)
async def test_no_forbidden_address_is_asked(ask: Ask) -> None:
    names = ScriptedNames([INSIDE])
    async with ScriptedUpstream([ok(b"{}")]) as inside, Egress(FRESH, resolver=names) as egress:
        for host in FORBIDDEN:
            with pytest.raises(REFUSALS):
                await ask(egress, f"https://{host}:{inside.port}")
        assert inside.connections == 0


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("jwks_uri", id="S-1: place: JWKS URI"),
        pytest.param("token_endpoint", id="S-1: place: token endpoint"),
        pytest.param("authorization_endpoint", id="S-1: place: IdP discovery"),
    ],
)
def test_metadata_that_names_a_forbidden_address_is_used_for_nothing(name: str) -> None:
    assert endpoints_in(FOUND, ISSUER, FRESH)
    for host in FORBIDDEN:
        with pytest.raises(ProviderAway):
            endpoints_in({**FOUND, name: f"https://{host}/x"}, ISSUER, FRESH)


@pytest.mark.parametrize("path", [pytest.param(WELL_KNOWN, id="S-1: place: IdP discovery")])
def test_an_issuer_at_a_forbidden_address_is_not_saved(path: str) -> None:
    assert path.startswith("/.well-known/")
    assert check_provider(provider_fields(), FRESH, has_secret=True)
    for host in FORBIDDEN:
        with pytest.raises(BrokenRule) as broken:
            check_provider(provider_fields(issuer=f"https://{host}"), FRESH, has_secret=True)
        assert broken.value.field == "issuer"
