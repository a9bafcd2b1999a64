"""Rows O-11 and O-12: nobody is signed in as another without knowing it, and a sign-in leads nowhere but to us."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import pytest

from control.http.return_to import HOME
from tests.fixtures_people import PASSWORD, People, people, public_deps
from tests.fixtures_postgres import database, pool, postgres

__all__ = ["database", "people", "pool", "postgres", "public_deps"]
NEW = "another long password"
Attack = Callable[[People], Awaitable[None]]


async def of_another_site(people: People) -> None:
    """The attacker's page sends the victim's browser a form that signs it in as the attacker."""
    await people.person("Eve", PASSWORD)
    victim = await people.browser()
    token = (await victim.get("/sign-in")).value_of("csrf")
    fields = {"csrf": token, "email": "eve@example.com", "password": PASSWORD}
    for headers in (
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "", "Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "", "Origin": "null"},
        {"Sec_Fetch_Site": ""},
    ):
        assert (await victim.post("/sign-in", fields, **headers)).status == 403
    assert not await victim.is_in()


async def of_a_site_beside_ours(people: People) -> None:
    await people.person("Eve", PASSWORD)
    victim = await people.browser()
    token = (await victim.get("/sign-in")).value_of("csrf")
    fields = {"csrf": token, "email": "eve@example.com", "password": PASSWORD}
    assert (await victim.post("/sign-in", fields, Sec_Fetch_Site="same-site")).status == 403
    assert not await victim.is_in()


async def without_our_cookie(people: People) -> None:
    await people.person("Eve", PASSWORD)
    victim = await people.browser()
    fields = {"csrf": "x" * 43, "email": "eve@example.com", "password": PASSWORD}
    assert (await victim.post("/sign-in", fields)).status == 403
    assert not await victim.is_in()


async def with_another_browsers_token(people: People) -> None:
    await people.person("Eve", PASSWORD)
    victim, eve = await people.browser(), await people.browser()
    await victim.get("/sign-in")
    token = (await eve.get("/sign-in")).value_of("csrf")
    fields = {"csrf": token, "email": "eve@example.com", "password": PASSWORD}
    assert (await victim.post("/sign-in", fields)).status == 403
    assert not await victim.is_in()


async def by_get(people: People) -> None:
    """A link in a page signs nobody in, not even with everything in it."""
    eve = await people.person("Eve", PASSWORD)
    victim = await people.browser()
    token = (await victim.get("/sign-in")).value_of("csrf")
    await victim.get(f"/sign-in?csrf={token}&email=eve@example.com&password={PASSWORD.replace(' ', '+')}")
    await victim.get(await people.link(eve["id"]))
    assert not await victim.is_in()


async def planted_and_nobodys(people: People) -> None:
    """A session that the attacker made up is not taken over: the person gets another."""
    await people.person("Ann", PASSWORD)
    victim, eve = await people.browser(), await people.browser()
    for browser in (victim, eve):
        browser.keeps("archway", "planted" * 6)
    assert (await victim.sign_in("ann@example.com", PASSWORD)).status == 303
    assert (await victim.is_in(), await eve.is_in()) == (True, False)


async def planted_and_the_attackers(people: People) -> None:
    """The victim's browser was given the attacker's own session: signing in ends it, for the attacker too."""
    await people.person("Ann", PASSWORD)
    await people.person("Eve", PASSWORD)
    victim, eve = await people.browser(), await people.browser()
    await eve.sign_in("eve@example.com", PASSWORD)
    token = (await victim.get("/sign-in")).value_of("csrf")
    victim.keeps("archway", eve.cookie("archway"))
    fields = {"csrf": token, "email": "ann@example.com", "password": PASSWORD}
    assert (await victim.post("/sign-in", fields)).status == 303
    assert victim.cookie("archway") != eve.cookie("archway")
    assert (await victim.is_in(), await eve.is_in()) == (True, False)


async def from_before(people: People) -> None:
    """Signing in again gives another secret, and the one before opens nothing."""
    ann = await people.person("Ann", PASSWORD)
    browser, other = await people.browser(), await people.browser()
    await browser.sign_in("ann@example.com", PASSWORD)
    other.keeps("archway", browser.cookie("archway"))
    assert await other.is_in()
    assert (await browser.fill_in(await people.link(ann["id"]), password=NEW, repeated=NEW)).status == 303
    assert (await browser.is_in(), await other.is_in()) == (True, False)


async def rotated_by_a_password(people: People) -> None:
    await people.person("Ann", PASSWORD)
    browser, thief = await people.browser(), await people.browser()
    await browser.sign_in("ann@example.com", PASSWORD)
    thief.keeps("archway", browser.cookie("archway"))
    assert (await browser.fill_in("/my/password", current=PASSWORD, password=NEW, repeated=NEW)).status == 303
    assert (await browser.is_in(), await thief.is_in()) == (True, False)


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(of_another_site, id="O-11: a form of another site"),
        pytest.param(of_a_site_beside_ours, id="O-11: a form of a site beside ours"),
        pytest.param(without_our_cookie, id="O-11: a form without our cookie"),
        pytest.param(with_another_browsers_token, id="O-11: a form with another browser's token"),
        pytest.param(by_get, id="O-11: a form by GET"),
        pytest.param(planted_and_nobodys, id="O-11: a planted session that is nobody's"),
        pytest.param(planted_and_the_attackers, id="O-11: a planted session that is the attacker's"),
        pytest.param(from_before, id="O-11: a session from before is over"),
        pytest.param(rotated_by_a_password, id="O-11: a new password rotates the session"),
    ],
)
async def test_nobody_is_signed_in_as_another_and_no_session_is_taken_over(attack: Attack, people: People) -> None:
    await attack(people)


async def after_a_password(people: People) -> None:
    """303: the browser does not send the password on, as it would with 307."""
    await people.person("Ann", PASSWORD)
    assert (await (await people.browser()).sign_in("ann@example.com", PASSWORD)).status == 303


async def after_a_link(people: People) -> None:
    ann = await people.person("Ann")
    path = await people.link(ann["id"], "invitation")
    page = await (await people.browser()).fill_in(path, password=PASSWORD, repeated=PASSWORD)
    assert (page.status, page.to) == (303, HOME)


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(after_a_password, id="O-12: 303 after a password"),
        pytest.param(after_a_link, id="O-12: 303 after a link"),
    ],
)
async def test_what_was_sent_to_us_is_sent_nowhere_else(attack: Attack, people: People) -> None:
    await attack(people)


@pytest.mark.parametrize(
    ("return_to", "to"),
    [
        pytest.param("https://evil.example/", HOME, id="O-12: return_to: another site"),
        pytest.param("//evil.example/", HOME, id="O-12: return_to: no scheme"),
        pytest.param("/\\evil.example/", HOME, id="O-12: return_to: a backslash"),
        pytest.param("/\t/evil.example/", HOME, id="O-12: return_to: a tab"),
        pytest.param("/people\r\nLocation: https://evil.example/", HOME, id="O-12: return_to: a new line"),
        pytest.param("javascript:alert(1)", HOME, id="O-12: return_to: javascript"),
        pytest.param("data:text/html,x", HOME, id="O-12: return_to: data"),
        pytest.param("@evil.example/", HOME, id="O-12: return_to: user info"),
        pytest.param("/people?page=2", "/people?page=2", id="O-12: return_to: a local path"),
    ],
)
async def test_a_sign_in_leads_nowhere_but_to_us(return_to: str, to: str, people: People) -> None:
    await people.person("Ann", PASSWORD)
    browser = await people.browser()
    assert (await browser.sign_in("ann@example.com", PASSWORD, return_to)).to == to
    page = await browser.get("/sign-in?return_to=" + quote(return_to, safe=""))
    assert (page.status, page.to) == (303, to)
