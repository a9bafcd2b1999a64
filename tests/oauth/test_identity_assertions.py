"""Identity assertions (ID-JAG) at the token endpoint: who gets in by one, once, and as whom.

The claims one by one are in `test_assertion_rows.py`; what ends such access, in `test_ended_assertions.py`.
"""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from control.changes import oauth_clients, teams, users
from control.changes.write import changing
from control.http.listener import listen
from control.oauth.assertions import SENTENCE
from control.public.app import build_app
from control.public.deps import PublicDeps
from control.public_listener import PARTS
from control.registry.identity_provider import TeamRule
from control.registry.oauth_client import ClientFields
from control.registry.team import NewTeam
from control.registry.user import NewUser
from tests.fixtures_people import ISSUER, NOBODY
from tests.oauth.asserting import SALES, AssertingCorp
from tests.oauth.flow import REDIRECT, Answered, claims_of


async def is_refused(corp: AssertingCorp, answer: Answered, why: str) -> None:
    """In the one wording, and explained to an admin, with what helps."""
    assert (answer.status, answer.json) == (400, {"error": "invalid_grant", "error_description": SENTENCE})
    (row,) = await corp.flow.people.rows("select * from sign_in_attempts order by id desc limit 1")
    assert (row["step"], row["client"], row["gateway"]) == ("token", corp.client.name, "sales")
    assert why in row["reason"]
    assert row["cure"]


async def test_an_assertion_gets_an_access_token_for_one_gateway_and_no_refresh_token(corp: AssertingCorp) -> None:
    answer = await corp.exchange()

    assert answer.status == 200, answer.body
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.headers["Cache-Control"] == "no-store"
    claims = claims_of(answer.json["access_token"])
    assert (claims["iss"], claims["sub"], claims["aud"]) == (ISSUER, f"user:{corp.ann}", SALES)
    assert (claims["client_id"], claims["scope"]) == (corp.client.client_id, "mcp")


async def test_all_tokens_of_a_person_by_a_client_at_a_gateway_have_one_grant(corp: AssertingCorp) -> None:
    found = {(await corp.token())["gid"] for _ in range(3)}
    (grant,) = await corp.grants()
    assert found == {grant["id"]}
    (made,) = await corp.flow.people.rows("select actor, after from audit where object_kind = 'grant'")
    assert made["actor"] == "identity provider Corp", "nobody here agreed to it"
    assert made["after"]["by_assertion"] is True


async def test_one_assertion_at_two_replicas_at_once_counts_once(
    corp: AssertingCorp, public_deps: PublicDeps
) -> None:
    runner, port = await listen(build_app(public_deps, PARTS), "127.0.0.1", 0)
    try:
        assertion = corp.assertion(sub="new", email="ann@corp.test")
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion,
            "client_id": corp.client.client_id, "client_secret": corp.secret,
        }  # fmt: skip

        async def at_the_other(session: aiohttp.ClientSession) -> int:
            async with session.post(f"http://127.0.0.1:{port}/oauth/token", data=form) as answer:
                return answer.status

        async with aiohttp.ClientSession() as session:
            here = [corp.exchange(assertion) for _ in range(4)]
            there = [at_the_other(session) for _ in range(4)]
            answers, others = await asyncio.gather(asyncio.gather(*here), asyncio.gather(*there))
    finally:
        await runner.cleanup()
    assert sorted([*(answer.status for answer in answers), *others]) == [200, *[400] * 7]
    assert len(await corp.grants()) == 1
    assert len(await corp.flow.people.rows("select 1 from identities")) == 1


async def test_two_assertions_about_somebody_new_at_once_make_one_person(corp: AssertingCorp) -> None:
    await corp.change_provider(create_people=True)
    cid = {"sub": "cid", "email": "cid@corp.test", "email_verified": True, "name": "Cid"}
    answers = await asyncio.gather(*(corp.exchange(corp.assertion(**cid)) for _ in range(2)))
    assert [answer.status for answer in answers] == [200, 200]
    assert len(await corp.flow.people.rows("select 1 from users where email = 'cid@corp.test'")) == 1
    assert len(await corp.grants()) == 1


async def test_who_is_known_by_issuer_and_subject_needs_no_address(corp: AssertingCorp) -> None:
    first = await corp.token()
    assert (await corp.token(email=None, email_verified=None))["sub"] == first["sub"]
    assert (await corp.token(email="somebody@else.test"))["sub"] == first["sub"]


async def test_an_address_that_changed_hands_finds_nobody_else(corp: AssertingCorp) -> None:
    assert (await corp.exchange()).status == 200, "the subject `ann` has ann@corp.test"
    await is_refused(corp, await corp.exchange(corp.assertion(sub="eve")), "other_subject")
    async with changing(corp.flow.pool, NOBODY) as write:
        await users.change(write, corp.ann, {"email": "ann.archer@corp.test"})
        eve = await users.create(write, NewUser(name="Eve", email="ann@corp.test", role="member"))
    assert (await corp.token(sub="eve"))["sub"] == f"user:{eve.id}"
    assert (await corp.token())["sub"] == f"user:{corp.ann}", "whoever has the address now"


