"""Clients that register by themselves: good, odd and bad registrations (row O-6)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from control.changes import oauth_clients
from control.changes.write import changing
from control.oauth import limits, register
from control.oauth.sweep import sweep
from tests.fakes.issuer import rsa_jwk
from tests.fakes.scripted_upstream import ScriptedUpstream, ok
from tests.fixtures_people import NOBODY
from tests.oauth.flow import REDIRECT, Flow

CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback"


async def test_the_same_registration_is_the_same_client_however_often_and_at_once(flow: Flow) -> None:
    at_once = await asyncio.gather(*(flow.register() for _ in range(4)))
    later = await flow.register(redirect_uris=[REDIRECT], logo_uri="https://client.example.com/logo.png")

    assert len({client["client_id"] for client in [*at_once, later]}) == 1


async def test_another_name_or_another_redirect_is_another_client(flow: Flow) -> None:
    first = await flow.register()
    assert (await flow.register(client_name="Other"))["client_id"] != first["client_id"]
    assert (await flow.register(redirect_uris=["https://other.example/cb"]))["client_id"] != first["client_id"]


async def test_the_order_of_redirects_makes_no_other_client(flow: Flow) -> None:
    two = [REDIRECT, "https://other.example/cb"]
    assert (await flow.register(redirect_uris=two))["client_id"] == (await flow.register(redirect_uris=two[::-1]))[
        "client_id"
    ]


async def test_a_client_with_a_secret_is_its_own_each_time(flow: Flow) -> None:
    one, other = [
        await flow.register(token_endpoint_auth_method="client_secret_post") for _ in range(2)
    ]  # a method's name
    assert one["client_id"] != other["client_id"]
    assert one["client_secret"] != other["client_secret"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "http://evil": ({"redirect_uris": ["http://evil.example/cb"]}, "invalid_redirect_uri"),
    "javascript": ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    "private host": ({"redirect_uris": ["https://10.0.0.1/cb", "https://[fd00::1]/cb"]}, "invalid_redirect_uri"),
    "no redirect": ({"redirect_uris": []}, "invalid_redirect_uri"),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-6: {name}") for name in BAD])
async def test_a_registration_with_no_good_redirect_is_refused(flow: Flow, name: str) -> None:
    changes, error = BAD[name]
    answer = await flow.registration(**changes)
    assert (answer.status, answer.error) == (400, error)
    assert not await flow.people.rows("select 1 from oauth_clients")


KEYS_NOBODY_CAN_KEEP: dict[str, dict[str, Any]] = {
    "NUL in a key's name": {"jwks": {"keys": [rsa_jwk("a\0b")]}},
    "NUL in a key": {"jwks": {"keys": [rsa_jwk("a") | {"e": "AQ\0AB"}]}},
    "NUL in jwks_uri": {"jwks_uri": "https://client.example.com/\0"},
}


@pytest.mark.parametrize("name", KEYS_NOBODY_CAN_KEEP)
async def test_keys_that_cannot_be_kept_are_refused_as_bad_metadata(flow: Flow, name: str) -> None:
    answer = await flow.registration(token_endpoint_auth_method="private_key_jwt", **KEYS_NOBODY_CAN_KEEP[name])
    assert (answer.status, answer.error) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("_", [pytest.param(0, id="O-6: a bad one among good ones")])
async def test_one_bad_redirect_among_good_ones_is_left_out(flow: Flow, _: int) -> None:
    client = await flow.register(redirect_uris=["unknown-editor://cb", CURSOR, "http://evil.example/", REDIRECT])
    assert client["redirect_uris"] == [CURSOR, REDIRECT]


@pytest.mark.parametrize("_", [pytest.param(0, id="O-6: HTML in client_name")])
async def test_a_name_of_tags_is_a_text(flow: Flow, _: int) -> None:
    client = await flow.register(client_name="<script>alert(1)</script>")
    page = await flow.browser.get(await flow.consent_path(client["client_id"]))
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


@pytest.mark.parametrize("_", [pytest.param(0, id="O-6: logo_uri is not fetched")])
async def test_a_clients_picture_is_not_fetched_and_not_shown(flow: Flow, _: int) -> None:
    async with ScriptedUpstream([ok(b"")]) as host:
        client = await flow.register(logo_uri=f"{host.url}/logo.png", client_uri=host.url, tos_uri=host.url)
        page = await flow.browser.get(await flow.consent_path(client["client_id"]))
        assert host.connections == 0
        assert str(host.port) not in page.text


@pytest.mark.parametrize("_", [pytest.param(0, id="O-6: 1 MiB of metadata")])
async def test_a_registration_of_a_mebibyte_is_refused(flow: Flow, _: int) -> None:
    answer = await flow.registration(software_statement="a" * ((1 << 20) - 500))
    assert (answer.status, answer.error) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("_", [pytest.param(0, id="O-6: client_secret chosen")])
async def test_a_client_does_not_choose_its_secret_or_its_name_here(flow: Flow, _: int) -> None:
    client = await flow.register(
        client_secret="mine",  # the bad input itself
        client_id="mine",
        token_endpoint_auth_method="client_secret_post",  # a method's name
    )
    assert client["client_id"] != "mine"
    assert client["client_secret"].startswith("archs_")


@pytest.mark.parametrize("_", [pytest.param(0, id="O-6: not JSON")])
async def test_a_registration_that_is_no_json_object_is_refused(flow: Flow, _: int) -> None:
    for sent in ({"data": b"[1]", "headers": {"Content-Type": "application/json"}}, {"data": {"client_name": "a"}}):
        answer = await flow.send("POST", "/oauth/register", **sent)
        assert (answer.status, answer.error) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("_", [pytest.param(0, id="O-6: many registrations")])
async def test_registrations_have_a_rate_and_a_most(flow: Flow, monkeypatch: pytest.MonkeyPatch, _: int) -> None:
    await flow.register()
    monkeypatch.setattr(register, "MOST_UNUSED", 1)
    full = await flow.registration(client_name="One too many")
    monkeypatch.undo()
    often = [await flow.registration() for _ in range(int(limits.REGISTER.burst) + 5)]

    assert (full.status, full.error) == (503, "temporarily_unavailable")
    assert (often[-1].status, often[-1].error) == (429, "slow_down")
    assert int(often[-1].headers["Retry-After"]) >= 1


async def test_whoever_registers_without_end_shuts_nobody_out(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known already needs no room, and for what is new the oldest that nobody used are forgotten."""
    used = await flow.register()
    await flow.signed_in(used)
    await flow.register(client_name="old and unused")
    await flow.people.rows("update oauth_clients set created_at = created_at - interval '61 minutes'")
    young = await flow.register(client_name="young")
    monkeypatch.setattr(register, "MOST_UNUSED", 2)

    again = await flow.registration()
    new = await flow.registration(client_name="new")
    too_many = await flow.registration(client_name="one too many")

    assert (again.status, again.json["client_id"]) == (201, used["client_id"])
    assert (new.status, too_many.status) == (201, 503)
    left = {row["name"] for row in await flow.people.rows("select name from oauth_clients")}
    assert left == {"Test client", young["client_name"], "new"}


