from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.registration import (
    client_document,
    document_client,
    how_to_register,
    own_client,
    register,
)
from control.credentials.upstream_oauth.unfit import AskTheAdmin
from control.providers.asking import Asker, ProviderAway
from control.registry.credential import OAuthCredential
from tests.fakes.answering import Answering, Asked, Said, text
from tests.fakes.upstream_clients import BACK, OURS, a_server

TAKES = a_server(takes_documents=True, registration_endpoint="https://as.example/register")
AUTO = OAuthCredential()


def at(server: Answering, **changes: Any) -> AuthorizationServer:
    return a_server(registration_endpoint=f"{server.url}/register", **changes)


async def refused(server: Answering, asker: Asker, answer: Any, status: int = 201) -> str:
    """Why the client of this answer is not used, in the sentence for an admin."""
    server.at("/register", answer, status)
    with pytest.raises(AskTheAdmin) as refusal:
        await register(asker, at(server), OURS)
    assert BACK in str(refusal.value)
    return str(refusal.value)


def test_a_client_of_ones_own_goes_first_then_a_document_then_registration() -> None:
    assert how_to_register(TAKES, OAuthCredential(client_id="x", issuer="https://as.example"), OURS) == "own"
    assert how_to_register(TAKES, AUTO, OURS) == "document"
    assert how_to_register(TAKES, AUTO, replace(OURS, document_url="")) == "dynamic"
    assert how_to_register(a_server(registration_endpoint="https://as.example/r"), AUTO, OURS) == "dynamic"
    assert how_to_register(TAKES, OAuthCredential(registration="dynamic"), OURS) == "dynamic"


@pytest.mark.parametrize(
    ("server", "registration"),
    [(a_server(), "auto"), (a_server(), "dynamic"), (a_server(takes_documents=True), "dynamic"),
     (a_server(registration_endpoint="https://as.example/r"), "document"), (TAKES, "own")],
)  # fmt: skip
def test_where_none_goes_an_admin_is_asked_and_told_the_callback_url(
    server: AuthorizationServer, registration: Any
) -> None:
    with pytest.raises(AskTheAdmin, match=BACK):
        how_to_register(server, OAuthCredential(registration=registration), OURS)


def test_a_document_is_used_only_where_its_client_can_prove_itself() -> None:
    only_secrets = a_server(takes_documents=True, authentication_methods=("client_secret_basic",))
    with pytest.raises(AskTheAdmin):
        how_to_register(only_secrets, AUTO, OURS)
    public = a_server(takes_documents=True, authentication_methods=("private_key_jwt", "none"))
    assert how_to_register(public, AUTO, OURS) == "document"


def test_the_client_of_our_document_is_the_documents_address() -> None:
    client = document_client(TAKES, OURS)
    assert (client.client_id, client.authentication, client.how) == (OURS.document_url, "none", "document")


def test_the_document_says_what_mcp_wants_of_a_web_client() -> None:
    document = client_document(OURS)
    assert document == {
        "client_id": OURS.document_url, "client_name": "Archway", "redirect_uris": [BACK],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "application_type": "web", "token_endpoint_auth_method": "none",
    }  # fmt: skip
    at_home = client_document(replace(OURS, home="https://tools.example"))
    assert at_home == {**document, "client_uri": "https://tools.example"}


@pytest.mark.parametrize(
    ("listed", "secret", "method"),
    [
        ((), "s", "client_secret_basic"),
        (("client_secret_post",), "s", "client_secret_post"),
        (("client_secret_post", "client_secret_basic"), "s", "client_secret_post"),
        (("private_key_jwt", "client_secret_basic", "client_secret_post"), "s", "client_secret_basic"),
        ((), "", "none"),
    ],
)
def test_a_client_of_ones_own_proves_itself_as_the_server_lists(
    listed: tuple[str, ...], secret: str, method: str
) -> None:
    client = own_client(a_server(authentication_methods=listed), OAuthCredential(client_id="x"), secret)
    assert (client.client_id, client.client_secret, client.authentication) == ("x", secret, method)


def test_the_entrys_word_on_that_wins() -> None:
    settings = OAuthCredential(client_id="x", client_authentication="client_secret_post")
    assert own_client(a_server(), settings, "s").authentication == "client_secret_post"


