"""Attacks on the way in that are no row of the checklist: odd bytes, races, other spellings, what is told apart."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from control.http.listener import listen
from control.public.deps import PublicDeps
from control.public_listener import public_app
from control.sign_in import door as door_module
from tests.fixtures_people import ISSUER, PASSWORD, Browser, People, Shown

NEW = "another long password"


async def raw(people: People, *lines: bytes, body: bytes = b"") -> int:
    """The status of a request in these very bytes."""
    parts = urlsplit(people.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = [*lines, b"Host: 127.0.0.1", b"Accept: text/html", b"Connection: close", b"Content-Length: %d" % len(body)]
    try:
        writer.write(b"\r\n".join(head) + b"\r\n\r\n" + body)
        async with asyncio.timeout(30):
            return int((await reader.readline()).split()[1])
    finally:
        writer.close()


ODD = [b"\xff\xfe", b"\xed\xa0\x80", "İ\u202e".encode(), b"%ff%00", b"a" * 4000, b'"', b"=; =;;"]
FORM = b"Content-Type: application/x-www-form-urlencoded"
OURS = b"Sec-Fetch-Site: same-origin"


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[:6]))
async def test_odd_bytes_in_cookies_headers_and_queries_are_refused_and_break_nothing(
    people: People, caplog: pytest.LogCaptureFixture, odd: bytes
) -> None:
    cookies = b"; ".join(
        name + b"-8400=" + odd
        for name in (b"archway", b"archway-door", b"archway-device", b"archway-oidc-" + b"0" * 16)
    )
    asked = [
        (b"GET /sign-in HTTP/1.1", b"Cookie: " + cookies),
        (b"GET /people HTTP/1.1", b"Cookie: " + cookies),
        (b"GET /sign-in/oidc/corp/callback?state=x&code=y HTTP/1.1", b"Cookie: " + cookies),
        (b"POST /sign-in HTTP/1.1", b"Cookie: " + cookies, FORM, OURS, b"X-CSRF-Token: " + odd),
        (b"POST /sign-in HTTP/1.1", b"Cookie: archway-door-8400=" + b"x" * 43, FORM, OURS, b"X-CSRF-Token: " + odd),
        (b"POST /sign-out HTTP/1.1", b"Cookie: " + cookies, FORM, b"Sec-Fetch-Site: " + odd),
        (b"POST /oauth/token HTTP/1.1", FORM, b"Authorization: Basic " + odd),
        (b"GET /oauth/authorize?client_id=x HTTP/1.1", b"User-Agent: " + odd, b"Cookie: " + cookies),
    ]
    for lines in asked:
        body = b"email=a&password=b" if lines[0].startswith(b"POST") else b""
        assert await raw(people, *lines, body=body) < 500, lines
    assert "request failed" not in caplog.text


@pytest.mark.parametrize(
    "query",
    ["return_to=%ff", "return_to=%ED%A0%80", "return_to=/%0d%0aSet-Cookie:a=b",
     "return_to=/&return_to=//evil.example", "said=%00", "q=%00", "cursor=%ff", "client=%3Cscript%3E"],
)  # fmt: skip
async def test_odd_queries_break_no_page(people: People, caplog: pytest.LogCaptureFixture, query: str) -> None:
    await people.person("Ann", PASSWORD, "admin")
    stranger, ann = await people.browser(), await people.browser()
    await ann.sign_in("ann@example.com", PASSWORD)
    for path in ("/sign-in", "/find", "/people", "/my/connect", "/my/access", "/tokens/new"):
        for browser in (stranger, ann):
            page = await browser.get(f"{path}?{query}")
            assert page.status < 500, path
            assert not page.to or page.to == "/" or page.to.startswith("/sign-in?")
            assert "Set-Cookie:a" not in str(page.headers)
            assert "<script>alert" not in page.text
    assert "request failed" not in caplog.text


async def test_of_many_who_use_one_link_at_once_one_is_let_in(people: People) -> None:
    ann = await people.person("Ann")
    path = await people.link(ann["id"])
    browsers = [await people.browser() for _ in range(6)]
    forms = [(await browser.get(path)).value_of("csrf") for browser in browsers]

    async def used(browser: Browser, token: str, number: int) -> Shown:
        password = f"{NEW} {number}"
        return await browser.post(path, {"csrf": token, "password": password, "repeated": password})

    pages = await asyncio.gather(*(used(*one) for one in zip(browsers, forms, range(6), strict=True)))
    assert sorted(page.status for page in pages) == [303, *[410] * 5]
    assert [await browser.is_in() for browser in browsers] == [page.status == 303 for page in pages]
    assert len(await people.rows("select 1 from browser_sessions")) == 1


async def test_another_link_of_the_person_is_closed_with_the_password_that_the_first_one_set(people: People) -> None:
    ann = await people.person("Ann")
    first, second = await people.link(ann["id"]), await people.link(ann["id"])
    browser, thief = await people.browser(), await people.browser()
    assert (await browser.fill_in(first, password=NEW, repeated=NEW)).status == 303
    assert (await thief.get(second)).status == 410


async def test_who_is_in_as_another_is_told_before_a_link_makes_them_somebody_else(people: People) -> None:
    """An attacker who sends a victim the attacker's own link would read whatever the victim enters afterwards."""
    await people.person("Ann", PASSWORD)
    eve = await people.person("Eve")
    victim, stranger = await people.browser(), await people.browser()
    await victim.sign_in("ann@example.com", PASSWORD)
    path = await people.link(eve["id"])
    assert "In this browser you are Ann" in (await victim.get(path)).words
    assert "In this browser you are" not in (await stranger.get(path)).words


