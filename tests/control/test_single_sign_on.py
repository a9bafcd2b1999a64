"""Single sign-on with a real OpenID provider (npm `oidc-provider`), a browser and the listener for people."""

from __future__ import annotations

import time

import pytest

from control.changes import identity_providers as changes
from control.changes import teams, users
from control.changes.write import changing
from control.http.return_to import HOME
from control.identity.token_endpoint import unpacked
from control.registry.identity_provider import RoleRule, TeamRule
from control.registry.team import NewTeam
from control.registry.user import NewUser
from control.store import identities
from control.store.pool import transaction
from tests.control.corp_sign_in import Corp
from tests.fixtures_people import NOBODY, People

BEGIN_AGAIN = "Begin again at the sign-in page; it may help to close other tabs of it."


async def test_a_person_signs_in_with_their_provider_and_goes_where_they_wanted(corp: Corp, people: People) -> None:
    ann, browser = await corp.ann(), await people.browser()
    page = await corp.sign_in(browser, "ann", "/people?page=2")
    assert (page.status, page.to) == (303, "/people?page=2")
    assert await browser.is_in()
    (session,) = await people.rows("select * from browser_sessions")
    assert (session["user_id"], session["method"], session["provider_id"]) == (ann, "oidc", corp.provider.id)


async def test_the_sign_in_page_offers_the_provider(corp: Corp, people: People) -> None:
    page = await (await people.browser()).get("/sign-in?return_to=/people")
    assert "Sign in with Corp" in page.words
    assert "/sign-in/oidc/corp?return_to=%2Fpeople" in page.text


async def test_what_the_provider_gave_is_kept_sealed_for_later(corp: Corp, people: People) -> None:
    await corp.ann()
    await corp.sign_in(await people.browser(), "ann")
    async with transaction(people.pool, readonly=True) as connection:
        identity = await identities.by_subject(connection, corp.idp.issuer, "ann")
    assert identity is not None
    assert identity.tokens is not None
    tokens = unpacked(corp.deps.seals.open_provider_tokens(identity.id, identity.tokens))
    assert tokens.refresh_token
    assert tokens.refresh_token.encode() not in identity.tokens
    assert tokens.expires_at > time.time()


@pytest.mark.parametrize("whose", [pytest.param("another browser's", id="O-10: callback in another browser")])
async def test_a_return_that_this_browser_did_not_begin_is_refused(corp: Corp, people: People, whose: str) -> None:
    await corp.ann()
    back = await corp.there_and_back(await people.browser(), "ann")
    victim = await people.browser()
    page = await victim.get(back)
    assert page.status == 403
    assert not await victim.is_in()
    assert await corp.why() == [("state", BEGIN_AGAIN)]


@pytest.mark.parametrize("times", [pytest.param(2, id="O-5: state reused at our callback")])
async def test_a_return_that_comes_twice_is_refused_though_the_browser_still_has_its_cookie(
    corp: Corp, people: People, times: int
) -> None:
    await corp.ann()
    browser = await people.browser()
    back = await corp.there_and_back(browser, "ann")
    (word, value) = browser.kept("archway-oidc-")
    assert (await browser.get(back)).status == 303
    browser.keeps(word, value)
    assert (await browser.get(back)).status == 403
    assert (await corp.why())[-1][0] == "used"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("missing", id="O-5: state missing at our callback"),
        pytest.param("another", id="O-5: another state at our callback"),
        pytest.param("twice", id="O-5: another state at our callback-beside the right one"),
    ],
)
async def test_a_state_that_is_not_the_one_is_refused(corp: Corp, people: People, change: str) -> None:
    await corp.ann()
    browser = await people.browser()
    back = await corp.there_and_back(browser, "ann")
    state = back.partition("state=")[2].partition("&")[0]
    changed = {
        "missing": back.replace(f"state={state}", "x=y"),
        "another": back.replace(state, "x" * len(state)),
        "twice": f"{back}&state={state}",
    }
    assert (await browser.get(changed[change])).status == 403
    assert not await browser.is_in()


@pytest.mark.parametrize("iss", [pytest.param("iss=x", id="O-5: iss wrong at our callback")])
async def test_an_answer_of_another_provider_is_refused(corp: Corp, people: People, iss: str) -> None:
    await corp.ann()
    browser = await people.browser()
    back = await corp.there_and_back(browser, "ann")
    assert "iss=" in back  # RFC 9207; the provider says that it does
    assert (await browser.get(back.replace("iss=", iss))).status == 403
    assert await corp.why() == [("issuer", BEGIN_AGAIN)]


async def test_whoever_is_nobody_here_is_told_so_and_an_admin_is_told_what_to_do(corp: Corp, people: People) -> None:
    page = await corp.sign_in(await people.browser(), "ann")
    assert page.status == 403
    assert "Ask an administrator" in page.words
    ((why, cure),) = await corp.why()
    assert (why, "create_people" in cure) == ("nobody", True)
    assert await people.rows("select * from identities") == []


async def test_an_address_that_is_not_verified_finds_nobody(corp: Corp, people: People) -> None:
    async with changing(people.pool, NOBODY) as write:
        await users.create(write, NewUser(name="Bob", email="bob@corp.test", role="member"))
    assert (await corp.sign_in(await people.browser(), "bob")).status == 403
    assert (await corp.why())[0][0] == "not_verified"


