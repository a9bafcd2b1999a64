"""Bad inputs of the token endpoint (rows O-2, O-3, O-4, O-9, O-14), and what is said of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from control.changes import oauth_grants
from control.changes.oauth_grants import NewGrant
from control.changes.write import changing
from control.oauth import limits
from core.tokens import digest
from tests.fixtures_people import ISSUER, NOBODY
from tests.oauth.flow import CHALLENGE, REDIRECT, RESOURCE, VERIFIER, Answered, Flow, claims_of

VERIFIERS = {
    "verifier missing": (None, "invalid_request"),
    "verifier wrong": ("b" * 43, "invalid_grant"),
    "verifier too short": ("a" * 42, "invalid_grant"),
    "verifier too long": ("a" * 129, "invalid_grant"),
    "verifier out of its characters": ("a" * 42 + "+", "invalid_grant"),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-2: {name}") for name in VERIFIERS])
async def test_a_code_is_not_redeemed_without_its_verifier(flow: Flow, name: str) -> None:
    verifier, error = VERIFIERS[name]
    client = await flow.register()
    code = (await flow.authorized(client["client_id"]))["code"]

    answer = await flow.redeem(client, code, code_verifier=verifier)

    assert (answer.status, answer.error) == (400, error)
    assert (await flow.redeem(client, code)).status == 200  # a wrong guess does not use it up


@pytest.mark.parametrize("challenge", [pytest.param(None, id="O-2: verifier without challenge")])
async def test_no_code_is_given_without_a_challenge_that_a_verifier_could_come_to_later(
    flow: Flow, challenge: str | None
) -> None:
    client = await flow.register()
    page = await flow.browser.get(flow.authorize_path(client["client_id"], code_challenge=challenge))

    assert "code=" not in page.to
    assert await flow.people.rows("select digest from oauth_codes") == []
    assert (await flow.redeem(client, "archc_made-up", code_verifier=VERIFIER)).error == "invalid_grant"


@pytest.mark.parametrize("who", [
    pytest.param("same", id="O-3: same client"),
    pytest.param("other", id="O-3: other client"),
    pytest.param("same", id="O-3: after use"),
])  # fmt: skip
async def test_a_code_that_comes_twice_ends_what_the_first_got(flow: Flow, who: str) -> None:
    client, other = await flow.register(), await flow.register(client_name="Other")
    code = (await flow.authorized(client["client_id"]))["code"]
    first = (await flow.redeem(client, code)).json

    second = await flow.redeem(client if who == "same" else other, code)

    assert (second.status, second.error) == (400, "invalid_grant")
    assert (await flow.refresh(client, first["refresh_token"])).error == "invalid_grant"
    (row,) = await flow.people.rows("select name from outbox where kind = 'grant'")
    assert row["name"] == claims_of(first["access_token"])["gid"]


@pytest.mark.parametrize("case", [pytest.param("one", id="O-3: in parallel")])
async def test_of_many_who_bring_one_code_at_once_one_is_let_in_and_the_family_does_not_live(
    flow: Flow, case: str
) -> None:
    client = await flow.register()
    code = (await flow.authorized(client["client_id"]))["code"]

    answers = await asyncio.gather(*(flow.redeem(client, code) for _ in range(6)))

    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400, 400]
    assert await flow.living_families() == 0


@pytest.mark.parametrize("case", [pytest.param("late", id="O-3: expired")])
async def test_a_code_of_more_than_a_minute_is_none(flow: Flow, case: str) -> None:
    client = await flow.register()
    code = (await flow.authorized(client["client_id"]))["code"]
    await flow.people.rows("update oauth_codes set expires_at = expires_at - interval '61 seconds'")

    assert (await flow.redeem(client, code)).error == "invalid_grant"


BOUND: dict[str, tuple[dict[str, Any], str]] = {
    "other redirect_uri": ({"redirect_uri": "https://client.example.com/other"}, "invalid_grant"),
    "other resource": ({"resource": f"{ISSUER}/v1/mcp/sales"}, "invalid_target"),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-3: {name}") for name in BOUND])
async def test_a_code_is_bound_to_what_it_was_made_for(flow: Flow, name: str) -> None:
    changes, error = BOUND[name]
    client = await flow.register(redirect_uris=[REDIRECT, "https://client.example.com/other"])
    await flow.gateway("sales")
    code = (await flow.authorized(client["client_id"]))["code"]

    answer = await flow.redeem(client, code, **changes)

    assert (answer.status, answer.error) == (400, error)


@pytest.mark.parametrize("case", [pytest.param("dead", id="O-4: reuse after grace")])
async def test_a_replaced_token_that_comes_back_later_ends_the_family(flow: Flow, case: str) -> None:
    client = await flow.register()
    first = (await flow.signed_in(client))["refresh_token"]
    second = (await flow.refresh(client, first)).json["refresh_token"]
    await flow.people.rows(
        "update oauth_refresh_tokens set replaced_at = array[now() - interval '31 seconds']::timestamptz[]"
    )

    answer = await flow.refresh(client, first)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert (await flow.refresh(client, second)).error == "invalid_grant"
    assert len(await flow.people.rows("select 1 from outbox where kind = 'grant'")) == 1


@pytest.mark.parametrize("case", [pytest.param("dead", id="O-4: other client's token")])
async def test_a_token_in_another_clients_hands_ends_the_family(flow: Flow, case: str) -> None:
    client, other = await flow.register(), await flow.register(client_name="Other")
    token = (await flow.signed_in(client))["refresh_token"]

    answer = await flow.refresh(other, token)

    assert answer.error == "invalid_grant"
    assert (await flow.refresh(client, token)).error == "invalid_grant"


WIDER: dict[str, tuple[dict[str, Any], str]] = {
    "wider scope": ({"scope": "mcp offline_access"}, "invalid_scope"),
    "other resource": ({"resource": f"{ISSUER}/v1/mcp/sales"}, "invalid_target"),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-4: {name}") for name in WIDER])
async def test_a_refresh_gives_no_more_than_was_allowed(flow: Flow, name: str) -> None:
    changes, error = WIDER[name]
    client = await flow.register()
    await flow.gateway("sales")
    token = (await flow.signed_in(client))["refresh_token"]

    answer = await flow.refresh(client, token, **changes)

    assert (answer.status, answer.error) == (400, error)
    assert (await flow.refresh(client, token)).status == 200  # a client's mistake signs nobody out


@pytest.mark.parametrize("name", [
    pytest.param("forged", id="O-4: forged"), pytest.param("later", id="O-4: of a later number"),
])  # fmt: skip
async def test_a_token_that_control_did_not_make_is_none_and_ends_nothing(flow: Flow, name: str) -> None:
    client = await flow.register()
    token = (await flow.signed_in(client))["refresh_token"]
    head, _, code = _parts(token)
    made_up = f"{head}_1_{code[:-4]}AAAA" if name == "forged" else f"{head}_2_{code}"

    answer = await flow.refresh(client, made_up)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert (await flow.refresh(client, token)).status == 200


def _parts(token: str) -> tuple[str, str, str]:
    """A code may hold an underscore too: 43 characters from the end."""
    return token[:-44].rsplit("_", 1)[0], token[:-44].rsplit("_", 1)[1], token[-43:]


BODIES: dict[str, dict[str, Any]] = {
    "JSON to token": {"json": {"grant_type": "authorization_code"}},
    "foreign charset": {
        "data": b"grant_type=authorization_code",
        "headers": {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"},
    },
    "duplicate in the form": {"data": [("grant_type", "refresh_token"), ("grant_type", "authorization_code")]},
    "parameters in the URL of token": {"data": {"grant_type": "refresh_token"}, "params": {"client_secret": "s"}},
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-9: {name}") for name in BODIES])
async def test_a_form_that_has_no_one_meaning_is_refused(flow: Flow, name: str) -> None:
    answer = await flow.send("POST", "/oauth/token", **BODIES[name])
    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.parametrize("case", [pytest.param("405", id="O-9: GET of token")])
async def test_tokens_are_not_got_with_a_url(flow: Flow, case: str) -> None:
    assert (await flow.send("GET", "/oauth/token?grant_type=refresh_token")).status == 405


async def hammered(flow: Flow, client: dict[str, Any], token: str) -> list[tuple[int, str]]:
    often = int(limits.REFRESH.burst) + 10
    answers = [await flow.refresh(client, token) for _ in range(often)]
    return [(answer.status, answer.error) for answer in answers]


@pytest.mark.parametrize("case", [pytest.param("400", id="O-14: dead token, 400 for ever")])
async def test_a_dead_token_is_told_so_however_often_it_comes(flow: Flow, case: str) -> None:
    client = await flow.register()
    tokens = await flow.signed_in(client)
    await flow.send("POST", "/oauth/revoke", data={"token": tokens["access_token"], "client_id": client["client_id"]})

    assert set(await hammered(flow, client, tokens["refresh_token"])) == {(400, "invalid_grant")}


@pytest.mark.parametrize("case", [pytest.param("200", id="O-14: a code still works")])
async def test_whoever_hammers_with_a_refresh_token_still_redeems_a_code(flow: Flow, case: str) -> None:
    client = await flow.register()
    tokens = await flow.signed_in(client)
    await hammered(flow, client, tokens["refresh_token"])

    assert (await flow.signed_in(client, prompt="consent"))["access_token"]


@pytest.mark.parametrize("case", [pytest.param("200", id="O-14: another grant still refreshes")])
async def test_one_grant_that_is_refreshed_too_often_costs_no_other_anything(flow: Flow, case: str) -> None:
    client = await flow.register()
    hammering, quiet = await flow.signed_in(client), await flow.signed_in(client, prompt="consent")
    await hammered(flow, client, hammering["refresh_token"])

    assert (await flow.refresh(client, quiet["refresh_token"])).status == 200


@pytest.mark.parametrize("case", [pytest.param("429", id="O-14: alive but too often")])
async def test_a_living_token_that_comes_too_often_is_told_when_to_come_again(flow: Flow, case: str) -> None:
    client = await flow.register()
    tokens = await flow.signed_in(client)
    await hammered(flow, client, tokens["refresh_token"])

    answer = await flow.refresh(client, tokens["refresh_token"])

    assert (answer.status, answer.error) == (429, "slow_down")
    assert int(answer.headers["Retry-After"]) >= 1


async def a_grant(flow: Flow, client: dict[str, Any], number: int) -> str:
    """The refresh token of a grant of its own, which Ann gives without a page."""
    (pk,) = await flow.people.rows("select id from oauth_clients where client_id = $1", client["client_id"])
    (gateway,) = await flow.people.rows("select id from gateways where slug = 'work'")
    wanted = NewGrant(
        client_pk=pk["id"], user_id=flow.ann["id"], gateway_id=gateway["id"], scopes=("mcp", "offline_access")
    )
    async with changing(flow.pool, replace(NOBODY, user_id=flow.ann["id"])) as write:
        await oauth_grants.allow(write, wanted, digest(f"code-{number}"), redirect_uri=REDIRECT, challenge=CHALLENGE)
    answer = await flow.redeem(client, f"code-{number}")
    assert answer.status == 200, answer.body
    return str(answer.json["refresh_token"])


@pytest.mark.parametrize("grants", [pytest.param(limits.REFRESH.burst + 2, id="L-10: many grants refresh at once")])
async def test_however_many_refresh_from_one_address_at_once_none_is_refused(flow: Flow, grants: int) -> None:
    """What each costs is measured by `make bench`; here, that none of a hosted client's people waits for another."""
    client, places = await flow.register(), asyncio.Semaphore(8)

    async def refreshed(token: str) -> Answered:
        async with places:
            answer = await flow.refresh(client, token)
            while answer.status == 503:  # the database of a busy machine did not answer in time
                answer = await flow.refresh(client, token)
            return answer

    tokens = [await a_grant(flow, client, number) for number in range(grants)]
    answers = await asyncio.gather(*(refreshed(token) for token in tokens))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == grants


async def test_what_is_missing_is_named(flow: Flow) -> None:
    client = await flow.register()
    answer = await flow.token(grant_type="authorization_code", client_id=client["client_id"], code_verifier=VERIFIER)
    assert answer.json == {"error": "invalid_request", "error_description": "The parameter code is missing."}
    assert RESOURCE not in answer.body.decode()


async def test_a_grant_type_that_there_is_none_of_is_refused(flow: Flow) -> None:
    client = await flow.register()
    answer = await flow.token(grant_type="password", client_id=client["client_id"])
    assert answer.error == "unsupported_grant_type"
