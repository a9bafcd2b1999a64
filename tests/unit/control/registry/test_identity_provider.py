from __future__ import annotations

from control.registry.identity_provider import Endpoints, Exchange, endpoints_told, origin_of, told_of_provider
from tests.fakes.providers import ISSUER, a_provider

ENDPOINTS = Endpoints(f"{ISSUER}/a", "https://tokens.example.com/t", f"{ISSUER}:8443/k")


def test_endpoints_at_other_origins_than_the_issuers_are_foreign() -> None:
    provider = a_provider(approved_hosts=("https://tokens.example.com",))
    assert provider.foreign_hosts(ENDPOINTS) == (f"{ISSUER}:8443", "https://tokens.example.com")
    assert provider.unapproved_hosts(ENDPOINTS) == (f"{ISSUER}:8443",)


def test_people_are_told_that_there_is_a_secret_and_never_which() -> None:
    told = told_of_provider(a_provider(client_secret=b"sealed"))
    assert told["has_client_secret"] is True
    assert "client_secret" not in told
    assert told_of_provider(a_provider(client_secret=None))["has_client_secret"] is False


def test_endpoints_are_told_by_their_names() -> None:
    assert endpoints_told(None) == {}
    assert set(endpoints_told(ENDPOINTS)) == {"authorization_endpoint", "token_endpoint", "jwks_uri"}


def test_an_origin_has_its_port() -> None:
    assert origin_of("https://A.test:8443/x?y") == "https://a.test:8443"


def test_tokens_are_exchanged_only_while_the_provider_and_its_exchange_are_on() -> None:
    on, off = Exchange(enabled=True), Exchange()
    states = [(True, on), (True, off), (False, on)]
    found = [a_provider(enabled=enabled, exchange=exchange).exchanges_tokens for enabled, exchange in states]
    assert found == [True, False, False]
