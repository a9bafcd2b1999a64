"""Signing in and out with a browser, over the listener for people, a real PostgreSQL and a real Valkey."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

import pytest

from control.changes import users
from control.changes.write import changing
from control.http.listener import listen
from control.http.return_to import HOME
from control.public.app import build_app
from control.public.deps import PublicDeps
from control.redis import Redis
from control.sign_in.door import Door
from control.sign_in.passwords import Passwords
from control.sign_in.routes import routes
from control.sign_in.throttling import BY_NAME
from tests.fixtures_people import NOBODY, PASSWORD, WEAK, People

OTHER = "another long password"


async def test_a_person_signs_in_with_their_password_and_goes_where_they_wanted(people: People) -> None:
    ann, browser = await people.person("Ann", PASSWORD), await people.browser()
    page = await browser.sign_in("ANN@example.com ", PASSWORD, "/people?page=2")
    assert (page.status, page.to) == (303, "/people?page=2")
    assert await browser.is_in()
    (session,) = await people.rows("select * from browser_sessions")
    assert (session["user_id"], session["method"]) == (ann["id"], "password")
    assert (session["address"], session["agent"]) == ("203.0.113.1", "Firefox/150")


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@example.com", "wrong horse battery"),
        ("ann@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("bea@example.com", PASSWORD),
        ("dan@example.com", PASSWORD),
        ("", ""),
        ("x" * 5_000, PASSWORD),
    ],
    ids=["wrong", "empty", "unknown", "no password", "disabled", "nothing", "long"],
)
async def test_whoever_may_not_come_in_is_told_the_same(people: People, email: str, password: str) -> None:
    await people.person("Ann", PASSWORD)
    await people.person("Bea")
    dan = await people.person("Dan", PASSWORD)
    await people.person("Root", role="admin")
    async with changing(people.pool, NOBODY) as write:
        await users.disable(write, dan["id"])
    browser = await people.browser()
    page = await browser.sign_in(email, password)
    assert page.status == 422
    assert "The address or the password is wrong." in page.words
    assert password not in page.text or not password
    assert not await browser.is_in()
    assert not browser.cookie("archway")


async def test_what_failed_and_who_came_is_noted(people: People) -> None:
    ann, browser = await people.person("Ann", PASSWORD), await people.browser()
    await browser.sign_in(ann["email"], "wrong horse battery")
    await browser.sign_in(ann["email"], PASSWORD)
    failed, came = await people.rows("select * from sign_in_attempts order by id")
    assert (failed["user_id"], bool(failed["reason"]), bool(failed["cure"])) == (ann["id"], True, True)
    assert (came["user_id"], came["step"], came["reason"]) == (ann["id"], "signed_in", "")
    (line,) = await people.rows("select * from audit where object_kind = 'session'")
    assert (line["actor"], line["action"], line["address"]) == ("Ann", "create", "203.0.113.1")


async def test_no_password_and_no_secret_stands_anywhere(people: People) -> None:
    ann, browser = await people.person("Ann", PASSWORD), await people.browser()
    await browser.sign_in(ann["email"], PASSWORD)
    kept = []
    for table in await people.rows("select tablename from pg_tables where schemaname = 'public'"):
        kept += await people.rows(f"select t::text as line from {table['tablename']} t")
    everything = "\n".join(one["line"] for one in kept)
    assert ann["email"] in everything
    for secret in (PASSWORD, browser.cookie("archway"), browser.cookie("archway-device")):
        assert secret
        assert secret not in everything


async def test_a_form_of_another_site_or_without_our_cookie_signs_nobody_in(people: People) -> None:
    ann, browser = await people.person("Ann", PASSWORD), await people.browser()
    page = await browser.get("/sign-in")
    fields = {"csrf": page.value_of("csrf"), "email": ann["email"], "password": PASSWORD}
    assert (await browser.post("/sign-in", fields, Sec_Fetch_Site="cross-site")).status == 403
    assert (await browser.post("/sign-in", {**fields, "csrf": "x" * 43})).status == 403
    without = await people.browser()
    refused = await without.post("/sign-in", fields)
    assert (refused.status, "allow cookies" in refused.words) == (403, True)
    assert not await browser.is_in()


async def test_a_page_that_needs_a_person_leads_to_the_sign_in_page_and_back(people: People) -> None:
    ann, browser = await people.person("Ann", PASSWORD), await people.browser()
    page = await browser.get("/my/password?x=1")
    assert (page.status, page.to) == (303, "/sign-in?return_to=/my/password%3Fx%3D1")
    door = await browser.get(page.to)
    assert door.value_of("return_to") == "/my/password?x=1"
    done = await browser.sign_in(ann["email"], PASSWORD, door.value_of("return_to"))
    assert (await browser.get(done.to)).status == 200
    assert (await browser.get("/my/password", Accept="application/json")).status == 200
    stranger = await people.browser()
    assert (await stranger.get("/my/password", Accept="application/json")).status == 401


async def test_signing_out_ends_the_session_and_needs_its_form(people: People) -> None:
    ann, browser = await people.person("Ann", PASSWORD), await people.browser()
    await browser.sign_in(ann["email"], PASSWORD)
    kept = browser.cookie("archway")
    token = (await browser.get("/my/password")).value_of("csrf")
    assert (await browser.post("/sign-out", {"csrf": "x" * 43})).status == 403
    assert await browser.is_in()
    out = await browser.post("/sign-out", {"csrf": token})
    assert (out.status, out.to) == (303, "/sign-in")
    browser.keeps("archway", kept)
    assert not await browser.is_in()


async def test_a_person_who_is_disabled_is_out_at_the_next_request(people: People) -> None:
    ann, browser = await people.person("Ann", PASSWORD), await people.browser()
    await people.person("Root", role="admin")
    await browser.sign_in(ann["email"], PASSWORD)
    async with changing(people.pool, NOBODY) as write:
        await users.disable(write, ann["id"])
    assert (await browser.get("/my/password")).status == 303


async def test_an_invitation_asks_for_a_password_and_lets_in_once(people: People) -> None:
    ann, browser = await people.person("Ann"), await people.browser()
    path = await people.link(ann["id"], "invitation")
    assert "Welcome, Ann" in (await browser.get(path)).words
    done = await browser.fill_in(path, password=PASSWORD, repeated=PASSWORD)
    assert (done.status, done.to) == (303, HOME)
    assert await browser.is_in()
    again = await people.browser()
    assert (await again.get(path)).status == 410
    assert (await again.sign_in(ann["email"], PASSWORD)).status == 303


async def test_looking_at_a_link_uses_nothing_up(people: People) -> None:
    ann, browser = await people.person("Ann"), await people.browser()
    path = await people.link(ann["id"], "invitation")
    for method in ("GET", "HEAD", "GET"):
        assert (await browser.send(method, path, Sec_Fetch_Site="cross-site")).status == 200
    assert (await browser.fill_in(path, password=PASSWORD, repeated=PASSWORD)).status == 303


@pytest.mark.parametrize(
    ("password", "repeated", "why"),
    [
        ("short", "short", "at least 12"),
        (PASSWORD, OTHER, "not the same"),
        ("ann@example.com", "ann@example.com", "name"),
    ],
)
async def test_a_password_that_will_not_do_is_said_at_its_field_and_the_link_stays_open(
    people: People, password: str, repeated: str, why: str
) -> None:
    ann, browser = await people.person("Ann"), await people.browser()
    path = await people.link(ann["id"], "invitation")
    page = await browser.fill_in(path, password=password, repeated=repeated)
    assert (page.status, why in page.words, 'aria-invalid="true"' in page.text) == (422, True, True)
    assert not re.search(r'type="password"[^>]* value=', page.text)
    assert (await browser.fill_in(path, password=PASSWORD, repeated=PASSWORD)).status == 303


async def test_a_reset_ends_all_sessions_and_the_old_password(people: People) -> None:
    ann, old, new = await people.person("Ann", PASSWORD), await people.browser(), await people.browser()
    await old.sign_in(ann["email"], PASSWORD)
    path = await people.link(ann["id"])
    assert await old.is_in()
    assert (await new.fill_in(path, password=OTHER, repeated=OTHER)).status == 303
    assert (await old.is_in(), await new.is_in()) == (False, True)
    assert (await old.sign_in(ann["email"], PASSWORD)).status == 422
    assert (await old.sign_in(ann["email"], OTHER)).status == 303


async def test_the_first_admins_link_signs_in_with_one_click_and_once(people: People) -> None:
    root, browser = await people.person("Root", role="admin"), await people.browser()
    path = await people.link(root["id"], "sign_in")
    assert (await browser.fill_in(path)).to == HOME
    assert await browser.is_in()
    assert (await (await people.browser()).get(path)).status == 410


@pytest.mark.parametrize("secret", ["x" * 43, "short", "%2e%2e", "a" * 300])
async def test_a_made_up_link_is_closed(people: People, secret: str) -> None:
    page = await (await people.browser()).get(f"/sign-in/link/{secret}")
    assert page.status in {404, 410}
    assert "Traceback" not in page.text


async def test_a_person_changes_their_password_and_is_out_everywhere_else(people: People) -> None:
    ann, here, there = await people.person("Ann", PASSWORD), await people.browser(), await people.browser()
    for browser in (here, there):
        await browser.sign_in(ann["email"], PASSWORD)
    before = here.cookie("archway")
    wrong = await here.fill_in("/my/password", current="no", password=OTHER, repeated=OTHER)
    assert (wrong.status, "is not your password" in wrong.words) == (422, True)
    assert await there.is_in()
    done = await here.fill_in("/my/password", current=PASSWORD, password=OTHER, repeated=OTHER)
    assert done.status == 303
    assert (await here.is_in(), await there.is_in()) == (True, False)
    assert here.cookie("archway") != before


async def test_the_password_of_a_session_that_somebody_took_over_cannot_be_tried_forever(people: People) -> None:
    ann, browser = await people.person("Ann", PASSWORD), await people.browser()
    await browser.sign_in(ann["email"], PASSWORD)
    tries = [
        (await browser.fill_in("/my/password", current="no", password=OTHER, repeated=OTHER)).status
        for _ in range(40)
    ]
    assert tries[0] == 422
    assert tries[-1] == 429


async def test_strangers_guesses_lock_out_no_browser_that_is_known_and_no_session(people: People) -> None:
    ann, known = await people.person("Ann", PASSWORD), await people.browser()
    await known.sign_in(ann["email"], PASSWORD)
    stranger = await people.browser()
    for _ in range(BY_NAME.burst - 1):  # the first was the person's own
        last = await stranger.sign_in(ann["email"], "guess after guess")
    refused = await stranger.sign_in(ann["email"], PASSWORD)
    assert (last.status, refused.status) == (422, 429)
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many attempts" in refused.words
    assert await known.is_in()
    token = (await known.get("/my/password")).value_of("csrf")
    await known.post("/sign-out", {"csrf": token})
    assert (await known.sign_in(ann["email"], PASSWORD)).status == 303


async def test_a_device_that_is_known_for_one_person_is_a_strangers_for_another(people: People) -> None:
    ann, bea = await people.person("Ann", PASSWORD), await people.person("Bea", PASSWORD)
    browser = await people.browser()
    await browser.sign_in(ann["email"], PASSWORD)
    token = (await browser.get("/my/password")).value_of("csrf")
    await browser.post("/sign-out", {"csrf": token})
    statuses = [(await browser.sign_in(bea["email"], "guess after guess")).status for _ in range(BY_NAME.burst + 1)]
    assert statuses[-1] == 429


async def test_a_link_lets_in_whom_strangers_have_kept_from_signing_in_anew(people: People) -> None:
    ann, stranger = await people.person("Ann", PASSWORD), await people.browser()
    for _ in range(BY_NAME.burst + 1):
        await stranger.sign_in(ann["email"], "guess after guess")
    browser = await people.browser()
    assert (await browser.sign_in(ann["email"], PASSWORD)).status == 429
    assert (await browser.fill_in(await people.link(ann["id"]), password=OTHER, repeated=OTHER)).status == 303


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1:8400", 200), ("localhost", 200), ("evil.example", 421), ("10.0.0.1", 421)]
)
async def test_the_listener_answers_under_its_own_names_alone(people: People, host: str, status: int) -> None:
    browser = await people.browser()
    assert (await browser.get("/sign-in", Host=host)).status == status
    assert (await browser.get("/health", Host=host)).status == 200


async def test_a_path_that_is_none_is_a_page_for_people_and_a_problem_for_programs(people: People) -> None:
    browser = await people.browser()
    page = await browser.get("/nothing-here")
    assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "Not here" in page.words
    problem = await browser.get("/nothing-here", Accept="*/*")
    assert (problem.status, problem.headers["Content-Type"]) == (404, "application/problem+json")


async def test_every_answer_has_the_headers_that_keep_a_page_to_itself(people: People) -> None:
    browser = await people.browser()
    for page in (await browser.get("/sign-in"), await browser.get("/nothing-here")):
        policy = page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Request-Id"]


async def test_a_body_that_is_too_large_or_no_form_is_refused(people: People) -> None:
    browser = await people.browser()
    page = await browser.get("/sign-in")
    large = await browser.post("/sign-in", {"csrf": page.value_of("csrf"), "email": "x" * 200_000})
    assert large.status == 413
    token = page.value_of("csrf")
    assert (await browser.post("/sign-in", {"csrf": token}, Content_Type="application/json")).status == 415


async def test_people_sign_in_with_redis_away_and_guesses_are_bounded_here(public_deps: PublicDeps) -> None:
    async with Redis("redis://127.0.0.1:1/0", deadline_s=0.5) as away, AsyncExitStack() as ending:
        deps = replace(public_deps, redis=away)
        door = Door(deps, Passwords(WEAK))
        runner, port = await listen(build_app(deps, [partial(routes, door=door)]), "127.0.0.1", 0)
        ending.push_async_callback(runner.cleanup)
        people = People(deps.pool, f"http://127.0.0.1:{port}", ending)
        ann, known = await people.person("Ann", PASSWORD), await people.browser()
        assert (await known.sign_in(ann["email"], PASSWORD)).status == 303
        stranger = await people.browser()
        tries = [(await stranger.sign_in(ann["email"], "guess after guess")).status for _ in range(BY_NAME.burst)]
        assert (tries[0], tries[-1]) == (422, 429)
        assert (await known.fill_in("/my/password", current=PASSWORD, password=OTHER, repeated=OTHER)).status == 303
