"""Rows S-4 and S-5 at the authorization servers of upstreams: what their metadata names leads nobody astray.

A server is trusted with what it was entered for; whom it names is not. Nothing but a question for metadata goes to a
host that no admin has approved, and people are sent to nothing but an address of the web.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from control.credentials.upstream_oauth.authorization_server import ENDPOINTS, server_in
from control.credentials.upstream_oauth.authorize import authorize_url, begin
from control.credentials.upstream_oauth.discovery import discover
from control.credentials.upstream_oauth.unfit import CannotSignIn, NotApproved
from control.identity.discovery import NotApproved as NotApprovedThere
from control.identity.discovery import endpoints_in, refuse_unapproved
from control.providers.asking import ProviderAway
from control.registry.credential import ClientCredentials, OAuthCredential
from core.egress.addresses import AddressPolicy
from tests.fakes.answering import LOOPBACK, Answering, loopback_asker
from tests.fakes.providers import a_provider
from tests.fakes.upstream_clients import BACK, ISSUER, a_client, found, metadata

PUBLIC = AddressPolicy()
WELL_KNOWN = "/.well-known/oauth-authorization-server"
ELSEWHERE = [
    pytest.param("https://as.evil.example/x", id="S-4: endpoints at another host"),
    pytest.param("https://as.example.evil.example/x", id="S-4: endpoints at another host-that begins like it"),
    pytest.param("http://as.example/x", id="S-4: endpoints over http"),
    pytest.param("https://as.example:8443/x", id="S-4: endpoints at another port"),
]
UNFIT = [
    pytest.param("javascript:alert(1)", id="S-5: javascript:"),
    pytest.param("JavaScript://as.example/%0aalert(1)", id="S-5: javascript:-that looks like an address"),
    pytest.param("file:///etc/passwd", id="S-5: file:"),
    pytest.param("https://as.example/a?$(touch x) ", id="S-5: $(...)"),
    pytest.param("https://as.example/`touch x`", id="S-5: $(...)-in backticks"),
    pytest.param("https://as.example/a b", id="S-5: spaces"),
    pytest.param("https://as.example/a\nb", id="S-5: spaces-a new line"),
    pytest.param(" https://as.example/a", id="S-5: spaces-before it"),
]


def used(name: str, url: str) -> None:
    """Metadata in which one endpoint is this, as discovery takes it; raises where it is not taken."""
    server = server_in(metadata(**{name: url}), ISSUER, PUBLIC, {}, needs_browser=True)
    server.refuse_unapproved(("https://approved.example",))


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("url", ELSEWHERE)
def test_an_endpoint_elsewhere_is_not_used_before_an_admin_looked_at_it(url: str, name: str) -> None:
    used(name, f"{ISSUER}/x")
    used(name, "https://approved.example/x")
    with pytest.raises(CannotSignIn):
        used(name, url)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_nor_at_the_identity_provider_of_people(url: str) -> None:
    provider, said = a_provider(issuer=ISSUER), {**metadata(), "jwks_uri": f"{ISSUER}/keys"}
    refuse_unapproved(provider, endpoints_in(said, ISSUER, PUBLIC))
    with pytest.raises((ProviderAway, NotApprovedThere)):
        refuse_unapproved(provider, endpoints_in({**said, "token_endpoint": url}, ISSUER, PUBLIC))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(OAuthCredential(), id="S-4: endpoints at another port-for a person"),
        pytest.param(ClientCredentials(), id="S-4: endpoints at another port-for a client"),
    ],
)
async def test_the_other_place_hears_nothing_until_then(settings: OAuthCredential | ClientCredentials) -> None:
    async with Answering() as server, Answering() as other, loopback_asker() as asker:
        assert urlsplit(server.url).port != urlsplit(other.url).port
        server.at(WELL_KNOWN, metadata(server.url, token_endpoint=f"{other.url}/token"))
        with pytest.raises(NotApproved) as refused:
            await discover(asker, f"{server.url}/mcp", settings)
        assert refused.value.hosts == (other.url,)
        assert other.asked == []


@pytest.mark.parametrize("url", UNFIT)
def test_people_are_sent_to_nothing_but_an_address_of_the_web(url: str) -> None:
    with pytest.raises(CannotSignIn):
        used("authorization_endpoint", url)
    with pytest.raises(CannotSignIn):  # nor where an admin typed it by mistake, past the check at saving
        server_in(metadata(), ISSUER, PUBLIC, {"authorization_endpoint": url})
    with pytest.raises(ProviderAway):
        endpoints_in({**metadata(), "jwks_uri": f"{ISSUER}/k", "authorization_endpoint": url}, ISSUER, PUBLIC)


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param("a?x=$(touch%20x)", id="S-5: $(...)-that is an address"),
        pytest.param("a?x='%22&y=%20%3Cscript%3E", id="S-5: spaces-that are encoded"),
    ],
)
def test_what_is_left_of_an_address_reaches_the_browser_as_it_is_and_with_ours_behind_it(tail: str) -> None:
    server = server_in(metadata(authorization_endpoint=f"{ISSUER}/{tail}"), ISSUER, PUBLIC, {})
    begun = begin(found(server), a_client(), BACK, ("a b", "<x>"), 0.0)
    url = authorize_url(server, begun, {"x y": '"><script>'})
    assert url.startswith(f"{ISSUER}/{tail}&")
    assert not set(url.removeprefix(f"{ISSUER}/{tail}")) & set(" \"'<>`\\$()")


@pytest.mark.parametrize(
    "plain", [pytest.param("http://127.0.0.1:9400", id="S-4: endpoints over http-on this machine")]
)
def test_on_this_machine_a_server_may_be_plain_for_itself_alone(plain: str) -> None:
    mixed: dict[str, Any] = metadata(plain, token_endpoint="http://as.example/token")
    with pytest.raises(CannotSignIn):
        server_in(mixed, plain, LOOPBACK, {})
