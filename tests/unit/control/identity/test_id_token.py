from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest

from control.identity.id_token import checked_id_token, same_person
from control.identity.token_endpoint import ProviderTokens
from core.jwt import TokenRefused
from core.key_sets import FORMAT, KeySet, PublicKey
from tests.fakes.issuer import FakeIssuer, rsa_jwk

CLIENT = "archway"
AT_HASH = urlsafe_b64encode(sha256(b"at").digest()[:16]).rstrip(b"=").decode()


def key_set(issuer: FakeIssuer) -> KeySet:
    members = {name: value for name, value in rsa_jwk("a").items() if name in {"kty", "kid", "n", "e"}}
    now = time.time()
    return KeySet(FORMAT, issuer.issuer, "provider", [PublicKey(**members)], ["RS256"], 1, now, now + 100)


def checked(expected: str | None = "n", **claims: Any) -> Any:
    issuer = FakeIssuer()
    issuer.issuer = "https://id.example.com"
    token = issuer.token(**{"aud": CLIENT, "nonce": "n", **claims}, header={"typ": "JWT"})
    return checked_id_token(ProviderTokens("at", token), key_set(issuer), CLIENT, time.time(), nonce=expected)


def test_the_claims_of_an_id_token_for_this_sign_in_come_out() -> None:
    assert checked(azp=CLIENT, at_hash=AT_HASH)["sub"] == "ann"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"nonce": 5},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"azp": "another-client"},
        {"at_hash": "x"},
        {"at_hash": 5},
        {"exp": 1},
        {"iss": "https://evil.test"},
    ],
    ids=[
        "another nonce", "no nonce", "a number", "another client", "two clients", "asked for by another",
        "another access token", "a hash that is none", "ended", "another issuer",
    ],
)  # fmt: skip
def test_any_other_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        checked(**claims)


def test_a_refreshed_one_needs_no_nonce() -> None:
    assert checked(None, nonce=None)["sub"] == "ann"


def test_claims_are_about_the_person_whom_they_name() -> None:
    assert same_person({"sub": "ann"}, "ann")
    assert not same_person({"sub": "bob"}, "ann")
    assert not same_person({}, "ann")
