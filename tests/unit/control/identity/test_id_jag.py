"""What an identity assertion may say, claim by claim."""

from __future__ import annotations

from typing import Any

import pytest

from control.identity.id_jag import LONGEST_LIFE_S, LONGEST_NAME, NARROWING, AssertionRefused, assertion_of
from core.jwt import VerifiedClaims

CLAIMS: dict[str, Any] = {
    "iss": "https://id.test", "sub": "ann", "aud": "https://archway.test", "client_id": "agent", "jti": "j-1",
    "iat": 1_000, "exp": 1_000 + LONGEST_LIFE_S,
}  # fmt: skip


def claims(**changes: Any) -> VerifiedClaims:
    """The usual claims with these changes; None takes one away. What `core.jwt` checks is taken as checked."""
    return VerifiedClaims({name: value for name, value in {**CLAIMS, **changes}.items() if value is not None})


def test_an_assertion_says_what_it_is_for_and_by_which_name_it_counts_once() -> None:
    said = assertion_of(claims(resource="https://r.test/a", scope="mcp  other", aud_sub="u1"), "agent")
    assert (said.name, said.issuer, said.expires) == ("j-1", "https://id.test", 1_300)
    assert (said.resource, said.scopes, said.account) == ("https://r.test/a", frozenset({"mcp", "other"}), "u1")


def test_what_an_assertion_does_not_say_is_left_to_us() -> None:
    said = assertion_of(claims(), "agent")
    assert (said.resource, said.scopes, said.account) == ("", None, "")
    assert assertion_of(claims(scope=""), "agent").scopes == frozenset(), (
        "this one says that nothing may be asked for"
    )


@pytest.mark.parametrize("resource", ["https://r.test/a", ["https://r.test/a"]])
def test_one_resource_is_named_as_text_or_as_a_list_of_one(resource: Any) -> None:
    assert assertion_of(claims(resource=resource), "agent").resource == "https://r.test/a"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_000 + LONGEST_LIFE_S + 1},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "j" * (LONGEST_NAME + 1)},
        {"client_id": None},
        {"client_id": "another"},
        {"client_id": ["agent"]},
        {"resource": ["https://r.test/a", "https://r.test/b"]},
        {"resource": []},
        {"resource": 5},
        {"resource": [5]},
        {"scope": ["mcp"]},
        {"aud_sub": 5},
        *({name: "anything"} for name in NARROWING),
    ],
    ids=str,
)
def test_an_assertion_that_is_not_as_the_profile_says_is_refused_with_what_helps(changes: dict[str, Any]) -> None:
    with pytest.raises(AssertionRefused) as refused:
        assertion_of(claims(**changes), "agent")
    assert refused.value.reason.endswith(".")
    assert refused.value.cure.startswith("Have the ")


def test_an_assertion_is_in_no_repr() -> None:
    assert "ann" not in repr(assertion_of(claims(), "agent"))
