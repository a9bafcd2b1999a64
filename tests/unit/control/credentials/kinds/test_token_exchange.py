import pytest

from control.credentials.kinds import token_exchange
from control.registry.broken_rule import BrokenRule
from control.registry.credential import TokenExchange
from control.registry.targets import header

EXCHANGED = TokenExchange("p", audience="crm")


def test_it_fills_the_one_header_and_asks_for_nothing() -> None:
    checked = token_exchange.check(EXCHANGED)
    assert (checked.fills, checked.asks) == ((header("authorization"),), ())
    assert (token_exchange.places(EXCHANGED), token_exchange.cure(EXCHANGED, ())) == ({}, None)


def test_a_request_carries_the_callers_token_and_without_a_caller_nothing() -> None:
    assert token_exchange.headers(EXCHANGED, {"access_token": "abc"}) == [("authorization", "Bearer abc")]
    assert token_exchange.headers(EXCHANGED, {}) == []


def test_what_the_token_is_for_must_be_said_in_one_way() -> None:
    with pytest.raises(BrokenRule, match="audience: is needed, or a resource, or scopes"):
        token_exchange.check(TokenExchange("p"))
    for one in (TokenExchange("p", resource=""), TokenExchange("p", scopes=("api://crm/.default",))):
        assert token_exchange.check(one).credential == one


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (TokenExchange("p", audience="two words"), "audience"),
        (TokenExchange("p", audience="crm", resource="https://crm.test/#a"), "resource"),
        (TokenExchange("p", audience="crm", scopes=("a b",)), r"scopes\[0\]"),
    ],
)
def test_what_no_provider_could_be_sent_is_refused(wrong: TokenExchange, field: str) -> None:
    with pytest.raises(BrokenRule, match=f"credential_placement.{field}"):
        token_exchange.check(wrong)


def test_an_installation_brings_no_secret() -> None:
    assert token_exchange.take(EXCHANGED, None, {"credential": "old"}, "CRM") == {}
    with pytest.raises(BrokenRule, match="is not accepted by CRM"):
        token_exchange.take(EXCHANGED, "s", {}, "CRM")
