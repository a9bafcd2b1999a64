"""Secrets of the authorization server are with the client that got them, and nowhere else (row X-1)."""

from __future__ import annotations

import pytest

from tests.fixtures_redis import RedisServer, everything_in
from tests.oauth.asserting import AssertingCorp
from tests.oauth.flow import Flow, claims_of
from tests.plugins.secret_canaries import Canaries, Sinks


async def the_database(flow: Flow) -> str:
    """Every row of every table, as text."""
    tables = await flow.people.rows("select tablename as name from pg_tables where schemaname = 'public'")
    lines = []
    for table in tables:
        found = await flow.people.rows(f'select t::text as line from "{table["name"]}" t')
        lines += [row["line"] for row in found]
    return "\n".join(lines)


@pytest.mark.parametrize("what", [
    pytest.param("refresh token", id="X-1: refresh token"),
    pytest.param("authorization code", id="X-1: authorization code"),
    pytest.param("client secret", id="X-1: client secret"),
])  # fmt: skip
async def test_a_secret_is_in_no_log_no_row_no_key_of_redis_and_no_refusal(
    flow: Flow, canary: Canaries, sinks: Sinks, redis_server: RedisServer, what: str
) -> None:
    client = await flow.register(token_endpoint_auth_method="client_secret_post")  # a method's name
    code = (await flow.authorized(client["client_id"]))["code"]
    tokens = (await flow.redeem(client, code)).json
    secret = {
        "refresh token": tokens["refresh_token"],
        "authorization code": code,
        "client secret": client["client_secret"],
    }[what]
    canary.watch(what, secret)

    refused = [
        await flow.redeem(client, code),
        await flow.redeem(client, code, client_secret=f"{client['client_secret']}x"),
        await flow.refresh(client, tokens["refresh_token"], scope="admin"),
        await flow.refresh({"client_id": "nobody"}, tokens["refresh_token"], client_secret=client["client_secret"]),
        await flow.send("POST", "/oauth/register", json={"client_secret": client["client_secret"]}),
        await flow.send("GET", f"/oauth/token?client_secret={client['client_secret']}&code={code}"),
    ]

    assert all(400 <= answer.status < 500 for answer in refused)
    for number, answer in enumerate(refused):
        sinks.feed(f"refusal {number}", answer.body)
    sinks.feed("the database", await the_database(flow))
    sinks.feed("redis", everything_in(redis_server))
    assert claims_of(tokens["access_token"])["gid"]


@pytest.mark.parametrize("what", [pytest.param("identity assertion", id="X-1: identity assertion")])
async def test_an_identity_assertion_is_in_no_log_no_row_no_key_of_redis_and_no_refusal(
    corp: AssertingCorp, canary: Canaries, sinks: Sinks, redis_server: RedisServer, what: str
) -> None:
    good, bad = corp.assertion(), corp.assertion(client_id="another")
    for number, secret in enumerate((good, bad)):
        canary.watch(f"{what} {number}", secret)
        canary.watch(f"the signature of {what} {number}", secret.rpartition(".")[2])

    answers = [
        await corp.exchange(good),
        await corp.exchange(good),
        await corp.exchange(bad),
        await corp.exchange(f"{bad}x"),
        await corp.exchange(good, client_secret="archs_wrong"),
        await corp.flow.send("GET", f"/oauth/token?assertion={good}"),
    ]

    assert [answer.status for answer in answers][0:3] == [200, 400, 400]
    for number, answer in enumerate(answers[1:]):
        sinks.feed(f"refusal {number}", answer.body)
    sinks.feed("the database", await the_database(corp.flow))
    sinks.feed("redis", everything_in(redis_server))
