"""What is noted of a client's way: each step, and where it ended, why and what helps."""

from __future__ import annotations

from typing import Any

from control.records import sign_in_notes
from tests.oauth.flow import Flow


async def noted(flow: Flow) -> list[dict[str, Any]]:
    """Steps in their order, without those of people signing in."""
    rows = await flow.people.rows(
        """select step, client, gateway, user_id, address, reason, asked, cure from sign_in_attempts
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


async def test_a_flood_of_readers_is_one_note_and_answered_whole(flow: Flow) -> None:
    asked = sign_in_notes.OF_ONE_A_SECOND * 3
    answers = [await flow.send("GET", "/.well-known/openid-configuration") for _ in range(asked)]

    assert {answer.status for answer in answers} == {200}
    (row,) = await flow.people.rows("select times from sign_in_attempts where step = 'metadata'")
    assert 0 < row["times"] <= asked


async def test_that_a_client_goes_on_is_no_news_and_that_it_cannot_is(flow: Flow) -> None:
    client = await flow.register(client_name="Claude")
    tokens = await flow.signed_in(client)
    again = (await flow.refresh(client, tokens["refresh_token"])).json
    before = len(await noted(flow))
    await flow.refresh(client, again["refresh_token"], resource="http://127.0.0.1:8400/v1/mcp/none")

    *_, last = after = await noted(flow)

    assert len(after) == before + 1
    assert last["step"] == "token"
    assert last["asked"] == "resource http://127.0.0.1:8400/v1/mcp/none"


async def test_what_failed_before_its_gateway_was_looked_up_is_found_by_the_gateways_name(
    flow: Flow,
) -> None:
    client = await flow.register(client_name="Claude")
    await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri="https://evil.example/"))
    await flow.redeem(client, "archc_unknown")

    assert [step["gateway"] for step in await noted(flow) if step["reason"]] == ["work", "work"]


async def test_a_gateway_that_names_its_clients_says_which_came_and_how_it_is_added(flow: Flow) -> None:
    client = await flow.register(client_name="Claude")
    await flow.change_gateway("work", allowed_clients=("https://claude.ai/oauth/client.json",))
    await flow.browser.get(flow.authorize_path(client["client_id"]))

    *_, last = await noted(flow)

    assert last["reason"] == "The gateway work lets in only the clients that it names, and this is none of them."
    assert last["asked"] == (
        f"client_id {client['client_id']}; the gateway names https://claude.ai/oauth/client.json"
    )
    assert f"archway gateways update work --add-client {client['client_id']}" in last["cure"]


async def test_what_a_grant_lost_is_told_with_whose_it_was(flow: Flow) -> None:
    client = await flow.register(client_name="Claude")
    tokens = await flow.signed_in(client)
    await flow.people.rows("update oauth_grants set revoked_at = now() returning 1")
    await flow.refresh(client, tokens["refresh_token"])

    *_, last = await noted(flow)

    assert (last["gateway"], last["user_id"]) == ("work", flow.ann["id"])
    assert last["reason"] == "Access was taken back."
