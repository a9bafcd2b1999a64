from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from control.identity.unchecked import audience_of, end_of, key_named, unchecked_claims
from core.jwt import TokenRefused
from tests.fakes.issuer import FakeIssuer


def test_a_token_says_what_it_is_to_be_checked_with() -> None:
    issuer = FakeIssuer()
    issuer.issuer = "https://id.example.com"
    token = issuer.token(aud="x")
    assert key_named(token) == "a"
    assert unchecked_claims(token)["aud"] == "x"


@pytest.mark.parametrize(
    ("aud", "one"), [("x", "x"), (["x"], "x"), (["x", "y"], ""), ([], ""), ([["x"]], ""), (None, ""), (7, "")]
)
def test_a_token_is_for_one_audience_or_for_none_that_counts(aud: object, one: str) -> None:
    issuer = FakeIssuer()
    issuer.issuer = "https://id.example.com"
    assert audience_of(issuer.token(aud=aud)) == one


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "e30.e30.e30", "...", "eyJ4.eyJ5.eyJ6"])
def test_what_is_no_token_says_nothing(token: str) -> None:
    with pytest.raises(TokenRefused):
        unchecked_claims(token)


def test_a_head_that_nests_without_end_is_no_token() -> None:
    deep = urlsafe_b64encode(b'{"kid":' + b"[" * 6_000 + b"]" * 6_000 + b"}").decode()
    with pytest.raises(TokenRefused):
        key_named(f"{deep}.e30.e30")


@pytest.mark.parametrize(("exp", "end"), [(2_000, 2_000.0), (0, 0.0), (True, None), ("2000", None), (None, None)])
def test_a_token_ends_when_it_says_so_in_a_number(exp: object, end: float | None) -> None:
    issuer = FakeIssuer()
    issuer.issuer = "https://id.example.com"
    assert end_of(issuer.token(exp=exp)) == end
    assert end_of("no token") is None
