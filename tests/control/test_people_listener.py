"""The listener for people: what stands before its parts, with handlers of our own behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDictProxy

from control.changes import users
from control.changes.write import changing
from control.http.listener import listen
from control.http.problems import Problem
from control.public import answering
from control.public.answering import stays_open
from control.public.app import build_app
from control.public.deps import PublicDeps
from control.public.visitor import signed_in, still_holds, visitor_of
from control.registry.user import NewUser
from control.sign_in.session import begin
from control.store.pool import StoreUnavailable, transaction
from tests.fixtures_people import NOBODY

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(deps: PublicDeps, handler: Handler) -> AsyncIterator[str]:
    """The URL of a listener whose one part is this handler."""
    routes = [web.get("/x", handler), web.get("/x/{secret}", handler)]
    runner, port = await listen(build_app(deps, [lambda _: routes]), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{port}/x"
    finally:
        await runner.cleanup()


async def asked(url: str, **headers: str) -> tuple[int, str, CIMultiDictProxy[str]]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession() as session, session.get(url, headers=sent, allow_redirects=False) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_a_bug_is_told_with_its_request_and_nothing_else(public_deps: PublicDeps, caplog) -> None:
    async def fails(_request: web.Request) -> web.Response:
        raise RuntimeError("the s3cret of it")

    async with serving(public_deps, fails) as url:
        status, text, headers = await asked(url)
        page = await asked(url, Accept="text/html")
    assert (status, headers["X-Request-Id"] in text) == (500, True)
    assert "s3cret" not in text + page[1]
    assert page[2]["Content-Type"].startswith("text/html")
    assert "request failed" in caplog.text


async def test_the_secret_of_a_link_is_in_no_line_of_the_log(public_deps: PublicDeps, caplog, monkeypatch) -> None:
    monkeypatch.setattr(answering, "ANSWER_WITHIN_S", 0.05)

    async def fails(_request: web.Request) -> web.Response:
        raise RuntimeError

    async def hangs(_request: web.Request) -> web.Response:
        await asyncio.sleep(600)
        raise AssertionError

    with caplog.at_level("DEBUG"):
        for handler in (fails, hangs):
            async with serving(public_deps, handler) as url:
                assert (await asked(url + "/s3cret-of-a-link"))[0] >= 500
    paths = [line.path for line in caplog.records if hasattr(line, "path")]
    assert paths == ["/x/...", "/x/..."]
    assert "s3cret-of-a-link" not in caplog.text


@pytest.mark.parametrize(
    ("raised", "status"),
    [(Problem(409, "<b>no</b>"), 409), (StoreUnavailable("away"), 503), (web.HTTPNotFound(), 404)],
)
async def test_a_refusal_is_a_page_for_a_browser_with_nothing_in_it_that_runs(
    public_deps: PublicDeps, raised: Exception, status: int
) -> None:
    async def refuses(_request: web.Request) -> web.Response:
        raise raised

    async with serving(public_deps, refuses) as url:
        page = await asked(url, Accept="text/html")
        problem = await asked(url)
    assert (page[0], problem[0]) == (status, status)
    assert "<b>" not in page[1]
    assert problem[2]["Content-Type"].startswith("application/problem+json")


async def test_a_handler_that_takes_too_long_is_ended_and_a_stream_goes_on(
    public_deps: PublicDeps, monkeypatch
) -> None:
    monkeypatch.setattr(answering, "ANSWER_WITHIN_S", 0.05)

    async def hangs(_request: web.Request) -> web.Response:
        await asyncio.sleep(600)
        raise AssertionError

    async def streams(request: web.Request) -> web.Response:
        stays_open(request)
        await asyncio.sleep(0.3)
        return web.Response(text="all of it")

    async with serving(public_deps, hangs) as url:
        assert (await asked(url))[0] == 503
    async with serving(public_deps, streams) as url:
        assert (await asked(url))[:2] == (200, "all of it")


async def test_who_looks_is_known_with_what_they_may_do_and_from_where(public_deps: PublicDeps) -> None:
    seen = []

    async def looks(request: web.Request) -> web.Response:
        seen.append(visitor_of(request))
        return web.Response()

    async with changing(public_deps.pool, NOBODY) as write:
        await users.create(write, NewUser(name="Root", email="root@example.com", role="admin"))
        ann = await users.create(write, NewUser(name="Ann", email="ann@example.com", role="editor"))
    async with transaction(public_deps.pool) as connection:
        secret, session = await begin(connection, ann.id, method="password", address="", agent="")
    async with serving(public_deps, looks) as url:
        for cookie in (f"archway-8400={secret}", "archway-8400=nothing", "", f"__Host-archway={secret}"):
            assert (await asked(url, Cookie=cookie, X_Forwarded_For="203.0.113.7"))[0] == 200
        async with changing(public_deps.pool, NOBODY) as write:
            await users.disable(write, ann.id)
        await asked(url, Cookie=f"archway-8400={secret}")
    visitor, *others = seen
    assert visitor is not None
    assert (visitor.caller.name, visitor.caller.role, visitor.caller.address) == ("Ann", "editor", "203.0.113.7")
    assert (visitor.session_id, visitor.csrf, bool(visitor.caller.request_id)) == (session.id, session.csrf, True)
    assert others == [None] * 4
    assert not await still_holds(public_deps, visitor)


async def test_whoever_must_sign_in_first_is_led_there_as_each_kind_of_request_can_be(
    public_deps: PublicDeps,
) -> None:
    async def needs(request: web.Request) -> web.Response:
        return web.Response(text=signed_in(request).caller.name)

    async with serving(public_deps, needs) as url:
        page = await asked(url + "?a=1", Accept="text/html")
        part = await asked(url, HX_Request="true")
        program = await asked(url)
    assert (page[0], page[2]["Location"]) == (303, "/sign-in?return_to=/x%3Fa%3D1")
    assert (part[0], part[2]["HX-Redirect"]) == (401, "/sign-in?return_to=/x")
    assert program[0] == 401


async def test_two_parts_that_claim_one_path_do_not_start(public_deps: PublicDeps) -> None:
    async def answers(_request: web.Request) -> web.Response:
        return web.Response()

    with pytest.raises((RuntimeError, ValueError)):
        build_app(public_deps, [lambda _: [web.get("/health", answers)]])


async def test_the_health_of_the_process_is_told_under_any_name(public_deps: PublicDeps) -> None:
    async def answers(_request: web.Request) -> web.Response:
        return web.Response()

    async with serving(public_deps, answers) as url:
        base = url.removesuffix("/x")
        for path, host, status in (
            ("/health", "anything", 200),
            ("/ready", "anything", 200),
            ("/x", "anything", 421),
        ):
            assert (await asked(base + path, Host=host))[0] == status
