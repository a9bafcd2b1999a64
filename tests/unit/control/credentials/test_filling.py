from dataclasses import replace

import pytest

from control.credentials.filling import Kept, fill, kept_of
from control.registry.broken_rule import BrokenRule
from control.registry.credential import StaticCredential
from control.registry.fields import Field
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from core.egress.addresses import AddressPolicy
from core.keys import new_key, parse_key_ring
from tests.fakes.registry import BEARER, an_entry, an_installation

POLICY = AddressPolicy()
ENTRY = an_entry("https://a.example/mcp", credential=BEARER, fields=(Field("pin", "secret", "x-pin"),))


def test_secrets_stand_apart_and_are_bound_to_the_url() -> None:
    filled = fill(ENTRY, {"pin": "1234"}, "k3y", POLICY)
    assert (filled.secret, filled.secret_names) == ({"pin": "1234", "credential": "k3y"}, ("credential", "pin"))
    assert filled.url == "https://a.example/mcp"
    assert filled.places == {"credential": "authorization: Bearer", "pin": "x-pin"}
    assert "1234" not in repr(filled)
    assert "k3y" not in repr(filled)


def test_what_was_given_earlier_stands_until_it_is_replaced() -> None:
    kept = Kept({"pin": "1234", "credential": "k3y"})
    assert fill(ENTRY, {}, None, POLICY, kept).secret == kept.secrets
    assert fill(ENTRY, {"pin": "5678"}, None, POLICY, kept).secret == {"pin": "5678", "credential": "k3y"}
    assert fill(ENTRY, {}, "n3w", POLICY, kept).secret == {"pin": "1234", "credential": "n3w"}


def test_a_secret_that_the_entry_no_longer_asks_for_is_dropped() -> None:
    kept = Kept({"pin": "1234", "credential": "k"})
    assert fill(replace(ENTRY, fields=()), {}, None, POLICY, kept).secret == {"credential": "k"}


def test_null_takes_an_answer_away() -> None:
    with pytest.raises(BrokenRule, match=r"values\.pin: is needed"):
        fill(ENTRY, {"pin": None}, None, POLICY, Kept({"pin": "1234", "credential": "k3y"}))


def test_a_credential_is_asked_for_and_taken_only_where_the_entry_has_one() -> None:
    with pytest.raises(BrokenRule, match="credential: is needed"):
        fill(ENTRY, {"pin": "1234"}, None, POLICY)
    with pytest.raises(BrokenRule, match="credential: is not accepted"):
        fill(an_entry(), {}, "k3y", POLICY)


SEALS = RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key()))
IN_A_REGION = an_entry("https://{region}.a.example/mcp", credential=BEARER, fields=(Field("region", "string"),))


def filled_before(**changes: object) -> Installation:
    """An installation of ENTRY, with all its secrets."""
    usual = {
        "secret_values": SEALS.secret_values("i1", {"pin": "1234", "credential": "k3y"}),
        "secret_names": ("credential", "pin"),
        "bound_url": "https://a.example/mcp",
        "bound_places": {"credential": "authorization: Bearer", "pin": "x-pin"},
    }
    return an_installation(**{**usual, **changes})


def test_secrets_are_kept_where_they_go_where_they_went() -> None:
    assert kept_of(ENTRY, filled_before(), SEALS, {}, POLICY) == Kept({"pin": "1234", "credential": "k3y"})


@pytest.mark.parametrize("url", ["https://b.example/mcp", "https://a.example/other"])
def test_no_secret_is_kept_for_another_address(url: str) -> None:
    kept = kept_of(replace(ENTRY, reached=an_entry(url).reached), filled_before(), SEALS, {}, POLICY)
    assert kept.secrets == {}


def test_a_secret_whose_header_changed_is_not_kept_and_the_person_hears_why() -> None:
    entry = replace(ENTRY, credential=StaticCredential("header", "x-key"))
    kept = kept_of(entry, filled_before(), SEALS, {}, POLICY)
    assert kept.secrets == {"pin": "1234"}
    with pytest.raises(BrokenRule) as refused:
        fill(entry, {}, None, POLICY, kept)
    assert str(refused.value) == (
        "credential: is needed again: this installation has secrets that were given to be sent in another way "
        "(credential: 'authorization: Bearer', now 'x-key')"
    )
    assert "k3y" not in repr(kept)


def test_an_answer_that_leads_elsewhere_takes_no_secret_along() -> None:
    there = filled_before(bound_url="https://eu.a.example/mcp", plain_values={"region": "eu"})
    assert "credential" in kept_of(IN_A_REGION, there, SEALS, {"region": "eu"}, POLICY).secrets
    kept = kept_of(IN_A_REGION, there, SEALS, {"region": "us"}, POLICY)
    assert kept.secrets == {"pin": "1234"}  # for which the entry has no place any more
    with pytest.raises(BrokenRule, match=r"credential: is needed again: .* another address of this server"):
        fill(IN_A_REGION, {"region": "us"}, None, POLICY, kept)
    assert fill(IN_A_REGION, {"region": "us"}, "n3w", POLICY, kept).url == "https://us.a.example/mcp"


def test_a_wrong_value_is_not_told_as_one_that_is_missing() -> None:
    kept = Kept({}, "has secrets that were given to be sent in another way", ("credential", "pin"))
    with pytest.raises(BrokenRule, match="begins with 'Bearer '"):
        fill(ENTRY, {"pin": "1234"}, "Bearer k3y", POLICY, kept)


def test_secrets_of_a_key_that_is_gone_are_all_asked_for() -> None:
    others = RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key()))
    assert kept_of(ENTRY, filled_before(), others, {}, POLICY) == Kept()