async def test_archway_registers_itself(server: Answering, asker: Asker) -> None:
    given = {"client_id": "c", "client_secret": "s", "client_secret_expires_at": 99, "redirect_uris": [BACK]}
    server.at("/register", given, 201)
    client = await register(asker, at(server), OURS, ("a", "b"))
    assert (client.client_id, client.client_secret, client.how) == ("c", "s", "dynamic")
    assert (client.authentication, client.secret_expires_at) == ("client_secret_basic", 99)
    assert client.issuer == "https://as.example"
    assert server.asked[0].json == {
        "client_name": "Archway", "redirect_uris": [BACK], "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "application_type": "web", "token_endpoint_auth_method": "client_secret_basic",
        "scope": "a b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("listed", "asked"),
    [((), "client_secret_basic"), (("none", "client_secret_post"), "client_secret_post"), (("none",), "none"),
     (("none", "client_secret_post", "client_secret_basic"), "client_secret_post")],
)  # fmt: skip
async def test_a_secret_is_asked_for_where_there_can_be_one_as_the_server_lists_it_first(
    server: Answering, asker: Asker, listed: tuple[str, ...], asked: str
) -> None:
    server.at("/register", {"client_id": "c", "client_secret": "s"}, 200)
    client = await register(asker, at(server, authentication_methods=listed), OURS)
    assert server.asked[0].json["token_endpoint_auth_method"] == asked
    # A secret that came without a word of how: as it was asked for, or as the server lists.
    assert client.authentication == ("client_secret_basic" if asked == "none" else asked)


async def test_what_the_server_made_of_it_counts(server: Answering, asker: Asker) -> None:
    for given, method in (
        ({"client_id": "c", "client_secret": "s", "token_endpoint_auth_method": "client_secret_post"},
         "client_secret_post"),
        ({"client_id": "c", "token_endpoint_auth_method": "none"}, "none"),
        ({"client_id": "c", "client_secret": None, "token_endpoint_auth_method": "", "redirect_uris": None}, "none"),
    ):  # fmt: skip
        server.at("/register", given, 201)
        assert (await register(asker, at(server), OURS)).authentication == method


async def test_a_client_that_cannot_be_used_is_not_kept(server: Answering, asker: Asker) -> None:
    assert "client_id" in await refused(server, asker, {"client_secret": "s"})
    assert "client_id" in await refused(server, asker, {"client_id": "c", "client_secret": 5})
    assert "client_id" in await refused(server, asker, {"client_id": "c\n"})
    basic = {"client_id": "c", "token_endpoint_auth_method": "client_secret_basic"}
    assert "without the secret" in await refused(server, asker, basic)
    odd = {"client_id": "c", "token_endpoint_auth_method": "tls_client_auth"}
    assert "prove itself" in await refused(server, asker, odd)
    signed = {"client_id": "c", "token_endpoint_auth_method": "private_key_jwt"}
    assert "prove itself" in await refused(server, asker, signed)
    moved = {"client_id": "c", "redirect_uris": ["https://evil.example"]}
    assert "callback" in await refused(server, asker, moved)


async def test_a_server_that_refuses_says_why_in_its_word_alone(server: Answering, asker: Asker) -> None:
    told = {"error": "invalid_client_metadata", "error_description": "<b>no"}
    sentence = await refused(server, asker, told, 400)
    assert "(400 invalid_client_metadata)" in sentence
    assert "<b>" not in sentence
    assert "(404)" in await refused(server, asker, text("nothing here", 404))


async def test_a_server_that_knows_not_all_scopes_is_asked_again_without_them(
    server: Answering, asker: Asker
) -> None:
    def answer(asked: Asked) -> Said:
        return (
            Said('{"error": "invalid_client_metadata"}', 400) if "scope" in asked.json else Said('{"client_id": "c"}')
        )

    server.at("/register", answer)
    assert (await register(asker, at(server), OURS, scopes=("a",))).client_id == "c"
    assert len(server.asked) == 2


async def test_a_server_that_takes_nothing_that_we_can_do_is_not_asked(server: Answering, asker: Asker) -> None:
    odd = at(server, authentication_methods=("tls_client_auth", "private_key_jwt"))
    with pytest.raises(AskTheAdmin):
        await register(asker, odd, OURS)
    assert server.asked == []


@pytest.mark.parametrize("said", [Said("", 503), Said("", 429), text("<html>", 200), Said("", 302)])
async def test_a_server_that_is_away_is_asked_again_later(server: Answering, asker: Asker, said: Said) -> None:
    server.at("/register", said)
    with pytest.raises(ProviderAway):
        await register(asker, at(server), OURS)
