from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from core.jwt import LONGEST, VerifiedClaims
from core.key_sets import PublicKey
from proxy.verified_token import Claimed, Verified, look, the_audience
from tests.fakes.issuers import FakeIssuer

KEY = PublicKey("OKP", kid="k", crv="Ed25519", x="x")
ISSUER = FakeIssuer("https://idp.example")


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(header: Any = None, payload: Any = None, signature: str = "c2ln") -> str:
    header = {"alg": "ES256", "kid": "k"} if header is None else header
    return f"{part(header)}.{part({'iss': 'i', 'aud': 'a'} if payload is None else payload)}.{signature}"


def test_a_look_tells_what_to_find_the_keys_by() -> None:
    kid = ISSUER.rotate()
    assert look(ISSUER.token(aud="x")) == Claimed(ISSUER.name, "x", kid, "ES256")
    assert look(token({"alg": "RS256"})) == Claimed("i", "a", "", "RS256")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "eyJ.e30.c2ln",
        token() + ".x",
        token(signature=""),
        token([]),
        token({"alg": 5}),
        token({"alg": "ES256", "kid": 7}),
        token({"alg": "ES256", "kid": "k" * 257}),
        token(payload={"aud": "a"}),
        token(payload={"iss": ""}),
        token(payload={"iss": ["i"]}),
        token(payload={"iss": "i" * 513}),
        token(payload=b"\xff"),
        token(payload=b"[" * 5000),
        token(payload={"iss": "i", "x": "y" * LONGEST}),
    ],
)
def test_what_is_no_signed_token_is_not_looked_at_further(text: str) -> None:
    assert look(text) is None


@pytest.mark.parametrize(
    ("named", "audience"),
    [("a", "a"), (["a"], "a"), (["a", "b"], ""), ([], ""), (None, ""), ([["a"]], ""), ({"a": 1}, ""), (5, "")],
)
def test_a_token_is_for_one_audience_or_for_none(named: object, audience: str) -> None:
    assert the_audience(named) == audience


@pytest.mark.parametrize(
    ("scope", "may_call"),
    [("mcp", True), ("openid mcp", True), ("mcpx", False), ("", False), (None, False), (7, False)],
)
def test_an_access_token_of_ours_must_allow_calls_and_a_providers_need_not(scope: Any, may_call: bool) -> None:
    claims = VerifiedClaims(
        {"iss": "i", "sub": "s", "aud": "a", "exp": 5} | ({} if scope is None else {"scope": scope})
    )
    assert Verified(claims, KEY, "oauth").may_call is may_call
    assert Verified(claims, KEY, "jwt").may_call
