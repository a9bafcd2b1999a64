"""What is noted of a client's way: each step, and where it ended, why and what helps."""

from __future__ import annotations

from typing import Any

from control.oauth import traces
from control.store.pool import transaction
from tests.oauth.flow import Flow


async def noted(flow: Flow) -> list[dict[str, Any]]:
    """Steps in their order, without those of people signing in."""
    rows = await flow.people.rows(
        """select step, client, gateway, user_id, address, reason, cure from sign_in_attempts
           where step <> 'signed_in' order by at, id"""
    )
    return [dict(row) for row in rows]


async def test_every_step_that_went_well_is_noted_with_who_and_where(flow: Flow) -> None:
    await flow.send("GET", "/.well-known/oauth-authorization-server")
    client = await flow.register(client_name="Claude")
    await flow.signed_in(client)

    steps = await noted(flow)

    assert [step["step"] for step in steps] == ["metadata", "registered", "authorised", "token"]
    assert [step["client"] for step in steps] == ["", "Claude", "Claude", "Claude"]
    assert [step["gateway"] for step in steps] == ["", "", "work", "work"]
    assert [step["user_id"] for step in steps] == [None, None, flow.ann["id"], flow.ann["id"]]
    assert {step["reason"] for step in steps} == {""}
    assert all(step["address"] for step in steps)


async def test_a_step_that_failed_says_why_and_what_helps(flow: Flow) -> None:
    client = await flow.register(client_name="Claude")
    await flow.registration(redirect_uris=["http://evil.example"])
    await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri="https://evil.example/"))
    await flow.browser.get(flow.authorize_path(client["client_id"], code_challenge_method="plain"))
    await flow.redeem(client, "archc_unknown")
    await flow.token(grant_type="refresh_token", client_id="nobody", refresh_token="archr_x")  # none

    failed = [step for step in await noted(flow) if step["reason"]]

    assert [step["step"] for step in failed] == ["registered", "authorised", "authorised", "token", "token"]
    assert [step["client"] for step in failed] == ["", "Claude", "Claude", "Claude", "nobody"]
    assert all(step["cure"] for step in failed)
    assert not any("evil" in step["reason"] for step in failed)


async def test_no_secret_is_noted(flow: Flow) -> None:
    client = await flow.register(token_endpoint_auth_method="client_secret_post")  # a method's name
    tokens = await flow.signed_in(client)
    await flow.refresh(client, f"{tokens['refresh_token']}x")

    text = str(await noted(flow))

    for secret in (client["client_secret"], tokens["refresh_token"], tokens["access_token"], "archc_"):
        assert secret not in text


async def test_a_flood_of_readers_is_noted_in_part_and_answered_whole(flow: Flow) -> None:
    asked = traces._MOST_IN_A_SECOND * 3
    answers = [await flow.send("GET", "/.well-known/openid-configuration") for _ in range(asked)]

    assert {answer.status for answer in answers} == {200}
    async with transaction(flow.pool) as connection:
        assert await connection.fetchval("select count(*) from sign_in_attempts") > 0
