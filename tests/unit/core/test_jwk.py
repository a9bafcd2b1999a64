"""Public keys that others publish: which of them we check signatures with (row A-4)."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from core.jwk import MOST_KEYS, KeyUnfit, ed25519_jwk, loaded, usable_keys

ALGORITHMS = ("RS256", "ES256", "EdDSA")


def rsa_jwk(bits: int = 2_048, **members: Any) -> dict[str, Any]:
    key = rsa.generate_private_key(65_537, bits).public_key()
    return {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": "r", **members}


def ec_jwk(curve: ec.EllipticCurve | None = None, **members: Any) -> dict[str, Any]:
    key = ec.generate_private_key(curve or ec.SECP256R1()).public_key()
    return {**ECAlgorithm.to_jwk(key, as_dict=True), "kid": "e", **members}


GOOD = ec_jwk(kid="good", use="sig", x5t="of no use", alg="ES256")


def test_good_keys_are_kept_with_their_public_members_alone() -> None:
    found = usable_keys([GOOD, rsa_jwk()], ALGORITHMS)

    assert [key["kid"] for key in found.keys] == ["good", "r"]
    assert set(found.keys[0]) == {"kty", "kid", "alg", "crv", "x", "y"}
    assert found.skipped == ()


BAD: dict[str, Any] = {
    "RSA of 1024 bits": rsa_jwk(1_024),
    "use enc": ec_jwk(use="enc"),
    "wrong kty": {**rsa_jwk(), "kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB"},
    "private key": {
        **OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True), "kid": "p",
    },
    "shared key": {"kty": "oct", "k": "AAAA", "kid": "s"},
    "duplicate kid": ec_jwk(kid="good"),
    "not on its curve": {**ec_jwk(), "y": base64.urlsafe_b64encode(b"\1" * 32).decode().rstrip("=")},
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A-4: {name}") for name in BAD])
def test_a_key_that_is_not_fit_is_left_out_and_the_others_stay(name: str) -> None:
    found = usable_keys([GOOD, BAD[name]], ALGORITHMS)

    assert [key["kid"] for key in found.keys] == ["good"]
    (sentence,) = found.skipped
    assert sentence.startswith("key 2 ")


@pytest.mark.parametrize(
    "jwk",
    [None, "key", {}, {"kty": "RSA"}, ec_jwk(kid=7), ec_jwk(kid="k" * 257), ec_jwk(alg="ES384"),
     ec_jwk(alg=["ES256"]), ec_jwk(ec.SECP384R1()), ec_jwk(key_ops=["sign"]), ec_jwk(key_ops="verify"),
     {**rsa_jwk(), "n": "!!"}, {**rsa_jwk(), "e": 3}, {**rsa_jwk(), "e": "AQ\0AB"}, ec_jwk(kid="a\0b")],
)  # fmt: skip
def test_other_keys_that_are_not_fit_are_left_out_too(jwk: Any) -> None:
    assert usable_keys([jwk], ALGORITHMS).keys == ()


def test_a_set_without_end_is_read_to_an_end() -> None:
    found = usable_keys([{}] * (MOST_KEYS + 50), ALGORITHMS)
    assert len(found.skipped) == MOST_KEYS + 1


def test_our_own_key_is_named_by_its_thumbprint() -> None:
    key = ed25519_jwk(Ed25519PrivateKey.generate().public_key())
    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{key["x"]}"}}'.encode()  # RFC 7638 section 3
    assert key["kid"] == base64.urlsafe_b64encode(sha256(members).digest()).decode().rstrip("=")
    assert usable_keys([key], ALGORITHMS).keys


@pytest.mark.parametrize("algorithm", ["ES384", "RS256", "HS256", "none"])
def test_a_key_serves_no_algorithm_of_another_kind(algorithm: str) -> None:
    with pytest.raises(KeyUnfit):
        loaded(ec_jwk(), algorithm)
