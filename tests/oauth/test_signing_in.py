"""A client signs a person in: every kind of client, by every name of a gateway, and what it then holds."""

from __future__ import annotations

import base64
import time

import pytest

from control.changes import oauth_clients
from control.changes.write import changing
from control.public.deps import PublicDeps
from control.registry.oauth_client import ClientFields
from core.jwt import access_token_of, verify
from tests.fixtures_people import ISSUER, NOBODY
from tests.oauth.flow import LOOPBACK, REDIRECT, RESOURCE, STATE, Flow, claims_of, told


async def test_a_client_registers_signs_a_person_in_and_gets_a_token_for_one_gateway(
    flow: Flow, public_deps: PublicDeps
) -> None:
    client = await flow.register()

    back = await flow.authorized(client["client_id"])
    answer = await flow.redeem(client, back.pop("code"))

    assert back == {"state": STATE, "iss": ISSUER}
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    told_of_token = answer.json
    token = told_of_token.pop("access_token")
    assert told_of_token.pop("refresh_token").startswith("archr_")
    assert told_of_token == {"token_type": "Bearer", "expires_in": 600, "scope": "mcp"}
    said = access_token_of(verify(token, public_deps.access_tokens, RESOURCE, time.time()))
    assert (said.subject, said.client_id, said.scope) == (f"user:{flow.ann['id']}", client["client_id"], "mcp")
    assert said.expires - said.issued_at == 600


async def test_the_consent_page_says_who_asks_for_what_and_where_the_person_is_sent(flow: Flow) -> None:
    client = await flow.register(client_name="Bob's <b>editor</b>")

    page = await flow.browser.get(await flow.consent_path(client["client_id"]))

    assert "Bob's <b>editor</b>" in page.words
    assert "<b>editor" not in page.text
    assert "client.example.com" in page.words
    assert "the gateway Work as you, Ann" in page.words
    assert "nobody has checked the name" in page.words
    assert 'id="this-machine"' not in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


async def test_who_does_not_agree_is_sent_back_with_that_and_nothing_else(flow: Flow) -> None:
    client = await flow.register()

    answer = await flow.browser.fill_in(await flow.consent_path(client["client_id"]), decision="deny")

    assert answer.status == 303
    back = told(answer.to)
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", STATE, ISSUER)
    assert "code" not in back


async def test_a_question_is_answered_once(flow: Flow) -> None:
    client = await flow.register()
    path = await flow.consent_path(client["client_id"])
    assert (await flow.browser.fill_in(path, decision="allow")).status == 303

    again = await flow.browser.get(path)

    assert again.status == 404
    assert "Begin again in your client" in again.words


async def test_a_stranger_signs_in_first_and_comes_back_to_the_same_request(flow: Flow) -> None:
    client = await flow.register()
    stranger = await flow.people.browser()
    path = flow.authorize_path(client["client_id"])

    page = await stranger.get(path)

    assert page.status == 303
    assert page.to.startswith("/sign-in?return_to=/oauth/authorize%3F")
    signed = await stranger.sign_in(flow.ann["email"], "correct horse battery", return_to=path)
    assert signed.to == path
    assert (await stranger.get(path)).to.startswith("/consent/")


@pytest.mark.parametrize("named", ["slug", "id", "retired slug", "trailing slash", "host in capitals"])
async def test_every_name_of_a_gateway_gives_the_same_audience(flow: Flow, named: str) -> None:
    gateway = await flow.gateway("before")
    await flow.change_gateway("before", slug="sales")
    names = {
        "slug": f"{ISSUER}/v1/mcp/sales",
        "id": f"{ISSUER}/v1/mcp/{gateway.id}",
        "retired slug": f"{ISSUER}/v1/mcp/before",
        "trailing slash": f"{ISSUER}/v1/mcp/sales/",
        "host in capitals": f"{ISSUER}/v1/mcp/sales".replace("http://", "HTTP://"),
    }
    client = await flow.register()

    tokens = await flow.signed_in(client, resource=names[named])

    assert claims_of(tokens["access_token"])["aud"] == f"{ISSUER}/v1/mcp/sales"


async def test_a_client_that_names_no_gateway_gets_the_only_one_that_it_can_mean(flow: Flow) -> None:
    client = await flow.register()

    code = (await flow.authorized(client["client_id"], resource=None))["code"]
    answer = await flow.redeem(client, code, resource=None)

    assert claims_of(answer.json["access_token"])["aud"] == RESOURCE


