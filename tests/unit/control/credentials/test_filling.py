from dataclasses import replace

import pytest

from control.credentials.filling import fill
from control.registry.broken_rule import BrokenRule
from control.registry.fields import Field
from core.egress.addresses import AddressPolicy
from tests.fakes.registry import BEARER, an_entry

POLICY = AddressPolicy()
ENTRY = an_entry("https://a.example/mcp", credential=BEARER, fields=(Field("pin", "secret", "x-pin"),))


def test_secrets_stand_apart_and_are_bound_to_the_origin() -> None:
    filled = fill(ENTRY, {"pin": "1234"}, "k3y", POLICY)
    assert (filled.secret, filled.secret_names) == ({"pin": "1234", "credential": "k3y"}, ("credential", "pin"))
    assert filled.origin == "https://a.example"
    assert "1234" not in repr(filled)
    assert "k3y" not in repr(filled)


def test_what_was_given_earlier_stands_until_it_is_replaced() -> None:
    kept = {"pin": "1234", "credential": "k3y"}
    assert fill(ENTRY, {}, None, POLICY, kept).secret == kept
    assert fill(ENTRY, {"pin": "5678"}, None, POLICY, kept).secret == {"pin": "5678", "credential": "k3y"}
    assert fill(ENTRY, {}, "n3w", POLICY, kept).secret == {"pin": "1234", "credential": "n3w"}


def test_a_secret_that_the_entry_no_longer_asks_for_is_dropped() -> None:
    assert fill(replace(ENTRY, fields=()), {}, None, POLICY, {"pin": "1234", "credential": "k"}).secret == {
        "credential": "k"
    }


def test_null_takes_an_answer_away() -> None:
    with pytest.raises(BrokenRule, match=r"values\.pin: is needed"):
        fill(ENTRY, {"pin": None}, None, POLICY, {"pin": "1234", "credential": "k3y"})


def test_a_credential_is_asked_for_and_taken_only_where_the_entry_has_one() -> None:
    with pytest.raises(BrokenRule, match="credential: is needed"):
        fill(ENTRY, {"pin": "1234"}, None, POLICY)
    with pytest.raises(BrokenRule, match="credential: is not accepted"):
        fill(an_entry(), {}, "k3y", POLICY)
