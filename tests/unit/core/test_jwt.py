"""Signed tokens: what we sign is read again, and nothing else is (rows A-2, A-3, A-6, A-7)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from core.jwt import (
    AccessToken,
    AccessTokenSigner,
    BareKey,
    TokenRefused,
    VerifiedClaims,
    access_token_of,
    named_issuer,
    signed_by,
    verify,
)
from core.keys import new_key, parse_key_ring

NOW = 1_800_000_000
ISSUER, RESOURCE = "https://tools.example.com", "https://tools.example.com/v1/mcp/work"
RING = parse_key_ring("ARCHWAY_SIGNING_KEY", new_key())
SIGNER = AccessTokenSigner(RING, ISSUER)
RSA = rsa.generate_private_key(65_537, 2_048)
EC = ec.generate_private_key(ec.SECP256R1())
OWN = Ed25519PrivateKey.from_private_bytes(RING.current.derive("access tokens"))


@dataclass(frozen=True)
class Provider:
    """An identity provider's keys: one of each kind."""

    issuer: str = "https://id.example.com"
    kind: str = "provider"
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    by_kid: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            "rsa": RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True),
            "ec": ECAlgorithm.to_jwk(EC.public_key(), as_dict=True),
        }
    )

    def key_for(self, kid: str, _algorithm: str) -> BareKey | None:
        return BareKey(self.by_kid[kid]) if kid in self.by_kid else None


PROVIDER = Provider()


def a_token(**changes: Any) -> AccessToken:
    usual: dict[str, Any] = {
        "id": "j-1", "subject": "user:u-1", "audience": RESOURCE, "client_id": "c-1", "grant_id": "g-1",
        "scope": "mcp", "issued_at": NOW, "expires": NOW + 600,
    }  # fmt: skip
    return AccessToken(**{**usual, **changes})


def claims(**changes: Any) -> dict[str, Any]:
    usual = {
        "iss": ISSUER, "sub": "user:u-1", "aud": RESOURCE, "client_id": "c-1", "gid": "g-1", "scope": "mcp",
        "jti": "j-1", "iat": NOW, "exp": NOW + 600, **changes,
    }  # fmt: skip
    return {name: value for name, value in usual.items() if value is not None}


def own(said: Mapping[str, Any] | None = None, **header: Any) -> str:
    """A token that our own key signed, whatever it says."""
    headers = {"typ": "at+jwt", "kid": SIGNER.public_keys[0]["kid"], **header}
    return jwt.encode(dict(said or claims()), OWN, algorithm="EdDSA", headers=headers)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def refusal(token: str, audience: str = RESOURCE, now: float = NOW) -> str:
    with pytest.raises(TokenRefused) as refused:
        verify(token, SIGNER, audience, now)
    assert "eyJ" not in str(refused.value)
    return refused.value.why


def test_what_is_signed_is_read_again() -> None:
    token = SIGNER.sign(a_token())

    assert named_issuer(token) == ISSUER
    assert access_token_of(verify(token, SIGNER, RESOURCE, NOW)) == a_token()
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"


def test_a_token_that_is_bound_to_a_key_says_so() -> None:
    bound = a_token(confirmation={"jkt": "thumbprint"})
    assert access_token_of(verify(SIGNER.sign(bound), SIGNER, RESOURCE, NOW)) == bound


def test_the_previous_key_checks_what_it_signed_and_signs_nothing() -> None:
    before, current = new_key(), new_key()
    old = AccessTokenSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", before), ISSUER)
    both = AccessTokenSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", f"{current},{before}"), ISSUER)

    assert verify(old.sign(a_token()), both, RESOURCE, NOW)
    assert [key["kid"] for key in both.public_keys][1] == old.public_keys[0]["kid"]
    assert jwt.get_unverified_header(both.sign(a_token()))["kid"] == both.public_keys[0]["kid"]


def test_a_provider_may_sign_with_each_of_its_keys_and_name_a_list_of_one_audience() -> None:
    said = claims(iss=PROVIDER.issuer, aud=[RESOURCE])
    for key, algorithm, kid in ((RSA, "RS256", "rsa"), (EC, "ES256", "ec")):
        token = jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid})
        assert verify(token, PROVIDER, RESOURCE, NOW)["sub"] == "user:u-1"


def _jwe() -> str:
    return ".".join([part({"alg": "dir", "enc": "A256GCM"}), "", "aaaa", "aaaa", "aaaa"])