async def test_a_newcomer_is_made_with_the_teams_and_the_role_of_the_rules(corp: Corp, people: People) -> None:
    async with changing(people.pool, NOBODY) as write:
        eng = await teams.create(write, NewTeam(name="Engineering", description=""))
    await corp.idp.person("ann", {"groups": ["eng"], "roles": ["curator"]})
    await corp.change(
        create_people=True, teams_claim="groups", roles_claim="roles", highest_role="editor",
        team_rules=(TeamRule("eng", eng.id, "editor"),), role_rules=(RoleRule("curator", "editor"),),
    )  # fmt: skip
    await corp.sign_in(await people.browser(), "ann")
    (user,) = await people.rows("select * from users where email = 'ann@corp.test'")
    assert (user["name"], user["role"]) == ("Ann Archer", "editor")
    assert [row["role"] for row in await people.rows("select role from memberships")] == ["editor"]
    await corp.idp.person("ann", {"groups": [], "roles": []})
    await corp.sign_in(await people.browser(), "ann")
    assert await people.rows("select * from memberships") == []
    assert [row["role"] for row in await people.rows("select role from users where id = $1", user["id"])] == [
        "member"
    ]


async def test_what_people_gave_is_not_taken_by_claims(corp: Corp, people: People) -> None:
    ann = await corp.ann("editor")
    async with changing(people.pool, NOBODY) as write:
        ops = await teams.create(write, NewTeam(name="Ops", description=""))
        await teams.set_member(write, ops.id, ann, "admin")
    await corp.change(
        highest_role="editor", teams_claim="groups", roles_claim="roles",
        team_rules=(TeamRule("ops", ops.id),), role_rules=(RoleRule("curator", "editor"),),
    )  # fmt: skip
    await corp.sign_in(await people.browser(), "ann")
    assert [row["role"] for row in await people.rows("select role from memberships")] == ["admin"]
    assert [row["role"] for row in await people.rows("select role from users where id = $1", ann)] == ["editor"]


async def test_a_disabled_person_does_not_get_in(corp: Corp, people: People) -> None:
    ann = await corp.ann()
    await people.person("Root", role="admin")
    await corp.sign_in(await people.browser(), "ann")
    async with changing(people.pool, NOBODY) as write:
        await users.disable(write, ann)
    browser = await people.browser()
    assert (await corp.sign_in(browser, "ann")).status == 403
    assert not await browser.is_in()


async def test_a_provider_that_is_away_or_switched_off_signs_nobody_in(corp: Corp, people: People) -> None:
    await corp.ann()
    await corp.idp.outage(on=True)
    page = await (await people.browser()).get("/sign-in/oidc/corp")
    assert page.status == 503
    assert "archway identity-providers test corp" in (await corp.why())[0][1]
    await corp.idp.outage(on=False)
    browser = await people.browser()
    assert (await browser.get("/sign-in/oidc/corp")).status == 503  # it is not asked again at once
    await people.rows("update identity_provider_states set tried_at = tried_at - interval '6 seconds'")
    back = await corp.there_and_back(browser, "ann")
    await corp.change(enabled=False)
    assert (await browser.get(back)).status == 403
    assert (await (await people.browser()).get("/sign-in/oidc/corp")).status == 403


async def test_sessions_that_a_provider_vouched_for_end_with_it(corp: Corp, people: People) -> None:
    await corp.ann()
    browser = await people.browser()
    await corp.sign_in(browser, "ann")
    assert await browser.is_in()
    await corp.change(enabled=False)
    assert not await browser.is_in()


async def test_a_wrong_secret_is_the_admins_to_mend(corp: Corp, people: People) -> None:
    await corp.ann()
    async with changing(people.pool, NOBODY) as write:
        await changes.change(write, corp.provider.id, lambda now: now, "wrong", corp.deps.safeguards)
    assert (await corp.sign_in(await people.browser(), "ann")).status == 403
    ((why, cure),) = await corp.why()
    assert "invalid_client" in why
    assert "client_secret" in cure


async def test_keys_that_rotated_between_two_sign_ins_are_found(corp: Corp, people: People) -> None:
    await corp.ann()
    assert (await corp.sign_in(await people.browser(), "ann")).status == 303
    await corp.idp.rotate()
    await people.rows("update identity_provider_states set tried_at = tried_at - interval '2 minutes'")
    assert (await corp.sign_in(await people.browser(), "ann")).status == 303


async def test_two_tabs_may_be_under_way_in_one_browser(corp: Corp, people: People) -> None:
    await corp.ann()
    browser = await people.browser()
    first = await corp.there_and_back(browser, "ann", "/people")
    second = await corp.there_and_back(browser, "ann", "/teams")
    assert (await browser.get(first)).to == "/people"
    assert (await browser.get(second)).to == "/teams"


@pytest.mark.parametrize("return_to", ["https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)"])
async def test_nobody_is_led_elsewhere(corp: Corp, people: People, return_to: str) -> None:
    await corp.ann()
    page = await corp.sign_in(await people.browser(), "ann", return_to)
    assert page.to == HOME


@pytest.mark.parametrize("slug", ["nobody", "corp2", "x" * 63])
async def test_a_provider_that_there_is_not_signs_nobody_in(corp: Corp, people: People, slug: str) -> None:
    assert (await (await people.browser()).get(f"/sign-in/oidc/{slug}")).status == 403
