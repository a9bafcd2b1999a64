"""Row X-6: what administers Archway is not open: not without a proof, not to other sites, not beyond this machine.

Each case walks what there is: the operations of the admin API, the pages and forms of the console, every listener of
both planes. Questions between the planes are row P-5's.
"""

from __future__ import annotations

import re

import msgspec
import pytest

from control.admin.app import RESOURCES
from control.admin.permissions import TABLE
from control.console.routes import PAGES
from control.settings import ControlSettings
from core.identifiers import new_id
from proxy.settings import ProxySettings
from tests.fixtures_admin import AdminClient, admin, deps, probing_proxy, proxy_ring, secret_ring
from tests.fixtures_people import PASSWORD, Browser, People, people, public_deps
from tests.fixtures_postgres import database, pool, postgres

__all__ = [
    "admin", "database", "deps", "people", "pool", "postgres", "probing_proxy", "proxy_ring", "public_deps",
    "secret_ring",
]  # fmt: skip
OPERATIONS = [operation for resource in RESOURCES for operation in resource.declared]
EVIL = "https://evil.example"
FOREIGN = [
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "", "Origin": EVIL},
    {"Sec_Fetch_Site": "", "Origin": "null"},
    {"Sec_Fetch_Site": ""},
]


def filled(path: str) -> str:
    """The path with something in the place of each of its parameters."""
    ids = re.sub(r"\{\w+_id(:[^}]*\})?\}", new_id(), path)
    return re.sub(r"\{\w+\}", "work", ids)


async def an_admin(people: People) -> Browser:
    """Who is signed in and may do everything."""
    root = await people.person("Root", PASSWORD, role="admin")
    browser = await people.browser()
    assert (await browser.sign_in(root["email"], PASSWORD)).status == 303
    return browser


@pytest.mark.parametrize("bearer", [pytest.param("", id="X-6: no auth on the API")])
async def test_no_operation_is_answered_without_a_token(admin: AdminClient, bearer: str) -> None:
    assert {operation.key for operation in OPERATIONS} | {"GET /openapi.json"} == set(TABLE)
    for key in TABLE:
        method, path = key.split(" ")
        assert (await admin.bearing(bearer).send(method, filled(path), {})).status == 401, key


@pytest.mark.parametrize("accept", [pytest.param("text/html", id="X-6: no auth on a page")])
async def test_no_page_is_shown_and_no_form_taken_without_a_session(people: People, accept: str) -> None:
    stranger = await people.browser()
    for page in PAGES:
        answer = await stranger.send(page.method, filled(page.path), Accept=accept)
        assert answer.status in ({303} if page.method == "GET" else {303, 401, 403}), page.path
        assert answer.to.startswith("/sign-in") or answer.status != 303, page.path


@pytest.mark.parametrize("cookie", [pytest.param("a session's cookie", id="X-6: no auth on the API-by a cookie")])
async def test_who_is_signed_in_in_a_browser_opens_no_operation_with_that(
    people: People, admin: AdminClient, cookie: str
) -> None:
    assert cookie
    browser = await an_admin(people)
    value = browser.cookie("archway")
    assert value
    sent = await admin.bearing("").send("GET", "/users", Cookie=f"archway-8400={value}; __Host-archway={value}")
    assert sent.status == 401


@pytest.mark.parametrize("origin", [pytest.param(EVIL, id="X-6: CORS *")])
async def test_no_answer_lets_a_page_of_another_origin_read_it(
    admin: AdminClient, people: People, origin: str
) -> None:
    asked = {"Origin": origin, "Access_Control_Request_Method": "POST"}
    for operation in OPERATIONS:
        for method in ("OPTIONS", operation.method):
            answer = await admin.send(method, filled(operation.path), {}, match="*", **asked)
            assert not [name for name in answer.headers if name.lower().startswith("access-control")], operation.key
    browser = await an_admin(people)
    for page in PAGES:
        for method in ("OPTIONS", "GET"):
            shown = await browser.send(method, filled(page.path), **asked)
            assert not [name for name in shown.headers if name.lower().startswith("access-control")], page.path


@pytest.mark.parametrize("headers", [pytest.param(FOREIGN, id="X-6: CSRF")])
async def test_no_form_is_taken_that_another_site_sends(people: People, headers: list[dict[str, str]]) -> None:
    browser = await an_admin(people)
    token = (await browser.get("/tokens/new")).value_of("csrf")
    before = await people.rows("select id, name from users order by id")
    forms = [page for page in PAGES if page.method == "POST"]
    assert len(forms) > 10
    for page in forms:
        for sent in headers:
            answer = await browser.post(filled(page.path), {"csrf": token, "name": "Eve"}, **sent)
            assert answer.status == 403, (page.path, sent)
        for wrong in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
            assert (await browser.post(filled(page.path), wrong)).status == 403, page.path
    assert await people.rows("select id, name from users order by id") == before
    assert await people.rows("select id from tokens") == []


@pytest.mark.parametrize("header", [pytest.param("Content-Security-Policy", id="X-6: missing CSP")])
async def test_every_page_says_that_nothing_but_our_files_runs_in_it(people: People, header: str) -> None:
    browser, stranger = await an_admin(people), await people.browser()
    paths = [filled(page.path) for page in PAGES if page.method == "GET"]
    shown = [await browser.get(path) for path in [*paths, "/nothing", "/oauth/authorize"]]
    shown += [await stranger.get(path) for path in ("/sign-in", "/sign-in/link/none", "/nothing")]
    for answer in shown:
        policy = answer.headers[header]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert "script-src 'self'" in policy or "script-src" not in policy


@pytest.mark.parametrize("settings", [pytest.param((ControlSettings, ProxySettings), id="X-6: listening everywhere")])
def test_no_listener_is_open_beyond_this_machine_unless_somebody_says_so(settings: tuple[type, ...]) -> None:
    every = [one for kind in settings for one in msgspec.structs.fields(kind)]
    listening = {one.name: str(one.default) for one in every if one.name.endswith("_listen")}
    assert len(listening) == 7
    assert {address.rpartition(":")[0] for address in listening.values() if address} == {"127.0.0.1"}, listening
    assert [name for name, address in listening.items() if not address] == ["control_metrics_listen"]