PUBLIC = SIGNER.public_keys[0]
KID = {"typ": "at+jwt", "kid": PUBLIC["kid"]}
PEM = OWN.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
FORGED = {
    "none": (f"{part({**KID, 'alg': 'none'})}.{part(claims())}.", "form"),
    "nOnE": (f"{part({**KID, 'alg': 'nOnE'})}.{part(claims())}.AAAA", "algorithm"),
    "HS256 with the public key": (jwt.encode(claims(), PEM, algorithm="HS256", headers=KID), "algorithm"),
    "ES for EdDSA": (jwt.encode(claims(), EC, algorithm="ES256", headers=KID), "algorithm"),
    "RS for EdDSA": (jwt.encode(claims(), RSA, algorithm="RS256", headers=KID), "algorithm"),
    "crit": (own(crit=["exp"], exp=1), "form"),
    "b64": (f"{part({**KID, 'alg': 'EdDSA', 'b64': True})}.{part(claims())}.AAAA", "form"),
    "kid as a path": (own(kid="../../keys/own"), "unknown_key"),
    "kid as SQL": (own(kid="' or 1=1 --"), "unknown_key"),
    "kid of 1 MiB": (own(kid="k" * (1 << 20)), "form"),
    "kid as a number": (f"{part({**KID, 'kid': 1, 'alg': 'EdDSA'})}.{part(claims())}.AAAA", "form"),
    "JWE": (_jwe(), "form"),
    "nested": (f"{part({**KID, 'alg': 'EdDSA', 'cty': 'JWT'})}.{part(SIGNER.sign(a_token()))}.AAAA", "signature"),
    "5 segments": (f"{own()}.a.b", "form"),
    "no kid": (f"{part({'typ': 'at+jwt', 'alg': 'EdDSA'})}.{part(claims())}.AAAA", "unknown_key"),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A-2: {name}") for name in FORGED])
def test_a_token_in_a_form_that_we_do_not_make_is_refused(name: str) -> None:
    token, why = FORGED[name]
    assert refusal(token) == why


STRANGER = Ed25519PrivateKey.generate()


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A-2: {name}") for name in ("jku", "x5u", "jwk")])
def test_a_token_does_not_bring_the_key_that_it_is_checked_with(name: str) -> None:
    brought = {"jku": "https://evil.example/jwks", "x5u": "https://evil.example/x5u", "jwk": {"kty": "OKP"}}[name]
    token = jwt.encode(claims(), STRANGER, algorithm="EdDSA", headers={**KID, name: brought})
    assert refusal(token) == "signature"


TIMES = {
    "no exp": (claims(exp=None), "claims"),
    "exp in 10 years": (claims(exp=NOW + 315_360_000), "claims"),
    "future iat": (claims(iat=NOW + 120, exp=NOW + 600), "early"),
    "future nbf": (claims(nbf=NOW + 120), "early"),
    "float exp": (claims(exp=NOW + 600.5), "claims"),
    "huge exp": (claims(exp=10**30), "claims"),
    "expired": (claims(iat=NOW - 700, exp=NOW - 60), "expired"),
    "exp before iat": (claims(iat=NOW + 30, exp=NOW + 10), "claims"),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A-3: {name}") for name in TIMES])
def test_a_token_is_good_for_a_time_that_makes_sense(name: str) -> None:
    said, why = TIMES[name]
    assert refusal(own(said)) == why


def test_clocks_may_differ_by_a_minute() -> None:
    assert verify(own(claims(iat=NOW + 59)), SIGNER, RESOURCE, NOW)
    assert verify(own(claims(iat=NOW - 600, exp=NOW - 59)), SIGNER, RESOURCE, NOW)


AUDIENCES = {
    "another gateway": "https://tools.example.com/v1/mcp/sales",
    "the control API": "https://tools.example.com/api/v1",
    "parent path": "https://tools.example.com/v1/mcp",
    "trailing slash": f"{RESOURCE}/",
    "upper-case host": RESOURCE.replace("tools", "TOOLS"),
    "list of audiences": [RESOURCE, "https://other.example"],
    "no audience": None,
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A-6: {name}") for name in AUDIENCES])
def test_a_token_for_anything_else_than_exactly_this_is_refused(name: str) -> None:
    assert refusal(own(claims(aud=AUDIENCES[name]))) == "audience"


def test_a_list_is_no_audience_of_a_token_of_ours_and_of_others_only_with_one_member() -> None:
    assert refusal(own(claims(aud=[RESOURCE]))) == "audience"
    said = claims(iss=PROVIDER.issuer, aud=[RESOURCE, "account"])
    token = jwt.encode(said, RSA, algorithm="RS256", headers={"kid": "rsa"})
    with pytest.raises(TokenRefused) as refused:
        verify(token, PROVIDER, RESOURCE, NOW)
    assert refused.value.why == "audience"


@pytest.mark.parametrize("typ", [pytest.param("JWT", id="A-6: ID token"), None, "oauth-id-jag+jwt", 7])
def test_another_type_of_token_is_no_access_token(typ: object) -> None:
    header = {"alg": "EdDSA", "kid": PUBLIC["kid"], "typ": typ}
    assert refusal(f"{part(header)}.{part(claims())}.AAAA") == "type"


@pytest.mark.parametrize("typ", ["AT+JWT", "application/at+jwt"])
def test_the_type_is_read_as_a_media_type(typ: str) -> None:
    assert verify(own(typ=typ), SIGNER, RESOURCE, NOW)


def test_a_provider_may_leave_the_type_out_but_not_name_another_kind_of_token() -> None:
    said = claims(iss=PROVIDER.issuer)
    plain = jwt.encode(said, RSA, algorithm="RS256", headers={"kid": "rsa", "typ": None})
    logout = jwt.encode(said, RSA, algorithm="RS256", headers={"kid": "rsa", "typ": "logout+jwt"})
    assert verify(plain, PROVIDER, RESOURCE, NOW)
    with pytest.raises(TokenRefused):
        verify(logout, PROVIDER, RESOURCE, NOW)


FOREIGN = AccessTokenSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()), ISSUER)
ELSEWHERE = {
    "another issuer, our key": (own(claims(iss="https://other.example.com")), "issuer"),
    "our issuer, another key": (FOREIGN.sign(a_token()), "unknown_key"),
    "another deployment's token": (
        AccessTokenSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()), "https://other.example.com").sign(
            a_token()
        ),
        "unknown_key",
    ),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"A-7: {name}") for name in ELSEWHERE])
