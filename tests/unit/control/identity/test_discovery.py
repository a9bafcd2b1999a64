from __future__ import annotations

from typing import Any

import pytest

from control.identity.discovery import NotApproved, endpoints_in, refuse_unapproved
from control.providers.asking import ProviderAway
from core.egress.addresses import AddressPolicy, parse_networks
from tests.fakes.providers import ISSUER, a_provider

PUBLIC = AddressPolicy()
FOUND = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "userinfo_endpoint": f"{ISSUER}/me",
}
GOOGLE = a_provider(issuer="https://accounts.google.com")
OF_GOOGLE = {
    "issuer": "https://accounts.google.com",
    "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
    "token_endpoint": "https://oauth2.googleapis.com/token",
    "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
}


def test_the_endpoints_of_an_issuer_are_read() -> None:
    endpoints = endpoints_in(FOUND, ISSUER, PUBLIC)
    assert endpoints.token_endpoint == f"{ISSUER}/token"
    assert not endpoints.names_issuer


def test_a_provider_that_says_who_answers_is_held_to_it() -> None:
    found = {**FOUND, "authorization_response_iss_parameter_supported": True}
    assert endpoints_in(found, ISSUER, PUBLIC).names_issuer


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"{ISSUER}/"},
        {"issuer": "https://other.example.com"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": ["https://x.test"]},
        {"token_endpoint": "http://id.example.com/token"},
        {"jwks_uri": "http://127.0.0.1/keys"},
        {"jwks_uri": "https://127.0.0.1/keys"},
        {"jwks_uri": "https://169.254.169.254/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": f"{ISSUER}/a b"},
        {"userinfo_endpoint": "https://user:password@id.example.com/me"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
    ids=[
        "an issuer with a slash", "another issuer", "no issuer", "no token endpoint", "a list", "plain http",
        "plain http on loopback", "a private address", "a metadata address", "a script", "a file",
        "a space", "a password", "no S256",
    ],
)  # fmt: skip
def test_metadata_that_must_not_be_used_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderAway):
        endpoints_in({**FOUND, **changes}, ISSUER, PUBLIC)


OF_GITHUB = {
    "issuer": "https://token.actions.githubusercontent.com",
    "jwks_uri": "https://token.actions.githubusercontent.com/.well-known/jwks",
    "subject_types_supported": ["public", "pairwise"],
    "response_types_supported": ["id_token"],
    "id_token_signing_alg_values_supported": ["RS256"],
    "scopes_supported": ["openid"],
}


def test_a_provider_of_jobs_need_not_have_where_people_sign_in() -> None:
    endpoints = endpoints_in(OF_GITHUB, OF_GITHUB["issuer"], PUBLIC, signs_in=False)
    assert (endpoints.authorization_endpoint, endpoints.token_endpoint) == ("", "")
    assert endpoints.jwks_uri == OF_GITHUB["jwks_uri"]
    with pytest.raises(ProviderAway):
        endpoints_in(OF_GITHUB, OF_GITHUB["issuer"], PUBLIC)


def test_on_this_machine_alone_a_provider_may_be_plain() -> None:
    issuer = "http://127.0.0.1:9400"
    found = {name: url.replace(ISSUER, issuer) for name, url in FOUND.items()}
    loopback = AddressPolicy(parse_networks("127.0.0.0/8"))
    assert endpoints_in(found, issuer, loopback).jwks_uri == f"{issuer}/keys"
    with pytest.raises(ProviderAway):
        endpoints_in({**found, "token_endpoint": "http://id.example.com/token"}, issuer, loopback)


def test_hosts_that_are_foreign_to_the_issuer_are_used_once_they_are_approved() -> None:
    endpoints = endpoints_in(OF_GOOGLE, GOOGLE.issuer, PUBLIC)
    with pytest.raises(NotApproved) as refused:
        refuse_unapproved(GOOGLE, endpoints)
    assert refused.value.hosts == ("https://oauth2.googleapis.com", "https://www.googleapis.com")
    refuse_unapproved(a_provider(issuer=GOOGLE.issuer, approved_hosts=refused.value.hosts), endpoints)


@pytest.mark.parametrize("host", ["https://oauth2.googleapis.com:8443", "https://googleapis.com"])
def test_what_was_approved_is_that_very_origin(host: str) -> None:
    approved = a_provider(issuer=GOOGLE.issuer, approved_hosts=("https://oauth2.googleapis.com",))
    found = {**OF_GOOGLE, "jwks_uri": f"{host}/keys"}
    with pytest.raises(NotApproved):
        refuse_unapproved(approved, endpoints_in(found, GOOGLE.issuer, PUBLIC))