async def test_an_assertion_that_names_the_account_means_that_one(corp: AssertingCorp) -> None:
    assert (await corp.token(aud_sub=f"user:{corp.ann}"))["sub"] == f"user:{corp.ann}"
    assert (await corp.token(aud_sub=corp.ann))["sub"] == f"user:{corp.ann}"


async def test_nobody_is_found_by_the_address_where_the_provider_may_not(corp: AssertingCorp) -> None:
    await corp.change_provider(match_email=False)
    await is_refused(corp, await corp.exchange(), "nobody")


async def test_teams_follow_the_claim_and_one_that_is_not_there_takes_nothing(corp: AssertingCorp) -> None:
    async with changing(corp.flow.pool, NOBODY) as write:
        eng = await teams.create(write, NewTeam(name="Engineering", description=""))
    await corp.change_provider(teams_claim="groups", team_rules=(TeamRule("eng", eng.id),))
    await corp.change_gateway(visibility="teams", teams=(eng.id,))
    await is_refused(corp, await corp.exchange(), "does not see the gateway")
    assert (await corp.exchange(corp.assertion(groups=["eng"]))).status == 200
    assert (await corp.exchange()).status == 200
    await is_refused(corp, await corp.exchange(corp.assertion(groups=[])), "does not see the gateway")


async def test_whom_an_admin_shut_out_gets_no_token(corp: AssertingCorp) -> None:
    async with changing(corp.flow.pool, NOBODY) as write:
        await users.create(write, NewUser(name="Root", email="root@corp.test", role="admin"))
        await users.disable(write, corp.ann)
    await is_refused(corp, await corp.exchange(), "shut out")


async def test_a_client_that_the_gateway_does_not_name_gets_no_token(corp: AssertingCorp) -> None:
    await corp.change_gateway(allowed_clients=("https://another.example/client.json",))
    await is_refused(corp, await corp.exchange(), "lets in only the clients that it names")
    await corp.change_gateway(allowed_clients=(corp.client.client_id,))
    assert (await corp.exchange()).status == 200


async def test_a_refused_assertion_is_good_once_what_was_wrong_is_mended(corp: AssertingCorp) -> None:
    assertion = corp.assertion()
    await corp.change_gateway(takes_assertions=False, identity_provider_id=None)
    await is_refused(corp, await corp.exchange(assertion), "takes no identity assertions")
    await corp.change_gateway(takes_assertions=True, identity_provider_id=corp.provider.id)
    assert (await corp.exchange(assertion)).status == 200
    await is_refused(corp, await corp.exchange(assertion), "used before")


async def test_the_client_proves_itself_as_it_registered_to(corp: AssertingCorp) -> None:
    wrong = await corp.exchange(client_secret="archs_wrong")
    assert (wrong.status, wrong.error) == (401, "invalid_client")
    assert (await corp.exchange(client_secret=None)).status == 401
    assert await corp.grants() == []


async def test_a_public_client_comes_with_its_name_alone(corp: AssertingCorp) -> None:
    async with changing(corp.flow.pool, NOBODY) as write:
        fields = ClientFields(name="Agent", redirect_uris=(REDIRECT,), auth_method="none")
        corp.client, _ = await oauth_clients.create(write, fields)
    corp.secret = ""
    assert (await corp.exchange(client_secret=None)).status == 200


async def test_a_client_that_acts_by_itself_acts_for_no_person(corp: AssertingCorp) -> None:
    async with changing(corp.flow.pool, NOBODY) as write:
        fields = ClientFields(name="Nightly", acts="by_itself", auth_method="client_secret_post")
        corp.client, corp.secret = await oauth_clients.create(write, fields)
    answer = await corp.exchange()
    assert (answer.status, answer.error) == (400, "unauthorized_client")


@pytest.mark.parametrize("missing", ["", None])
async def test_a_request_without_an_assertion_is_no_request(corp: AssertingCorp, missing: str | None) -> None:
    answer = await corp.flow.token(
        grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=missing,
        client_id=corp.client.client_id, client_secret=corp.secret,
    )  # fmt: skip
    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_an_assertion_may_be_as_long_as_a_token_and_no_other_parameter(corp: AssertingCorp) -> None:
    assert (await corp.exchange(corp.assertion(groups=["g" * 60] * 100))).status == 200
    assert (await corp.exchange(corp.assertion(groups=["g" * 60] * 400))).error == "invalid_request"
    assert (await corp.exchange(scope="s" * 5_000)).error == "invalid_request"
