"""What a client says of itself, made into what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from control.oauth.clients.described import described
from control.oauth.errors import OAuthRefused

WEB = "https://client.example/cb"
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = {**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1"}


def said(**changes: Any) -> dict[str, Any]:
    return {"client_name": "Claude", "redirect_uris": [WEB], **changes}


def test_the_usual_is_kept_and_the_unknown_passed_over() -> None:
    client = described(said(software_id="x", contacts=["a@b"], of_tomorrow=1), unnamed="a client")
    assert (client.name, client.redirect_uris, client.auth_method) == ("Claude", (WEB,), "none")
    assert client.refreshes


@pytest.mark.parametrize("name", [None, "", 7, ["Claude"]])
def test_a_client_without_a_name_has_another(name: object) -> None:
    assert described(said(client_name=name), unnamed="a client").name == "a client"


@pytest.mark.parametrize(
    ("grant_types", "refreshes"),
    [(["authorization_code"], False), (["refresh_token", "urn:x"], True), ("authorization_code", True), (None, True)],
)
def test_whether_it_refreshes_follows_from_its_grant_types(grant_types: object, refreshes: bool) -> None:
    assert described(said(grant_types=grant_types), unnamed="").refreshes is refreshes


@pytest.mark.parametrize("redirects", [None, [], WEB, [1], [WEB, 1], ["http://evil.example"], {"0": WEB}])
def test_a_client_without_a_redirect_that_can_be_allowed_is_refused(redirects: object) -> None:
    with pytest.raises(OAuthRefused) as refused:
        described(said(redirect_uris=redirects), unnamed="")
    assert refused.value.code == "invalid_redirect_uri"
    assert "evil" not in refused.value.sentence


def test_keys_of_a_client_that_signs_are_kept_without_what_is_of_no_use() -> None:
    metadata = said(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [{**PUBLIC, "x5t": "a"}]})
    assert described(metadata, unnamed="").jwks == {"keys": [PUBLIC]}
    by_address = said(token_endpoint_auth_method="private_key_jwt", jwks_uri="https://client.example/jwks")
    assert described(by_address, unnamed="").jwks_uri == "https://client.example/jwks"


PRIVATE = {**ECAlgorithm.to_jwk(KEY, as_dict=True), "kid": "k1"}


@pytest.mark.parametrize(
    "changes",
    [{"token_endpoint_auth_method": "tls_client_auth"}, {"token_endpoint_auth_method": ["none"]},
     {"token_endpoint_auth_method": "private_key_jwt"},
     {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [PRIVATE]}},
     {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
     {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": {"a": 1}}},
     {"token_endpoint_auth_method": "private_key_jwt", "jwks": [PUBLIC]},
     {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://client.example/jwks"},
     {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://a/b", "jwks": {"keys": [PUBLIC]}},
     {"jwks": {"keys": [PRIVATE]}}, {"jwks": {"keys": [{"kty": "oct", "k": "s"}]}}],
)  # fmt: skip
def test_a_client_whose_proof_does_not_fit_together_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(OAuthRefused) as refused:
        described(said(**changes), unnamed="")
    assert refused.value.code == "invalid_client_metadata"
