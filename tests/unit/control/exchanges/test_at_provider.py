"""What a provider is asked, by its settings; and as which client."""

from __future__ import annotations

from typing import Any

from control.exchanges.at_provider import BEARER, EXCHANGE, ID_JAG, exchange_client, exchange_form
from control.exchanges.subject import Subject
from control.registry.credential import IdentityAssertion, TokenExchange
from control.registry.exchange_rules import exchange_place
from control.registry.identity_provider import Exchange
from control.registry.row_seals import RowSeals
from core.keys import new_key, parse_key_ring
from tests.fakes.providers import a_provider

SEALS = RowSeals(parse_key_ring("S", new_key()))
SUBJECT = Subject("access_token", "s1")
CRM = TokenExchange("p1", audience="crm", scopes=("read", "write"))
TYPE = "urn:ietf:params:oauth:token-type:"


def form(
    credential: TokenExchange | IdentityAssertion = CRM, subject: Subject = SUBJECT, **how: Any
) -> dict[str, str]:
    return exchange_form(a_provider(exchange=Exchange(**how)), credential, "", subject)


def test_a_token_is_exchanged_as_rfc_8693_has_it() -> None:
    assert form() == {
        "grant_type": EXCHANGE, "subject_token": "s1", "subject_token_type": f"{TYPE}access_token",
        "requested_token_type": f"{TYPE}access_token", "audience": "crm", "resource": "", "scope": "read write",
    }  # fmt: skip
    assert form(subject=Subject("id_token", "s2"))["subject_token_type"] == f"{TYPE}id_token"


def test_an_assertion_is_asked_for_the_servers_own_authorization_server() -> None:
    asked = form(IdentityAssertion("p1", "https://as.test", "us", scopes=("read",)))
    assert (asked["requested_token_type"], asked["audience"], asked["scope"]) == (ID_JAG, "https://as.test", "read")


def test_a_provider_that_refuses_scopes_is_sent_none() -> None:
    assert form(sends_scope=False)["scope"] == ""


def test_on_behalf_of_is_asked_as_entra_wants_it() -> None:
    asked = form(TokenExchange("p1", scopes=("api://crm/.default",)), style="on_behalf_of")
    assert asked == {
        "grant_type": BEARER, "assertion": "s1", "requested_token_use": "on_behalf_of", "audience": "",
        "resource": "", "scope": "api://crm/.default",
    }  # fmt: skip


def test_more_parameters_are_sent_and_none_replaces_ours() -> None:
    asked = form(parameters={"connection": "corp", "subject_token": "another"})
    assert (asked["connection"], asked["subject_token"]) == ("corp", "s1")


def test_a_client_of_its_own_exchanges_with_its_own_secret() -> None:
    exchange = Exchange(client_id="exchanger", client_authentication="client_secret_post")
    bare = a_provider(exchange=exchange)
    sealed = SEALS.exchange_client_secret("p1", exchange_place(bare), "its own")
    place = exchange_client(a_provider(exchange=exchange, exchange_client_secret=sealed), SEALS, "https://id/t")
    assert (place.endpoint, place.client.client_id, place.client.client_secret, place.client.authentication) == (
        "https://id/t", "exchanger", "its own", "client_secret_post",
    )  # fmt: skip


def test_without_one_the_client_that_people_sign_in_with_exchanges() -> None:
    client = exchange_client(a_provider(client_secret=SEALS.client_secret("p1", "s")), SEALS, "https://id/t").client
    assert (client.client_id, client.client_secret, client.authentication) == ("archway", "s", "client_secret_basic")
