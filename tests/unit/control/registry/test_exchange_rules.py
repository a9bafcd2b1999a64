"""A provider's token exchange that can be saved: at a host that was looked at, as a client that can show itself."""

from __future__ import annotations

from typing import Any

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.exchange_rules import check_exchange, exchange_place
from control.registry.identity_provider import NO_EXCHANGE, Exchange
from core.egress.addresses import AddressPolicy
from tests.fakes.providers import provider_fields

PUBLIC = AddressPolicy()
OWN = Exchange(enabled=True, client_id="exchanger")


def checked(exchange: Exchange, *, has_secret: bool = True, has_own_secret: bool = True, **changes: Any) -> Exchange:
    wanted = provider_fields(exchange=exchange, **changes)
    return check_exchange(wanted, PUBLIC, has_secret=has_secret, has_own_secret=has_own_secret)


def refused(exchange: Exchange, **changes: Any) -> str:
    with pytest.raises(BrokenRule) as broken:
        checked(exchange, **changes)
    return str(broken.value)


def test_a_client_of_its_own_or_the_one_that_people_sign_in_with_exchanges() -> None:
    assert checked(OWN, has_secret=False) == OWN
    assert checked(Exchange(enabled=True), has_own_secret=False) == Exchange(enabled=True)
    assert checked(NO_EXCHANGE, has_own_secret=False, client_id="", sign_in=False) == NO_EXCHANGE


def test_a_client_that_cannot_show_itself_is_refused_with_the_field() -> None:
    assert refused(OWN, has_own_secret=False).startswith("exchange_client_secret: is needed")
    assert refused(Exchange(enabled=True)).startswith("exchange_client_secret: goes with a client of its own")
    none = Exchange(enabled=True)
    assert refused(none, has_own_secret=False, client_id="").startswith("exchange.client_id: is needed")
    assert refused(none, has_own_secret=False, has_secret=False).startswith("client_secret: is needed")


def test_a_public_client_needs_no_secret() -> None:
    public = Exchange(enabled=True, client_id="exchanger", client_authentication="none")
    assert checked(public, has_own_secret=False) == public
    assert checked(Exchange(enabled=True), has_own_secret=False, has_secret=False, client_authentication="none")


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("https://elsewhere.test/token", "is at https://elsewhere.test, which is not the issuer's host"),
        ("http://id.example.com/token", "must begin with https://"),
        ("https://169.254.169.254/token", "token_endpoint"),
        ("javascript:alert(1)", "token_endpoint"),
    ],
)
def test_nothing_is_sent_to_a_host_that_nobody_looked_at(endpoint: str, why: str) -> None:
    said = refused(Exchange(token_endpoint=endpoint))
    assert said.startswith("exchange.token_endpoint: ")
    assert why in said


@pytest.mark.parametrize("endpoint", ["https://id.example.com/exchange", "https://sts.test/exchange"])
def test_an_endpoint_may_be_the_issuers_own_or_at_an_approved_host(endpoint: str) -> None:
    made = checked(Exchange(token_endpoint=endpoint), has_own_secret=False, approved_hosts=("https://sts.test",))
    assert made.token_endpoint == endpoint


@pytest.mark.parametrize("name", ["grant_type", "subject_token", "audience", "scope", "client_secret", "assertion"])
def test_what_archway_fills_is_no_parameter_of_the_admin(name: str) -> None:
    assert f"must not have {name!r}" in refused(Exchange(parameters={name: "x"}), has_own_secret=False)


@pytest.mark.parametrize("parameters", [{"": "x"}, {"a": "b\n"}, {"a": "x" * 600}, {str(n): "x" for n in range(21)}])
def test_parameters_are_short_and_printable(parameters: dict[str, str]) -> None:
    assert refused(Exchange(parameters=parameters), has_own_secret=False).startswith("exchange.parameters: ")


def test_a_secret_is_for_one_issuer_one_endpoint_and_one_client() -> None:
    places = {
        exchange_place(provider_fields(exchange=OWN)),
        exchange_place(provider_fields(exchange=OWN, issuer="https://other.test")),
        exchange_place(provider_fields(exchange=Exchange(client_id="another"))),
        exchange_place(provider_fields(exchange=Exchange(client_id="exchanger", token_endpoint="https://a.test/t"))),
    }
    assert len(places) == 4
    assert exchange_place(provider_fields(exchange=Exchange(client_id="exchanger", sends_scope=False))) in places
