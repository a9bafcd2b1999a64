"""Clients that act by themselves (client credentials), and clients that prove themselves with a key of their own."""

from __future__ import annotations

import base64
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from control.changes import oauth_clients
from control.changes.write import changing
from control.oauth.client_authentication import ASSERTION_TYPE
from control.registry.oauth_client import AuthMethod, ClientFields, OAuthClient
from core.identifiers import new_id
from tests.control import seeded
from tests.fixtures_people import ISSUER, NOBODY
from tests.oauth.flow import RESOURCE, Answered, Flow, claims_of

TOKEN_ENDPOINT = f"{ISSUER}/oauth/token"
KEY = ec.generate_private_key(ec.SECP256R1())
JWKS = {"keys": [{**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1"}]}


async def registered(
    flow: Flow, *, auth_method: AuthMethod = "client_secret_post", **fields: Any
) -> tuple[OAuthClient, str]:
    async with changing(flow.pool, NOBODY) as write:
        wanted = ClientFields(name="Nightly", acts="by_itself", auth_method=auth_method, **fields)
        return await oauth_clients.create(write, wanted)


async def asked(flow: Flow, client: OAuthClient, secret: str, **changes: Any) -> Answered:
    fields = {
        "grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret,
        "resource": RESOURCE, **changes,
    }  # fmt: skip
    return await flow.token(**fields)


async def test_a_client_by_itself_gets_a_token_for_one_gateway_and_no_refresh_token(flow: Flow) -> None:
    client, secret = await registered(flow)

    answer = await asked(flow, client, secret)

    assert answer.status == 200
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
    claims = claims_of(answer.json["access_token"])
    assert (claims["sub"], claims["aud"]) == (f"client:{client.id}", RESOURCE)


async def test_all_its_tokens_for_a_gateway_have_one_grant_until_that_is_taken_back(flow: Flow) -> None:
    client, secret = await registered(flow)
    grants = {claims_of((await asked(flow, client, secret)).json["access_token"])["gid"] for _ in range(2)}

    assert len(grants) == 1
    token = (await asked(flow, client, secret)).json["access_token"]
    await flow.send(
        "POST", "/oauth/revoke", data={"token": token, "client_id": client.client_id, "client_secret": secret}
    )
    assert claims_of((await asked(flow, client, secret)).json["access_token"])["gid"] not in grants


@pytest.mark.parametrize("secret", ["archs_wrong", None])
async def test_a_wrong_secret_and_none_are_refused_as_an_unknown_client(flow: Flow, secret: str | None) -> None:
    client, _ = await registered(flow)
    answer = await flow.token(
        grant_type="client_credentials", client_id=client.client_id, client_secret=secret, resource=RESOURCE
    )
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_who_shows_a_wrong_secret_in_a_header_is_told_the_scheme(flow: Flow) -> None:
    answer = await flow.token(grant_type="client_credentials", headers={"Authorization": "Basic YTpi"})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("by", ["header", "assertion"])
async def test_a_name_that_nobody_can_have_is_refused_as_an_unknown_client(flow: Flow, by: str) -> None:
    if by == "header":
        headers = {"Authorization": "Basic " + base64.b64encode(b"a\0b:secret").decode()}
        answer = await flow.token(grant_type="client_credentials", headers=headers)
    else:
        parts = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", b'{"iss": "a\\u0000b"}')]
        answer = await flow.token(
            grant_type="client_credentials",
            client_assertion=".".join([*parts, "c2ln"]),
            client_assertion_type=ASSERTION_TYPE,
        )

    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_a_client_for_people_gets_nothing_by_itself(flow: Flow) -> None:
    client = await flow.register(token_endpoint_auth_method="client_secret_post")  # a method's name
    answer = await flow.token(
        grant_type="client_credentials", client_id=client["client_id"], client_secret=client["client_secret"]
    )
    assert (answer.status, answer.error) == (400, "unauthorized_client")


async def test_a_client_by_itself_signs_nobody_in(flow: Flow) -> None:
    client, _ = await registered(flow)
    page = await flow.browser.get(flow.authorize_path(client.client_id))
    assert (page.status, page.to) == (400, "")


async def test_a_client_of_a_team_is_let_in_where_its_team_is_and_another_is_not(flow: Flow) -> None:
    async with changing(flow.pool, NOBODY) as write:
        team = await seeded.team(write.connection, "Red")
        write.observed()
    await flow.gateway("reds", visibility="teams", teams=(team,))
    ours, secret = await registered(flow, team_id=team)
    other, other_secret = await registered(flow)
    resource = f"{ISSUER}/v1/mcp/reds"

    assert (await asked(flow, ours, secret, resource=resource)).status == 200
    assert (await asked(flow, other, other_secret, resource=resource)).error == "invalid_target"


async def test_a_client_that_names_no_gateway_gets_the_only_one_that_names_it(flow: Flow) -> None:
    client, secret = await registered(flow)
    assert (await asked(flow, client, secret, resource=None)).error == "invalid_target"

    await flow.gateway("own", allowed_clients=(client.client_id,))

    answer = await asked(flow, client, secret, resource=None)
    assert claims_of(answer.json["access_token"])["aud"] == f"{ISSUER}/v1/mcp/own"


async def test_it_cannot_ask_to_go_on_while_it_is_away(flow: Flow) -> None:
    client, secret = await registered(flow)
    assert (await asked(flow, client, secret, scope="mcp offline_access")).error == "invalid_scope"


async def test_a_client_that_was_shut_out_gets_nothing(flow: Flow) -> None:
    client, secret = await registered(flow)
    async with changing(flow.pool, NOBODY) as write:
        await oauth_clients.set_disabled(write, client.id, disabled=True)
    assert (await asked(flow, client, secret)).error == "invalid_client"


async def test_another_secret_takes_the_place_of_the_one_before(flow: Flow) -> None:
    client, secret = await registered(flow)
    async with changing(flow.pool, NOBODY) as write:
        _, renewed = await oauth_clients.renew_secret(write, client.id)

    assert (await asked(flow, client, secret)).error == "invalid_client"
    assert (await asked(flow, client, renewed)).status == 200


def assertion(client_id: str, key: Any = KEY, algorithm: str = "ES256", kid: str | None = "k1", **claims: Any) -> str:
    now = int(time.time())
    said = {
        "iss": client_id, "sub": client_id, "aud": TOKEN_ENDPOINT, "iat": now, "exp": now + 60, "jti": new_id(),
        **claims,
    }  # fmt: skip
    given = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers={"kid": kid} if kid else {})


async def with_assertion(flow: Flow, signed: str, **changes: Any) -> Answered:
    fields = {
        "grant_type": "client_credentials", "client_assertion": signed, "resource": RESOURCE,
        "client_assertion_type": ASSERTION_TYPE, **changes,
    }  # fmt: skip
    return await flow.token(**fields)


@pytest.mark.parametrize("audience", [TOKEN_ENDPOINT, ISSUER])
@pytest.mark.parametrize("kid", ["k1", None])
async def test_a_client_proves_itself_by_a_signed_assertion_and_need_not_name_itself(
    flow: Flow, audience: str, kid: str | None
) -> None:
    client, _ = await registered(flow, auth_method="private_key_jwt", jwks=JWKS)
    assert (await with_assertion(flow, assertion(client.client_id, aud=audience, kid=kid))).status == 200


BAD: dict[str, dict[str, Any]] = {
    "of another client": {"sub": "somebody"},
    "for another server": {"aud": "https://other.example"},
    "too old": {"iat": 1_000_000_000, "exp": 1_000_000_060},
    "good for an hour": {"exp": int(time.time()) + 3_600},
    "without a name of its own": {"jti": None},
    "by another key": {"key": ec.generate_private_key(ec.SECP256R1())},
    "by an unknown key": {"kid": "k2"},
}


@pytest.mark.parametrize("name", BAD)
async def test_an_assertion_that_is_not_good_proves_nothing(flow: Flow, name: str) -> None:
    client, _ = await registered(flow, auth_method="private_key_jwt", jwks=JWKS)
    answer = await with_assertion(flow, assertion(client.client_id, **BAD[name]))
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_an_assertion_is_good_once(flow: Flow) -> None:
    client, _ = await registered(flow, auth_method="private_key_jwt", jwks=JWKS)
    signed = assertion(client.client_id)

    assert (await with_assertion(flow, signed)).status == 200
    assert (await with_assertion(flow, signed)).error == "invalid_client"


async def test_an_algorithm_that_is_not_announced_is_not_taken(flow: Flow) -> None:
    key = rsa.generate_private_key(65_537, 2_048)
    jwks = {"keys": [{**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "k1"}]}
    client, _ = await registered(flow, auth_method="private_key_jwt", jwks=jwks)

    assert (await with_assertion(flow, assertion(client.client_id, key, "RS512"))).error == "invalid_client"
    assert (await with_assertion(flow, assertion(client.client_id, key, "RS256"))).status == 200


async def test_two_proofs_at_once_are_refused(flow: Flow) -> None:
    client, _ = await registered(flow, auth_method="private_key_jwt", jwks=JWKS)
    answer = await with_assertion(flow, assertion(client.client_id), client_secret="s")  # the bad input
    assert answer.error == "invalid_request"