async def test_a_client_that_names_no_gateway_is_refused_where_there_are_two(flow: Flow) -> None:
    client = await flow.register(redirect_uris=[LOOPBACK])
    await flow.gateway("sales")

    page = await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri=LOOPBACK, resource=None))

    assert told(page.to)["error"] == "invalid_target"


async def test_a_gateway_that_names_its_clients_lets_no_other_in(flow: Flow) -> None:
    allowed, other = await flow.register(), await flow.register(redirect_uris=[LOOPBACK])
    await flow.change_gateway("work", allowed_clients=(allowed["client_id"],))

    page = await flow.browser.get(flow.authorize_path(other["client_id"], redirect_uri=LOOPBACK))
    tokens = await flow.signed_in(allowed)

    assert told(page.to)["error"] == "access_denied"
    assert claims_of(tokens["access_token"])["aud"] == RESOURCE


async def test_a_client_that_a_gateway_lets_in_no_more_refreshes_no_more(flow: Flow) -> None:
    client = await flow.register()
    tokens = await flow.signed_in(client)

    await flow.change_gateway("work", allowed_clients=("https://another.example/client.json",))
    answer = await flow.refresh(client, tokens["refresh_token"])

    assert (answer.status, answer.error) == (400, "invalid_grant")


async def test_a_person_who_does_not_see_the_gateway_is_told_so_by_their_client(flow: Flow) -> None:
    bob = await flow.people.person("Bob")
    await flow.gateway("bobs", visibility="personal", owner_id=bob["id"])
    client = await flow.register(redirect_uris=[LOOPBACK])
    bobs = f"{ISSUER}/v1/mcp/bobs"

    page = await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri=LOOPBACK, resource=bobs))

    assert told(page.to)["error"] == "access_denied"


@pytest.mark.parametrize("by", ["client_secret_post", "client_secret_basic"])
async def test_a_client_with_a_secret_proves_itself_in_the_header_or_in_the_body(flow: Flow, by: str) -> None:
    client = await flow.register(token_endpoint_auth_method=by)
    code = (await flow.authorized(client["client_id"]))["code"]
    secret = client["client_secret"]
    if by == "client_secret_post":
        answer = await flow.redeem(client, code)
    else:
        basic = base64.b64encode(f"{client['client_id']}:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        answer = await flow.redeem(client, code, client_id=None, client_secret=None, headers=headers)

    assert answer.status == 200
    assert client["client_secret_expires_at"] == 0


async def test_an_admins_client_for_people_signs_in_and_its_name_is_vouched_for(flow: Flow) -> None:
    async with changing(flow.pool, NOBODY) as write:
        made, secret = await oauth_clients.create(
            write,
            ClientFields(name="Open WebUI", redirect_uris=(REDIRECT,), auth_method="client_secret_post"),
        )
    client = {"client_id": made.client_id, "client_secret": secret}

    page = await flow.browser.get(await flow.consent_path(made.client_id))
    tokens = await flow.signed_in(client)

    assert "registered by an administrator" in page.words
    assert claims_of(tokens["access_token"])["client_id"] == made.client_id


async def test_what_a_person_agreed_to_is_not_asked_again_when_they_came_by_themselves(flow: Flow) -> None:
    client = await flow.register()
    await flow.signed_in(client)

    page = await flow.browser.get(flow.authorize_path(client["client_id"]))

    assert told(page.to).keys() == {"code", "state", "iss"}


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": "consent"},
        {"scope": "mcp offline_access", "prompt": "consent"},
        {"redirect_uri": "https://b.example/c"},
    ],
)
async def test_a_person_is_asked_again_where_something_differs(flow: Flow, changed: dict[str, str]) -> None:
    client = await flow.register(redirect_uris=[REDIRECT, "https://b.example/c"])
    await flow.signed_in(client)

    page = await flow.browser.get(flow.authorize_path(client["client_id"], **changed))

    assert page.to.startswith("/consent/")


async def test_a_client_that_was_let_act_while_the_person_is_here_gets_no_more_in_silence(flow: Flow) -> None:
    client = await flow.register(grant_types=["authorization_code"])
    await flow.signed_in(client)

    the_same = await flow.browser.get(flow.authorize_path(client["client_id"]))
    page = await flow.browser.get(flow.authorize_path(client["client_id"], scope="mcp offline_access"))

    assert "code" in told(the_same.to)
    assert page.to.startswith("/consent/")


