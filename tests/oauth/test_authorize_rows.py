"""Bad inputs of the authorize endpoint and the consent page (rows O-1, O-2, O-5, O-8, O-9, O-10, O-12, O-13)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from control.changes import oauth_clients
from control.changes.write import changing
from control.registry.oauth_client import ClientFields
from tests.fixtures_people import ISSUER, NOBODY, PASSWORD
from tests.oauth.flow import LOOPBACK, REDIRECT, STATE, Flow, claims_of, told

REDIRECTS = {
    "prefix": REDIRECT[:-1],
    "suffix": f"{REDIRECT}/more",
    "extra query": f"{REDIRECT}?a=b",
    "fragment": f"{REDIRECT}#f",
    "userinfo": REDIRECT.replace("https://", "https://user@"),
    "backslash": REDIRECT.replace(".com/", ".com\\/"),
    "case": REDIRECT.replace("callback", "Callback"),
    "port of another host": REDIRECT.replace(".com/", ".com:8443/"),
    "javascript": "javascript:alert(1)",
    "missing": None,
    "not registered": "https://evil.example/callback",
    "another loopback name": LOOPBACK.replace("127.0.0.1", "localhost"),
    "path of loopback": LOOPBACK.replace("/cb", "/other"),
    "no page but a redirect": "https://evil.example/",
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-1: {name}") for name in REDIRECTS])
async def test_a_redirect_that_is_not_the_clients_is_a_page_and_no_redirect(flow: Flow, name: str) -> None:
    client = await flow.register(redirect_uris=[REDIRECT, LOOPBACK])

    page = await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri=REDIRECTS[name]))

    assert page.status == 400
    assert not page.to
    assert "evil.example" not in page.text


REFUSED: dict[str, dict[str, Any]] = {
    "for nothing that there is": {"response_type": "token"},
    "for no page": {"prompt": "none"},
    "for another's gateway": {"resource": "https://evil.example/v1/mcp/work"},
}


@pytest.mark.parametrize("who", ["a stranger", "a person"])
async def test_a_link_to_us_leads_to_no_website_that_nobody_vouches_for(flow: Flow, who: str) -> None:
    """Anybody can register one (RFC 9700 section 4.11.2)."""
    evil = "https://evil.example/cb"
    client = await flow.register(redirect_uris=[evil])
    browser = flow.browser if who == "a person" else await flow.people.browser()

    for changes in REFUSED.values():
        page = await browser.get(flow.authorize_path(client["client_id"], redirect_uri=evil, **changes))
        assert (page.status, page.to) == (400, "")
        assert "evil.example" not in page.text


async def test_the_website_of_a_client_that_the_person_let_in_hears_of_a_refusal(flow: Flow) -> None:
    client = await flow.register(redirect_uris=[REDIRECT, "https://evil.example/cb"])
    await flow.signed_in(client)
    stranger = await flow.people.browser()

    page = await flow.browser.get(flow.authorize_path(client["client_id"], response_type="token"))
    elsewhere = {"redirect_uri": "https://evil.example/cb", "response_type": "token"}

    assert told(page.to)["error"] == "unsupported_response_type"
    assert not (await flow.browser.get(flow.authorize_path(client["client_id"], **elsewhere))).to
    assert not (await stranger.get(flow.authorize_path(client["client_id"], response_type="token"))).to


async def test_the_website_of_an_admins_client_hears_of_a_refusal(flow: Flow) -> None:
    async with changing(flow.pool, NOBODY) as write:
        wanted = ClientFields(name="Open WebUI", redirect_uris=(REDIRECT,), auth_method="client_secret_post")
        client, _ = await oauth_clients.create(write, wanted)

    page = await (await flow.people.browser()).get(flow.authorize_path(client.client_id, response_type="token"))

    assert told(page.to)["error"] == "unsupported_response_type"


PKCE: dict[str, dict[str, Any]] = {
    "none": {"code_challenge": None, "code_challenge_method": None},
    "plain": {"code_challenge_method": "plain"},
    "challenge without method": {"code_challenge_method": None},
    "wrong length": {"code_challenge": "a" * 42},
    "wrong characters": {"code_challenge": "+" * 43},
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-2: {name}") for name in PKCE])
async def test_a_request_without_a_good_challenge_is_refused(flow: Flow, name: str) -> None:
    client = await flow.register(redirect_uris=[LOOPBACK])

    page = await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri=LOOPBACK, **PKCE[name]))

    assert told(page.to)["error"] == "invalid_request"


@pytest.mark.parametrize("case", [pytest.param("answer", id="O-5: iss on success")])
async def test_who_answers_is_said_with_the_code(flow: Flow, case: str) -> None:
    client = await flow.register()
    assert (await flow.authorized(client["client_id"]))["iss"] == ISSUER


@pytest.mark.parametrize("case", [pytest.param("error", id="O-5: iss on error")])
async def test_who_answers_is_said_with_an_error(flow: Flow, case: str) -> None:
    client = await flow.register(redirect_uris=[LOOPBACK])
    page = await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri=LOOPBACK, scope="admin"))
    assert told(page.to)["iss"] == ISSUER


@pytest.mark.parametrize("case", [pytest.param("metadata", id="O-5: iss is advertised")])
async def test_that_answers_say_who_gives_them_is_told_beforehand(flow: Flow, case: str) -> None:
    metadata = (await flow.send("GET", "/.well-known/oauth-authorization-server")).json
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["issuer"] == ISSUER


@pytest.mark.parametrize(
    ("state", "back"),
    [
        pytest.param("a b&c=d", "a b&c=d", id="O-5: state comes back"),
        pytest.param(None, None, id="O-5: no state, none comes back"),
    ],
)
async def test_the_clients_state_comes_back_as_it_was(flow: Flow, state: str | None, back: str | None) -> None:
    client = await flow.register()
    assert (await flow.authorized(client["client_id"], state=state)).get("state") == back


@pytest.mark.parametrize("case", [pytest.param("warns", id="O-8: localhost redirect")])
async def test_the_page_warns_where_a_program_on_this_machine_gets_the_code(flow: Flow, case: str) -> None:
    client = await flow.register(redirect_uris=["http://localhost/cb"], client_name="Claude Code")
    page = await flow.browser.get(await flow.consent_path(client["client_id"], redirect_uri="http://localhost:9/cb"))
    assert "any program here can say that it is Claude Code" in page.words


@pytest.mark.parametrize("case", [pytest.param("shown", id="O-8: look-alike name")])
async def test_what_is_invisible_in_a_name_is_taken_out_of_it(flow: Flow, case: str) -> None:
    client = await flow.register(client_name="Clau\u202ede\u0000\n  by Anthropic")
    assert client["client_name"] == "Clau de by Anthropic"


DUPLICATES = {
    "duplicate client_id": ("client_id", "page"),
    "duplicate redirect_uri": ("redirect_uri", "page"),
    "duplicate state": ("state", "page"),
    "duplicate scope": ("scope", "redirect"),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-9: {name}") for name in DUPLICATES])
async def test_a_parameter_that_comes_twice_is_refused(flow: Flow, name: str) -> None:
    parameter, where = DUPLICATES[name]
    client = await flow.register(redirect_uris=[LOOPBACK])
    path = f"{flow.authorize_path(client['client_id'], redirect_uri=LOOPBACK)}&{urlencode({parameter: 'again'})}"

    page = await flow.browser.get(path)

    if where == "page":
        assert (page.status, page.to) == (400, "")
    else:
        assert told(page.to)["error"] == "invalid_request"


UNSUPPORTED = {
    "request": ({"request": "e30.e30."}, "request_not_supported"),
    "request_uri": ({"request_uri": "https://client.example.com/r"}, "request_uri_not_supported"),
    "response_mode": ({"response_mode": "fragment"}, "invalid_request"),
    "other response_type": ({"response_type": "token"}, "unsupported_response_type"),
    "NUL": ({"ui_locales": "a\0b"}, "invalid_request"),
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-9: {name}") for name in UNSUPPORTED])
async def test_what_would_change_the_request_and_is_not_supported_is_refused(flow: Flow, name: str) -> None:
    changes, error = UNSUPPORTED[name]
    client = await flow.register(redirect_uris=[LOOPBACK])

    page = await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri=LOOPBACK, **changes))

    assert told(page.to)["error"] == error


@pytest.mark.parametrize("case", [pytest.param("passes", id="O-9: unknown")])
async def test_an_unknown_parameter_changes_nothing(flow: Flow, case: str) -> None:
    client = await flow.register()
    assert (await flow.consent_path(client["client_id"], login_hint="ann")).startswith("/consent/")


@pytest.mark.parametrize("case", [pytest.param("405", id="O-9: POST to authorize")])
async def test_a_form_cannot_be_sent_to_the_authorize_endpoint(flow: Flow, case: str) -> None:
    assert (await flow.browser.post("/oauth/authorize", {"client_id": "x"})).status == 405


@pytest.mark.parametrize("case", [pytest.param("asked", id="O-10: attacker's client, live session")])
async def test_a_live_session_gives_no_client_anything_without_a_question(flow: Flow, case: str) -> None:
    attackers = await flow.register(client_name="Evil", redirect_uris=["https://evil.example/cb"])
    mine = await flow.register()
    await flow.signed_in(mine)

    page = await flow.browser.get(flow.authorize_path(attackers["client_id"], redirect_uri="https://evil.example/cb"))

    assert page.to.startswith("/consent/")


@pytest.mark.parametrize("whose", [
    pytest.param("another browser", id="O-10: consent in another browser"),
    pytest.param("another person", id="O-10: consent of another person"),
])  # fmt: skip
async def test_a_question_is_there_for_the_session_that_was_asked_alone(flow: Flow, whose: str) -> None:
    client = await flow.register()
    path = await flow.consent_path(client["client_id"])
    elsewhere, email = await flow.people.browser(), flow.ann["email"]
    if whose == "another person":
        email = (await flow.people.person("Bob", PASSWORD))["email"]
    await elsewhere.sign_in(email, PASSWORD)

    page = await elsewhere.get(path)

    assert page.status == 404
    assert "Test client" not in page.text


@pytest.mark.parametrize("case", [pytest.param("asked", id="O-10: cross-site request")])
async def test_another_site_that_sends_the_person_here_always_gets_the_question(flow: Flow, case: str) -> None:
    client = await flow.register()
    await flow.signed_in(client)

    page = await flow.browser.get(flow.authorize_path(client["client_id"]), Sec_Fetch_Site="cross-site")

    assert page.to.startswith("/consent/")


@pytest.mark.parametrize("name", [
    pytest.param("token", id="O-10: consent without token"),
    pytest.param("site", id="O-10: consent from another site"),
])  # fmt: skip
async def test_an_answer_that_our_page_did_not_send_is_none(flow: Flow, name: str) -> None:
    client = await flow.register()
    path = await flow.consent_path(client["client_id"])
    csrf = (await flow.browser.get(path)).value_of("csrf")
    fields = {"decision": "allow", "csrf": "no" if name == "token" else csrf}
    site = "cross-site" if name == "site" else "same-origin"

    answer = await flow.browser.post(path, fields, Sec_Fetch_Site=site)

    assert (answer.status, answer.to) == (403, "")
    assert not await flow.people.rows("select 1 from oauth_grants")


@pytest.mark.parametrize("case", [pytest.param("framed", id="O-10: framing")])
async def test_the_question_cannot_be_framed(flow: Flow, case: str) -> None:
    client = await flow.register()
    page = await flow.browser.get(await flow.consent_path(client["client_id"]))
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("case", [pytest.param("303", id="O-12: 303 after the consent form")])
async def test_the_form_is_not_sent_on_to_the_client(flow: Flow, case: str) -> None:
    client = await flow.register()
    answer = await flow.browser.fill_in(await flow.consent_path(client["client_id"]), decision="allow")
    assert answer.status == 303
    assert urlsplit(answer.to).netloc == "client.example.com"
    assert "csrf" not in answer.to


SCOPES = {"*": "*", "unknown": "mcp admin"}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-13: {name}") for name in SCOPES])
async def test_a_scope_that_there_is_none_of_is_refused(flow: Flow, name: str) -> None:
    client = await flow.register(redirect_uris=[LOOPBACK])
    page = await flow.browser.get(flow.authorize_path(client["client_id"], redirect_uri=LOOPBACK, scope=SCOPES[name]))
    assert told(page.to) | {"error_description": ""} == {
        "error": "invalid_scope", "error_description": "", "state": STATE, "iss": ISSUER,
    }  # fmt: skip


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param("", id="O-13: empty"),
        pytest.param(None, id="O-13: absent"),
        pytest.param("mcp", id="O-13: offline_access is not given unasked"),
    ],
)
async def test_the_least_scope_is_given_where_no_more_is_asked_for(flow: Flow, scope: str | None) -> None:
    client = await flow.register()
    tokens = await flow.signed_in(client, scope=scope)
    assert tokens["scope"] == "mcp"
    assert claims_of(tokens["access_token"])["scope"] == "mcp"
