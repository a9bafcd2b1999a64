"""What a provider is asked, by its settings; and as which client."""

from __future__ import annotations

from typing import Any

import pytest

from control.credentials.upstream_oauth.token_answer import Away
from control.exchanges.at_provider import EXCHANGE, ID_JAG, JWT_BEARER, exchange_form, place_at_provider
from control.exchanges.subject import Subject
from control.identity.discovery import NotApproved
from control.providers.asking import ProviderAway
from control.registry.credential import IdentityAssertion, TokenExchange
from control.registry.exchange_rules import exchange_place
from control.registry.identity_provider import Endpoints, Exchange, IdentityProvider
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
        "grant_type": JWT_BEARER, "assertion": "s1", "requested_token_use": "on_behalf_of", "audience": "",
        "resource": "", "scope": "api://crm/.default",
    }  # fmt: skip


def test_more_parameters_are_sent_and_none_replaces_ours() -> None:
    asked = form(parameters={"connection": "corp", "subject_token": "another"})
    assert (asked["connection"], asked["subject_token"]) == ("corp", "s1")


class Known:
    """What is known of the provider's endpoints, or why nothing is."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault

    async def endpoints(self, _provider: IdentityProvider) -> Endpoints:
        if self.fault is not None:
            raise self.fault
        return Endpoints("https://id.example.com/a", "https://id.example.com/t", "https://id.example.com/k")


async def place(provider: IdentityProvider, fault: Exception | None = None) -> Any:
    known: Any = Known(fault)
    return await place_at_provider(provider, SEALS, known)


async def test_a_client_of_its_own_exchanges_with_its_own_secret() -> None:
    exchange = Exchange(client_id="exchanger", client_authentication="client_secret_post")
    sealed = SEALS.exchange_client_secret("p1", exchange_place(a_provider(exchange=exchange)), "its own")
    found = await place(a_provider(exchange=exchange, exchange_client_secret=sealed))
    assert (found.endpoint, found.client.client_id, found.client.client_secret, found.client.authentication) == (
        "https://id.example.com/t", "exchanger", "its own", "client_secret_post",
    )  # fmt: skip


async def test_without_one_the_client_that_people_sign_in_with_exchanges() -> None:
    client = (await place(a_provider(client_secret=SEALS.client_secret("p1", "s")))).client
    assert (client.client_id, client.client_secret, client.authentication) == ("archway", "s", "client_secret_basic")


async def test_a_typed_endpoint_is_asked_and_no_metadata() -> None:
    typed = a_provider(exchange=Exchange(token_endpoint="https://id.example.com/x"), client_secret=None)
    assert (await place(typed, ProviderAway("it is away"))).endpoint == "https://id.example.com/x"


@pytest.mark.parametrize(
    ("provider", "fault", "said"),
    [
        (a_provider(client_secret=None), ProviderAway("it is away", 7.0), Away(why="it is away", retry_after=7.0)),
        (a_provider(client_secret=None), NotApproved(("https://b.test",)), "`approved_hosts`"),
        (a_provider(client_secret=b"x"), None, "cannot be read any more; give it again"),
    ],
    ids=["away", "at a host that nobody approved", "a secret of another key"],
)
async def test_why_it_is_not_asked_is_said(provider: IdentityProvider, fault: Exception | None, said: Any) -> None:
    found = await place(provider, fault)
    assert found == said or said in found.sentence
