"""The address that a person is sent back to: the client's own, with what it is told."""

from __future__ import annotations

import pytest

from control.oauth.authorize.sent_back import with_code, with_refusal
from control.oauth.errors import OAuthRefused

ISSUER = "https://tools.example.com"
TOLD = "code=c-1&state=a+b%26c&iss=https%3A%2F%2Ftools.example.com"


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        ("https://client.example/cb", f"https://client.example/cb?{TOLD}"),
        ("https://client.example/cb?tenant=a", f"https://client.example/cb?tenant=a&{TOLD}"),
        ("cursor://cb", f"cursor://cb?{TOLD}"),
        ("http://localhost:5/", f"http://localhost:5/?{TOLD}"),
    ],
)
def test_the_redirect_stays_as_it_was_and_what_is_told_comes_behind(redirect: str, location: str) -> None:
    answer = with_code(redirect, "a b&c", ISSUER, "c-1")
    assert (answer.status, answer.headers["Location"]) == (302, location)


def test_a_refusal_is_told_in_the_protocols_word_and_without_a_state_that_was_not_given() -> None:
    answer = with_refusal("https://client.example/cb", "", ISSUER, OAuthRefused("access_denied", "No."), status=303)
    assert answer.status == 303
    assert answer.headers["Location"] == (
        "https://client.example/cb?error=access_denied&error_description=No.&iss=https%3A%2F%2Ftools.example.com"
    )