async def test_a_client_that_begins_to_refresh_is_asked_about_again(flow: Flow) -> None:
    """As one may that is known by its own document, which it can change."""
    client = await flow.register(grant_types=["authorization_code"])
    await flow.signed_in(client)
    await flow.people.rows("update oauth_clients set refreshes = true")

    page = await flow.browser.get(flow.authorize_path(client["client_id"]))
    assert page.to.startswith("/consent/")
    await flow.signed_in(client, prompt="consent")

    page = await flow.browser.get(flow.authorize_path(client["client_id"], scope="mcp offline_access"))
    assert "refresh_token" in (await flow.redeem(client, told(page.to)["code"])).json


async def test_a_request_that_wants_no_page_is_told_who_is_missing(flow: Flow) -> None:
    client = await flow.register(redirect_uris=[LOOPBACK])
    stranger = await flow.people.browser()
    path = flow.authorize_path(client["client_id"], redirect_uri=LOOPBACK, prompt="none")

    nobody = await stranger.get(path)
    not_agreed = await flow.browser.get(path)

    assert told(nobody.to)["error"] == "login_required"
    assert told(not_agreed.to)["error"] == "consent_required"


@pytest.mark.parametrize("registered", ["http://localhost/cb", "http://127.0.0.1:3000/cb", "http://[::1]/cb"])
async def test_a_program_on_this_machine_takes_whatever_port_is_free_and_the_page_warns(
    flow: Flow, registered: str
) -> None:
    client = await flow.register(redirect_uris=[registered])
    asked = registered.replace(":3000", "").replace("/cb", ":51234/cb")

    page = await flow.browser.get(await flow.consent_path(client["client_id"], redirect_uri=asked))
    tokens = await flow.signed_in(client, redirect_uri=asked)

    assert 'id="this-machine"' in page.text
    assert "this machine" in page.words
    assert tokens["access_token"]


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://localhost/cb", "http://localhost:51234/cb"),
        ("https://localhost:3000/cb", "https://localhost:3000/cb"),
    ],
)
async def test_a_program_on_this_machine_never_gets_a_code_in_silence(
    flow: Flow, registered: str, asked: str
) -> None:
    client = await flow.register(redirect_uris=[registered])
    await flow.signed_in(client, redirect_uri=asked)

    page = await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri=asked))

    assert page.to.startswith("/consent/")
    assert 'id="this-machine"' in (await flow.browser.get(page.to)).text


async def test_a_scheme_of_a_known_client_is_sent_back_to(flow: Flow) -> None:
    scheme = "cursor://anysphere.cursor-mcp/oauth/callback"
    client = await flow.register(redirect_uris=["myown://cb", scheme, "http://localhost/cb"])

    path = await flow.consent_path(client["client_id"], redirect_uri=scheme)
    answer = await flow.browser.fill_in(path, decision="allow")

    assert client["redirect_uris"] == [scheme, "http://localhost/cb"]
    assert answer.to.startswith(f"{scheme}?code=")


async def test_a_client_gives_its_token_back_and_its_grant_ends(flow: Flow) -> None:
    client = await flow.register()
    tokens = await flow.signed_in(client)

    given_back = await flow.send(
        "POST", "/oauth/revoke", data={"token": tokens["access_token"], "client_id": client["client_id"]}
    )
    answer = await flow.refresh(client, tokens["refresh_token"])

    assert given_back.status == 200
    assert answer.error == "invalid_grant"
    (row,) = await flow.people.rows("select kind, name from outbox where kind = 'grant'")
    assert row["name"] == claims_of(tokens["access_token"])["gid"]


@pytest.mark.parametrize("what", ["another client's", "nobody's"])
async def test_a_token_that_is_not_the_clients_own_is_answered_and_ends_nothing(flow: Flow, what: str) -> None:
    client, other = await flow.register(), await flow.register(client_name="Other")
    tokens = await flow.signed_in(client)
    token = tokens["refresh_token"] if what == "another client's" else "whatever"

    given_back = await flow.send("POST", "/oauth/revoke", data={"token": token, "client_id": other["client_id"]})

    assert given_back.status == 200
    assert (await flow.refresh(client, tokens["refresh_token"])).status == 200


async def test_a_client_that_did_not_ask_to_refresh_gets_no_refresh_token(flow: Flow) -> None:
    client = await flow.register(grant_types=["authorization_code"])

    tokens = await flow.signed_in(client)
    away = await flow.signed_in(client, scope="mcp offline_access", prompt="consent")

    assert "refresh_token" not in tokens
    assert away["refresh_token"]
