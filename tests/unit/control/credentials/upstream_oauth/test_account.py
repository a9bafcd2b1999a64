from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from control.credentials.upstream_oauth.account import LONGEST_NAME, AccountName, account_of, id_claims, shown
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.token_answer import Granted
from control.providers.asking import Asker
from control.registry.credential import OAuthCredential
from tests.fakes.answering import Answering, Said
from tests.fakes.registry import an_account
from tests.fakes.upstream_clients import ISSUER, a_server

NOW = 1_000_000.0
SAYS = {"iss": ISSUER, "aud": "archway", "sub": "u1", "exp": NOW + 60}


def id_token(**changes: Any) -> str:
    """As a provider gives it; its signature is nobody's."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, {**SAYS, **changes})]
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"signature"))


async def name_of(
    asker: Asker, token: str = "", server: AuthorizationServer | None = None, **settings: str
) -> AccountName:
    granted = Granted(access_token="at", id_token=token)
    return await account_of(asker, server or a_server(), OAuthCredential(**settings), "archway", granted, NOW)


async def test_the_id_token_says_whose_account_it_is(asker: Asker) -> None:
    both = id_token(email="ann@example.com", preferred_username="ann")
    assert await name_of(asker, both) == AccountName("ann@example.com", "u1")
    assert await name_of(asker, id_token(preferred_username="ann")) == AccountName("ann", "u1")
    assert await name_of(asker, id_token()) == AccountName("u1", "u1")


@pytest.mark.parametrize(
    "changes",
    [{"iss": "https://evil.example"}, {"aud": "other"}, {"aud": ["x"]}, {"azp": "other"}, {"exp": NOW - 3_600},
     {"exp": None}],
)  # fmt: skip
async def test_an_id_token_for_somebody_else_says_nothing(asker: Asker, changes: dict[str, Any]) -> None:
    assert await name_of(asker, id_token(email="ann@example.com", **changes)) == AccountName("", "")


@pytest.mark.parametrize("token", ["", "a.b", "a.!.c", "a.e30.c.d", "a.W10.c", f"a.{'W' * 9_999}.c"])
def test_what_is_no_id_token_says_nothing(token: str) -> None:
    assert id_claims(token, a_server(), "archway", NOW) == {}


def test_an_id_token_that_came_over_no_tls_says_nothing() -> None:
    assert id_claims(id_token(), a_server(), "archway", NOW)["sub"] == "u1"
    assert id_claims(id_token(), a_server(token_endpoint="http://as.example/token"), "archway", NOW) == {}
    assert id_claims(id_token(aud=["archway"]), a_server(token_endpoint="http://127.0.0.1:1/token"), "archway", NOW)


async def test_userinfo_says_what_the_id_token_does_not(server: Answering, asker: Asker) -> None:
    server.at("/me", {"sub": "u1", "email": "ann@example.com"})
    with_userinfo = a_server(userinfo_endpoint=f"{server.url}/me")
    assert await name_of(asker, "", with_userinfo) == AccountName("ann@example.com", "u1")
    assert await name_of(asker, id_token(), with_userinfo) == AccountName("ann@example.com", "u1")
    assert server.asked[0].headers["authorization"] == "Bearer at"


async def test_userinfo_about_another_person_is_not_listened_to(server: Answering, asker: Asker) -> None:
    server.at("/me", {"sub": "u2", "email": "bob@example.com"})
    with_userinfo = a_server(userinfo_endpoint=f"{server.url}/me")
    assert await name_of(asker, id_token(), with_userinfo) == AccountName("u1", "u1")


async def test_the_entry_says_where_a_provider_tells_it_otherwise(server: Answering, asker: Asker) -> None:
    server.at("/user", {"login": "ann", "data": {"id": 7}})
    url = f"{server.url}/user"
    assert await name_of(asker, account_endpoint=url, account_claim="login") == AccountName("ann", "")
    assert await name_of(asker, account_endpoint=url, account_claim="data.id") == AccountName("7", "")
    assert await name_of(asker, account_endpoint=url, account_claim="data") == AccountName("", "")


@pytest.mark.parametrize("said", [Said("", 500), Said("", 401), Said("[]"), Said("<html>")])
async def test_a_provider_that_does_not_tell_keeps_nobody_from_signing_in(
    server: Answering, asker: Asker, said: Said
) -> None:
    server.at("/me", said)
    told = await name_of(asker, "", a_server(userinfo_endpoint=f"{server.url}/me"))
    assert told == AccountName("", "")


@pytest.mark.parametrize(
    ("value", "seen"),
    [("ann\n<b>", "ann\ufffd<b>"), ("\u202eann", "\ufffdann"), ("x" * 9_999, "x" * LONGEST_NAME), (5, "5"),
     (True, ""), (None, ""), (["a"], ""), (" ann ", "ann"), ("Ánn 你", "Ánn 你")],
)  # fmt: skip
def test_a_providers_word_is_one_bounded_line_that_people_can_see(value: object, seen: str) -> None:
    assert shown(value) == seen


def test_another_persons_account_is_told_only_where_it_is_certain() -> None:
    known, named = an_account(subject="u1", account_name="x"), an_account(subject="", account_name="x")
    assert AccountName("x", "u2").is_another(known)
    assert not AccountName("y", "u1").is_another(known)
    assert AccountName("y", "").is_another(known)
    assert AccountName("y", "u1").is_another(named)
    assert not AccountName("x", "u1").is_another(named)
    assert not AccountName("", "u1").is_another(named)
    assert not AccountName("y", "u2").is_another(an_account(subject="", account_name=""))