async def test_spellings_that_are_one_address_to_the_database_are_counted_as_one(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lower` makes an `i` of `İ` in the collation that a deployment has; Python's `casefold` does not."""
    await people.person("Iris", PASSWORD)
    claimed = door_module.passwords.claimed

    async def as_in_a_deployment(connection: Any, email: str) -> Any:
        return await claimed(connection, email.replace("İ", "i"))

    monkeypatch.setattr(door_module.passwords, "claimed", as_in_a_deployment)
    spellings = ["iris@example.com", "İris@example.com", "irİs@example.com", "İrİs@example.com"]
    statuses = [
        (await (await people.browser()).sign_in(spelling, "wrong")).status for _ in range(3) for spelling in spellings
    ]
    assert statuses == [422] * 10 + [429] * 2


async def test_whether_an_address_is_known_shows_in_no_word_no_status_and_no_header(people: People) -> None:
    await people.person("Ann", PASSWORD)
    await people.person("Nopass")
    gone = await people.person("Gone", PASSWORD)
    await people.rows("update users set disabled_at = now() where id = $1", gone["id"])
    told = []
    for email in ("ann@example.com", "nopass@example.com", "gone@example.com", "nobody@example.com"):
        pages = [await (await people.browser()).sign_in(email, "wrong") for _ in range(12)]
        told.append([(page.status, page.words, sorted(page.headers)) for page in pages])
    assert told[1:] == told[:1] * 3


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "Forwarded", "X-Original-URL", "X-Forwarded-Prefix"],
)
async def test_no_header_says_where_our_links_and_documents_lead(people: People, header: str) -> None:
    root, ann = await people.person("Root", PASSWORD, "admin"), await people.person("Ann")
    browser, said = await people.browser(), {header.replace("-", "_"): "host=evil.example;proto=https"}
    await browser.sign_in(root["email"], PASSWORD)
    token = (await browser.get(f"/people/{ann['id']}")).value_of("csrf")
    made = await browser.post(f"/people/{ann['id']}/reset-link", {"csrf": token}, **said)
    assert f"{ISSUER}/sign-in/link/" in made.text
    for path in ("/.well-known/oauth-authorization-server", "/my/connect", "/nothing"):
        page = await browser.get(path, **said)
        assert "evil.example" not in page.text + str(page.headers), path
    stranger = await people.browser()
    assert (await stranger.get("/people", **said)).to == "/sign-in?return_to=/people"


@pytest.mark.parametrize(
    ("issuer", "name", "secure"),
    [
        ("https://mcp.example.com", "__Host-archway-door", True),
        ("http://127.0.0.1:8400", "archway-door-8400", False),
        ("http://localhost:8400", "archway-door-8400", False),
        ("http://[::1]:8400", "archway-door-8400", False),
    ],
)
async def test_cookies_are_bound_to_this_host_and_seen_by_no_script(
    public_deps: PublicDeps, issuer: str, name: str, secure: bool
) -> None:
    runner, port = await listen(public_app(replace(public_deps, issuer_url=issuer)), "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/sign-in") as answer:
            cookie = answer.cookies[name]
    finally:
        await runner.cleanup()
    flags = {"secure": secure, "httponly": True, "path": "/", "domain": "", "samesite": "Lax"}
    assert {flag: type(value)(cookie[flag]) for flag, value in flags.items()} == flags
