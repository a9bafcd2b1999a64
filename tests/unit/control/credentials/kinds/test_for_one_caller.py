from typing import get_args

import pytest

from control.credentials.kinds import for_one_caller
from control.registry.broken_rule import BrokenRule
from control.registry.credential import ForOneCaller, IdentityAssertion, Passthrough, TokenExchange

EXCHANGED = TokenExchange("p", audience="crm")
ALL = (EXCHANGED, IdentityAssertion("p", "https://as.test", "us"), Passthrough(("crm",)))


def test_there_are_no_others() -> None:
    assert {type(one) for one in ALL} == set(get_args(ForOneCaller))


@pytest.mark.parametrize("credential", ALL)
def test_an_installation_brings_nothing_and_keeps_nothing(credential: ForOneCaller) -> None:
    assert for_one_caller.take(credential, None, {"credential": "old"}, "CRM") == {}
    assert (for_one_caller.places(credential), for_one_caller.cure(credential, ())) == ({}, None)
    with pytest.raises(BrokenRule, match="is not accepted by CRM"):
        for_one_caller.take(credential, "key", {}, "CRM")


def test_a_request_carries_the_callers_token_and_without_a_caller_nothing() -> None:
    assert for_one_caller.headers(EXCHANGED, {"access_token": "abc"}) == [("authorization", "Bearer abc")]
    assert for_one_caller.headers(EXCHANGED, {}) == []
