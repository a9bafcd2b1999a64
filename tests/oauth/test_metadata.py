"""What the authorization server says of itself: all that clients look for, wherever they look."""

from __future__ import annotations

import time
from dataclasses import replace

import aiohttp
import pytest

from control.http.listener import listen
from control.oauth.metadata import document, paths
from control.public.app import build_app
from control.public.deps import PublicDeps
from control.public_listener import PARTS
from core.caller_statements import StatementSigner
from core.jwt import verify
from core.keys import new_key, parse_key_ring
from tests.fixtures_people import ISSUER
from tests.oauth.flow import RESOURCE, Flow


@pytest.mark.parametrize("path", ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"])
async def test_both_well_known_documents_say_the_same(flow: Flow, path: str) -> None:
    answer = await flow.send("GET", path)

    assert answer.status == 200
    assert answer.json == document(ISSUER)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_what_clients_look_for_is_there() -> None:
    told = document("https://tools.example.com")

    # claude.ai, Codex and opencode use their own document only where both are there (clients.md)
    assert told["client_id_metadata_document_supported"] is True
    assert "none" in told["token_endpoint_auth_methods_supported"]
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["issuer"] == "https://tools.example.com"  # no slash: clients compare to the letter
    assert told["scopes_supported"] == ["mcp", "offline_access"]
    usual = ["authorization_code", "refresh_token", "client_credentials"]
    assert told["grant_types_supported"] == [*usual, "urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert told["authorization_grant_profiles_supported"] == ["urn:ietf:params:oauth:grant-profile:id-jag"]
    for name in ("authorization", "token", "registration", "revocation"):
        assert told[f"{name}_endpoint"].startswith("https://tools.example.com/oauth/")


def test_an_issuer_with_a_path_is_found_behind_and_before_it() -> None:
    assert paths("https://example.com/archway") == [
        "/.well-known/oauth-authorization-server/archway",
        "/.well-known/openid-configuration/archway",
        "/archway/.well-known/openid-configuration",
    ]


async def test_every_endpoint_of_the_metadata_is_there_and_so_are_the_names_that_old_clients_use(flow: Flow) -> None:
    told = document("")
    for path in (told["authorization_endpoint"], "/authorize"):
        assert (await flow.browser.get(path)).status == 400
    for path in (
        told["token_endpoint"],
        "/token",
        told["registration_endpoint"],
        "/register",
        told["revocation_endpoint"],
    ):
        assert (await flow.send("POST", path)).status == 400


async def test_our_keys_are_published_and_check_our_tokens(flow: Flow, public_deps: PublicDeps) -> None:
    keys = (await flow.send("GET", "/oauth/jwks")).json["keys"]

    assert keys == [{**key, "use": "sig"} for key in public_deps.access_tokens.public_keys]
    assert all("d" not in key for key in keys)
    tokens = await flow.signed_in(await flow.register())
    assert verify(tokens["access_token"], public_deps.access_tokens, RESOURCE, time.time())["aud"] == RESOURCE


async def test_the_keys_of_statements_are_published_apart_from_those_of_access_tokens(
    public_deps: PublicDeps,
) -> None:
    statements = StatementSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()), ISSUER)
    deps = replace(public_deps, statement_keys=statements.public_keys)
    runner, port = await listen(build_app(deps, PARTS), "127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        found = {}
        for path in ("/oauth/jwks", "/oauth/statement-jwks"):
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                found[path] = {key["kid"] for key in (await answer.json(content_type=None))["keys"]}
    assert found["/oauth/statement-jwks"] == {key["kid"] for key in statements.public_keys}
    assert found["/oauth/jwks"].isdisjoint(found["/oauth/statement-jwks"])
    await runner.cleanup()


async def test_an_issuer_with_a_path_of_its_own_is_served_there(public_deps: PublicDeps) -> None:
    deps = replace(public_deps, issuer_url=f"{ISSUER}/door")
    runner, port = await listen(build_app(deps, PARTS), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{port}/.well-known/oauth-authorization-server/door"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert (await answer.json())["issuer"] == f"{ISSUER}/door"
    await runner.cleanup()