async def test_a_client_that_was_shut_out_before_anybody_used_it_stays_shut_out(flow: Flow) -> None:
    client = await flow.register()
    (row,) = await flow.people.rows("select id from oauth_clients")
    async with changing(flow.pool, NOBODY) as write:
        await oauth_clients.set_disabled(write, row["id"], disabled=True)
    await flow.people.rows("update oauth_clients set created_at = created_at - interval '25 hours'")

    assert await sweep(flow.pool) == 0
    assert (await flow.register())["client_id"] == client["client_id"]
    page = await flow.browser.get(flow.authorize_path(client["client_id"]))
    assert (page.status, page.to) == (400, "")


async def test_a_registration_that_comes_again_is_good_for_a_day_again(flow: Flow) -> None:
    before = await flow.register()
    await flow.people.rows("update oauth_clients set created_at = created_at - interval '25 hours'")
    again = await flow.register()

    assert again["client_id"] == before["client_id"]
    assert await sweep(flow.pool) == 0
    assert (await flow.consent_path(again["client_id"])).startswith("/consent/")


@pytest.mark.parametrize("_", [pytest.param(0, id="O-6: unused for a day")])
async def test_a_client_that_nobody_used_for_a_day_is_forgotten_and_others_stay(flow: Flow, _: int) -> None:
    used, unused, young = [await flow.register(client_name=name) for name in ("used", "unused", "young")]
    await flow.signed_in(used)
    await flow.people.rows(
        "update oauth_clients set created_at = created_at - interval '25 hours' where name <> 'young'"
    )

    assert await sweep(flow.pool) == 1
    left = {row["client_id"] for row in await flow.people.rows("select client_id from oauth_clients")}

    assert left == {used["client_id"], young["client_id"]}
    page = await flow.browser.get(flow.authorize_path(unused["client_id"]))
    assert (page.status, page.to) == (400, "")


async def test_a_page_of_another_origin_may_register_and_ask_for_tokens_without_cookies(flow: Flow) -> None:
    for path in ("/oauth/register", "/oauth/token", "/oauth/revoke", "/.well-known/oauth-authorization-server"):
        asked = await flow.send("OPTIONS", path, headers={"Origin": "https://inspector.example"})
        assert asked.status == 204
        assert asked.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in asked.headers
    assert (await flow.registration()).headers["Access-Control-Allow-Origin"] == "*"


async def test_no_page_of_another_origin_reads_what_a_person_is_asked(flow: Flow) -> None:
    client = await flow.register()
    page = await flow.browser.get(await flow.consent_path(client["client_id"]))
    assert "Access-Control-Allow-Origin" not in page.headers
