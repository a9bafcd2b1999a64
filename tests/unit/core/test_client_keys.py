from __future__ import annotations

import base64
import json
from hashlib import sha256

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from core.client_keys import ASSERTION_S, ClientKey, KeyRefused
from tests.fakes.issuer import rsa_key

NOW = 1_000_000.0
KEYS = {
    "RS256": rsa_key("client", 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": Ed25519PrivateKey.generate(),
}
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey | dsa.DSAPrivateKey


def pem(key: Private, encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


@pytest.mark.parametrize("algorithm", list(KEYS))
def test_a_key_that_somebody_brings_signs_what_its_public_half_checks(algorithm: str) -> None:
    key = ClientKey.from_pem(pem(KEYS[algorithm]))
    signed = key.assertion("client", "https://as.example", "once", NOW)
    head = jwt.get_unverified_header(signed)
    assert head == {"alg": algorithm, "typ": "JWT"}  # no name of the key: its server's name for it is not known
    claims = jwt.decode(
        signed, jwt.PyJWK(key.jwk), audience="https://as.example", options={"verify_exp": False, "verify_iat": False}
    )
    assert claims == {
        "iss": "client", "sub": "client", "aud": "https://as.example", "jti": "once", "iat": NOW,
        "exp": NOW + ASSERTION_S,
    }  # fmt: skip


def test_a_key_is_named_by_its_thumbprint_and_publishes_nothing_private() -> None:
    key = ClientKey(KEYS["ES256"])
    members = json.dumps({name: key.jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    assert key.kid == base64.urlsafe_b64encode(sha256(members.encode()).digest()).rstrip(b"=").decode()
    for one in (key, *(ClientKey.from_pem(pem(other)) for other in KEYS.values())):
        assert not set(one.jwk) & {"d", "p", "q", "dp", "dq", "qi", "k"}


def test_it_signs_as_the_server_wants_where_it_can() -> None:
    rsa_client = ClientKey.from_pem(pem(KEYS["RS256"]))
    assert rsa_client.algorithm_for(()) == "RS256"
    assert rsa_client.algorithm_for(("ES256", "PS256")) == "PS256"
    with pytest.raises(KeyRefused, match="ES256"):
        rsa_client.algorithm_for(("ES256",))
    assert jwt.get_unverified_header(rsa_client.assertion("c", "a", "j", NOW, ("PS256",)))["alg"] == "PS256"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (pem(KEYS["ES256"], BestAvailableEncryption(b"pw")), "encrypted"),
        (pem(rsa_key("small", 1024)), "1024 bits"),
        (pem(ec.generate_private_key(ec.SECP256K1())), "curve"),
        (pem(dsa.generate_private_key(1024)), "kind"),
        ("s3cret", "PEM"),
        ("", "PEM"),
        ("x" * 20_000, "longer"),
    ],
    ids=["encrypted", "weak", "odd curve", "odd kind", "no PEM", "nothing", "long"],
)
def test_a_key_that_nothing_is_signed_with_is_refused_without_repeating_it(text: str, why: str) -> None:
    with pytest.raises(KeyRefused, match=why) as refused:
        ClientKey.from_pem(text)
    assert "s3cret" not in str(refused.value)


def test_a_key_is_never_shown() -> None:
    key = ClientKey(KEYS["ES256"])
    assert repr(key) == f"ClientKey({key.kid})"
