"""Whether a form was sent by our own page."""

from __future__ import annotations

from dataclasses import dataclass
from unittest.mock import Mock

import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request

from control.http.cookies import rules_for
from control.http.csrf import OWN_ORIGINS, check, check_at_the_door, own_origins, refuse_foreign
from control.http.problems import Problem

ISSUER = "https://mcp.example.com"
TOKEN = "t" * 43


@dataclass
class ASession:
    csrf: str = TOKEN


def a_request(body: str = "", **headers: str) -> web.Request:
    app = web.Application()
    app[OWN_ORIGINS] = own_origins([ISSUER])
    payload = StreamReader(Mock(_reading_paused=False), 1 << 16)
    payload.feed_data(body.encode())
    payload.feed_eof()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    form = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    return make_mocked_request("POST", "/x", headers=given | form, app=app, payload=payload)


@pytest.mark.parametrize("headers", [{"Sec_Fetch_Site": "same-origin"}, {"Origin": ISSUER}])
async def test_a_form_of_our_own_page_with_the_sessions_token_is_taken(headers: dict[str, str]) -> None:
    await check(a_request(f"csrf={TOKEN}", **headers), ASession())


async def test_a_script_of_our_page_sends_the_token_as_a_header() -> None:
    await check(a_request(Sec_Fetch_Site="same-origin", X_CSRF_Token=TOKEN), ASession())


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "cross-site", "Origin": ISSUER},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ISSUER + ".evil.example"},
        {"Origin": "http://mcp.example.com"},
        {},
    ],
)
async def test_what_another_site_sent_is_refused_even_with_the_token(headers: dict[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        await check(a_request(f"csrf={TOKEN}", **headers), ASession())
    assert refused.value.status == 403


@pytest.mark.parametrize("body", ["", "csrf=", f"csrf={TOKEN[:-1]}", f"other={TOKEN}", "csrf=%C3%A9"])
async def test_a_form_without_the_sessions_token_is_refused(body: str) -> None:
    with pytest.raises(Problem) as refused:
        await check(a_request(body, Sec_Fetch_Site="same-origin"), ASession())
    assert refused.value.status == 403


async def test_before_anybody_is_in_the_form_must_hold_what_the_browsers_cookie_holds() -> None:
    rules = rules_for(ISSUER)
    good = {"Sec_Fetch_Site": "same-origin", "Cookie": f"__Host-archway-door={TOKEN}"}
    await check_at_the_door(a_request(f"csrf={TOKEN}", **good), rules)
    for body, cookie in (("csrf=another", good["Cookie"]), (f"csrf={TOKEN}", f"archway-door={TOKEN}"), ("csrf=", "")):
        with pytest.raises(Problem):
            await check_at_the_door(a_request(body, Sec_Fetch_Site="same-origin", Cookie=cookie), rules)


def test_this_machine_has_three_names_and_another_has_one() -> None:
    assert own_origins(["http://127.0.0.1:8400"]) == {
        "http://127.0.0.1:8400", "http://localhost:8400", "http://[::1]:8400",
    }  # fmt: skip
    assert own_origins([ISSUER, ISSUER + "/"]) == {ISSUER}


async def test_a_request_that_changes_nothing_for_a_person_may_ask_for_the_origin_alone() -> None:
    refuse_foreign(a_request(Origin=ISSUER))