def test_a_token_of_another_deployment_is_refused(name: str) -> None:
    token, why = ELSEWHERE[name]
    assert refusal(token) == why


def test_a_changed_token_is_refused() -> None:
    head, _, signature = own().split(".")
    assert refusal(f"{head}.{part(claims(sub='user:u-2'))}.{signature}") == "signature"


@pytest.mark.parametrize("text", ["", "a.b.c", "a.b", "e30.e30.", "e30.e30.AA", "W10.e30.AA", "a" * 20_000, "é.é.é"])
def test_what_is_no_token_is_refused_and_raises_nothing_else(text: str) -> None:
    assert refusal(text) in {"form", "type"}
    with pytest.raises(TokenRefused):
        named_issuer(f"{text}x")


@pytest.mark.parametrize("subject", [None, "", 7, "u" * 256, "u\0"])
def test_a_token_says_whose_it_is(subject: object) -> None:
    assert refusal(own(claims(sub=subject))) == "claims"


@pytest.mark.parametrize("missing", ["jti", "client_id", "gid", "scope"])
def test_a_token_of_ours_says_all_that_ours_say(missing: str) -> None:
    said = verify(own(claims(**{missing: None})), SIGNER, RESOURCE, NOW)
    with pytest.raises(TokenRefused):
        access_token_of(said)


def test_for_whichever_gateway_a_token_is_read_where_nobody_is_let_in_by_it() -> None:
    token = SIGNER.sign(a_token(audience="https://tools.example.com/v1/mcp/sales"))
    assert signed_by(SIGNER, token, NOW).grant_id == "g-1"
    with pytest.raises(TokenRefused):
        signed_by(FOREIGN, token, NOW)


def test_an_access_token_that_says_nothing_of_a_key_is_bound_to_none() -> None:
    assert access_token_of(VerifiedClaims(claims())).confirmation == {}


@pytest.mark.parametrize("second", [pytest.param(1, id="F-10: a leap second")])
def test_a_second_that_one_clock_has_twice_and_another_not_refuses_nobody(second: int) -> None:
    for changes in ({"iat": NOW + second, "nbf": NOW + second}, {"iat": NOW - 600, "exp": NOW - second}):
        assert verify(own(claims(**changes)), SIGNER, RESOURCE, NOW)
