from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from control.credentials.upstream_oauth.authorize import begin
from control.credentials.upstream_oauth.client import TokenPlace, place_at
from control.credentials.upstream_oauth.token_request import (
    ASSERTION_TYPE,
    Away,
    Granted,
    Refused,
    client_credentials,
    redeem,
    refresh,
)
from control.providers.asking import Asker
from core.client_keys import ClientKey
from tests.fakes.answering import Answering
from tests.fakes.upstream_clients import BACK, SERVER_URL, a_client, a_server, found

NOW = 1_000_000.0
KEY = ClientKey(ec.generate_private_key(ec.SECP256R1()))


def at(server: Answering, key: ClientKey | None = None, **client: Any) -> TokenPlace:
    server.at("/token", {"access_token": "at", "token_type": "bearer"})
    return place_at(a_server(token_endpoint=f"{server.url}/token"), a_client(**client), key)


async def test_a_code_is_redeemed_with_its_proof_and_for_its_resource(server: Answering, asker: Asker) -> None:
    place = at(server)
    begun = begin(found(a_server(token_endpoint=place.endpoint)), place.client, BACK, ("a",), NOW)
    assert isinstance(await redeem(asker, place, begun, "c", NOW), Granted)
    (asked,) = server.asked
    assert asked.form == {
        "grant_type": "authorization_code", "code": "c", "redirect_uri": BACK, "code_verifier": begun.verifier,
        "resource": SERVER_URL, "client_id": "archway",
    }  # fmt: skip
    assert asked.headers["accept"] == "application/json"


async def test_a_code_goes_nowhere_but_where_its_sign_in_began(server: Answering, asker: Asker) -> None:
    place = at(server)
    begun = begin(found(a_server(token_endpoint=place.endpoint)), place.client, BACK, ("a",), NOW)
    for other in (
        msgspec.structs.replace(begun, token_endpoint="https://evil.example/token"),
        msgspec.structs.replace(begun, issuer="https://evil.example"),
    ):
        with pytest.raises(ValueError, match="where its sign-in began"):
            await redeem(asker, place, other, "c", NOW)
    assert server.asked == []


async def test_tokens_are_renewed_for_the_same_resource(server: Answering, asker: Asker) -> None:
    await refresh(asker, at(server), "rt", SERVER_URL, NOW)
    assert server.asked[0].form == {
        "grant_type": "refresh_token", "refresh_token": "rt", "resource": SERVER_URL, "client_id": "archway",
    }  # fmt: skip


async def test_a_client_gets_a_token_for_itself_and_sends_no_empty_field(server: Answering, asker: Asker) -> None:
    place = at(server, client_secret="s", authentication="client_secret_post")
    await client_credentials(asker, place, "", ("a", "b"), NOW)
    assert server.asked[0].form == {
        "grant_type": "client_credentials", "scope": "a b", "client_id": "archway", "client_secret": "s",
    }  # fmt: skip


async def test_a_secret_in_the_header_has_each_part_encoded_and_stands_nowhere_else(
    server: Answering, asker: Asker
) -> None:
    place = at(server, client_id="a:b", client_secret="s %+", authentication="client_secret_basic")
    await refresh(asker, place, "rt", "", NOW)
    (asked,) = server.asked
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"a%3Ab:s%20%25%2B"
    assert set(asked.form) == {"grant_type", "refresh_token", "client_id"}


async def test_a_client_with_a_key_signs_for_the_issuer_anew_each_time(server: Answering, asker: Asker) -> None:
    place = at(server, KEY, authentication="private_key_jwt")
    for _ in range(2):
        await client_credentials(asker, place, "", (), NOW)
    forms = [one.form for one in server.asked]
    assert forms[0]["client_assertion_type"] == ASSERTION_TYPE
    claims = [
        jwt.decode(one["client_assertion"], jwt.PyJWK(KEY.jwk), audience="https://as.example",
                   options={"verify_exp": False, "verify_iat": False})
        for one in forms
    ]  # fmt: skip
    assert claims[0]["iss"] == claims[0]["sub"] == "archway"
    assert claims[0]["jti"] != claims[1]["jti"]


async def test_a_key_that_cannot_sign_as_the_server_wants_is_said_and_nothing_is_sent(
    server: Answering, asker: Asker
) -> None:
    place = at(server, KEY, authentication="private_key_jwt")
    for unable in (replace(place, algorithms=("RS256",)), replace(place, key=None)):
        outcome = await client_credentials(asker, unable, "", (), NOW)
        assert isinstance(outcome, Refused)
        assert outcome.error == "client_key"
    assert server.asked == []


async def test_nobody_there_is_an_outcome_and_signs_nobody_out(asker: Asker) -> None:
    place = place_at(a_server(token_endpoint="http://127.0.0.1:1/token"), a_client())
    assert isinstance(await refresh(asker, place, "rt", "", NOW), Away)


async def test_a_refusal_is_an_outcome(server: Answering, asker: Asker) -> None:
    place = at(server)
    server.at("/token", {"error": "invalid_grant"}, 400)
    outcome = await refresh(asker, place, "rt", "", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.is_invalid_grant
