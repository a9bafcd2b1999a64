"""Install links, over a real provider: off to it, back, whose account it is, and what is kept when."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from control.changes import entries, teams
from control.changes.write import changing
from control.registry.credential import StaticCredential
from control.registry.entry import Remote
from control.registry.partial import entry_with
from control.registry.team import NewTeam
from control.store import accounts
from control.store.pool import transaction
from tests.fakes.registry import a_wanted_entry
from tests.fixtures_people import NOBODY
from tests.fixtures_upstream_accounts import Hosted

NO_ONE = "0198e000-0000-7000-8000-000000000000"
NOTHING = {"installations": 0, "accounts": 0, "account_sign_ins": 0}


async def counts(hosted: Hosted) -> dict[str, int]:
    return {name: (await hosted.rows(f"select count(*) as n from {name}"))[0]["n"] for name in NOTHING}


async def test_a_person_connects_their_account_and_it_is_named_before_it_is_kept(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    page = await ann.browser.get(ann.link)
    assert urlsplit(hosted.idp.issuer).netloc in page.words
    assert "openid" in page.words
    question = await ann.come_back("ann")
    asked = await ann.browser.get(question)
    assert "Connect Hosted as ann@corp.test?" in asked.words
    assert await counts(hosted) == {**NOTHING, "account_sign_ins": 1}
    done = await ann.answer(question, "connect")
    after = await ann.browser.get(done.to)
    assert "Go back to where you came from and try again" in after.words
    (row,) = await hosted.rows("select * from accounts")
    assert (row["account_name"], row["subject"], row["issuer"]) == ("ann@corp.test", "ann", hosted.idp.issuer)
    assert row["refresh_at"] < row["expires_at"]
    async with transaction(hosted.deps.pool) as connection:
        account = await accounts.one(connection, row["installation_id"])
    assert account is not None
    tokens = hosted.deps.seals.open_account_tokens(account)
    assert (await hosted.idp.knows(tokens.access_token))["active"]
    assert tokens.refresh_token


async def test_the_provider_is_asked_for_a_code_with_pkce_state_and_the_servers_resource(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    sent = parse_qs(urlsplit((await ann.begin()).to).query)
    assert sent["code_challenge_method"] == ["S256"]
    assert sent["resource"] == [hosted.server.url]
    assert sent["redirect_uri"][0].endswith("/install/callback/hosted")
    assert len(sent["state"][0]) >= 40


async def test_where_the_address_hangs_on_answers_the_provider_is_shown_with_them_before_anybody_leaves(
    hosted: Hosted,
) -> None:
    template = {"url": hosted.server.url.replace("/mcp", "/{place}"), "fields": [{"name": "place", "type": "string"}]}
    async with changing(hosted.deps.pool, NOBODY) as write:
        change = partial(entry_with, given=template)
        await entries.change(write, hosted.deps.safeguards, hosted.entry.id, change)
    ann = await hosted.person("Ann")
    first = await ann.browser.get(ann.link)
    assert "/{place}" in first.words
    assert "it is found out with your answers" in first.words
    shown = await ann.begin(**{"values.place": "mcp"})
    assert (shown.status, await counts(hosted)) == (200, NOTHING)
    assert "Look at where you will be sent" in shown.words
    for told in (hosted.server.url, urlsplit(hosted.idp.issuer).netloc, "openid email read"):
        assert told in shown.words
    sent = {name: shown.value_of(name) for name in ("csrf", "whose", "seen", "values.place")}
    assert (await ann.browser.post(ann.link, {**sent, "values.place": "other"})).status != 303
    left = await ann.browser.post(ann.link, sent)
    assert (left.status, left.to.startswith(hosted.idp.issuer)) == (303, True)


async def test_a_server_that_asks_for_more_than_was_shown_is_looked_at_again(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    page = await ann.browser.get(ann.link)
    hosted.server.scopes.append("write")
    again = await ann.browser.post(ann.link, {name: page.value_of(name) for name in ("csrf", "whose", "seen")})
    assert (again.status, await counts(hosted)) == (200, NOTHING)
    assert "write" in again.words
    assert "Look at where you will be sent" in again.words
    left = await ann.browser.post(ann.link, {name: again.value_of(name) for name in ("csrf", "whose", "seen")})
    assert left.status == 303
    assert "write" in parse_qs(urlsplit(left.to).query)["scope"][0]


async def test_nobody_leaves_who_has_looked_at_nothing(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    page = await ann.browser.get(ann.link)
    left = await ann.browser.post(ann.link, {name: page.value_of(name) for name in ("csrf", "whose")})
    assert (left.status, await counts(hosted)) == (200, NOTHING)


async def test_another_account_is_not_asked_for_more_than_was_shown_either(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    question = await ann.come_back("ann")
    hosted.server.scopes.append("write")
    back = await ann.answer(question, "another")
    assert (back.status, urlsplit(back.to).path, await counts(hosted)) == (303, ann.link, NOTHING)
    assert "write" in (await ann.browser.get(back.to)).words


async def test_the_host_that_one_is_sent_to_is_shown_to_its_end(hosted: Hosted) -> None:
    host = f"accounts.good.example.{'.'.join(['a' * 50] * 3)}.evil.example"
    typed = {"issuer": f"https://{host}", "client_id": "archway", "resource": "omit", "scopes": ["read"]}
    typed |= {"authorization_endpoint": f"https://{host}/authorize", "token_endpoint": f"https://{host}/token"}
    async with changing(hosted.deps.pool, NOBODY) as write:
        change = partial(entry_with, given={"credential_placement": typed})
        await entries.change(write, hosted.deps.safeguards, hosted.entry.id, change)
    ann = await hosted.person("Ann")
    assert f"You will be sent to {host}" in (await ann.browser.get(ann.link)).words


async def test_an_answer_at_another_entrys_callback_is_used_for_nothing(hosted: Hosted) -> None:
    """A server that sends people on to somebody else's provider gets no code of that provider."""
    ann = await hosted.person("Ann")
    back = await ann.sign_in_there((await ann.begin()).to, "ann")
    assert back.startswith("/install/callback/hosted?")
    elsewhere = await ann.browser.get(back.replace("/callback/hosted?", "/callback/another?"))
    assert "came from another provider" in elsewhere.words
    assert await counts(hosted) == NOTHING
    assert (await ann.browser.get(back)).status == 400


async def test_the_pages_say_where_the_token_goes(hosted: Hosted) -> None:
    ann, url = await hosted.person("Ann"), hosted.server.url
    assert url in (await ann.browser.get(ann.link)).words
    assert url in (await ann.browser.get(await ann.come_back("ann"))).words


async def test_archway_registers_itself_once_for_all_people_of_an_entry(hosted: Hosted) -> None:
    for name in ("Ann", "Bob"):
        await (await hosted.person(name)).connect(name.lower())
    (client,) = await hosted.rows("select * from upstream_clients")
    assert client["client_secret"] is not None
    assert {row["client_id"] for row in await hosted.rows("select client_id from accounts")} == {client["client_id"]}


@pytest.mark.parametrize(
    "whose", ["user:0198e000-0000-7000-8000-000000000000", "team:0198e000-0000-7000-8000-000000000000", "nonsense"]
)
async def test_a_link_for_somebody_else_shows_and_does_nothing(hosted: Hosted, whose: str) -> None:
    ann = await hosted.person("Ann")
    path = f"{ann.link}?as={whose}"
    page = await ann.browser.get(path)
    assert page.status == 403
    assert "This link is for" in page.words
    assert "Hosted" not in page.words
    sent = await ann.browser.post(path, {"csrf": page.value_of("csrf"), "whose": "personal"})
    assert sent.status == 403
    assert await counts(hosted) == NOTHING


async def test_a_link_for_the_person_themselves_offers_only_their_own(hosted: Hosted) -> None:
    ann = await hosted.person("Ann", role="admin")
    page = await ann.browser.get(f"{ann.link}?as=user:{ann.user['id']}")
    assert page.value_of("whose") == "personal"
    assert "whole organisation" not in page.words


async def test_a_teams_link_is_for_an_editor_of_the_team_and_for_no_member(hosted: Hosted) -> None:
    ann, bob = await hosted.person("Ann"), await hosted.person("Bob")
    async with changing(hosted.deps.pool, NOBODY) as write:
        team = await teams.create(write, NewTeam(name="Support", description=""))
        await teams.set_member(write, team.id, ann.user["id"], "editor")
        await teams.set_member(write, team.id, bob.user["id"], "member")
    page = await ann.browser.get(f"{ann.link}?as=team:{team.id}")
    assert page.status == 200
    assert page.value_of("whose") == f"team:{team.id}"
    assert (await bob.browser.get(f"{bob.link}?as=team:{team.id}")).status == 403


async def test_an_entry_that_one_may_not_see_has_no_link(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    async with changing(hosted.deps.pool, NOBODY) as write:
        team = await teams.create(write, NewTeam(name="Others", description=""))
        shown = {"visibility": "teams", "teams": [team.id]}
        await entries.change(write, hosted.deps.safeguards, hosted.entry.id, lambda now: entry_with(now, shown))
    assert (await ann.browser.get(ann.link)).status == 404


async def test_an_answer_counts_once(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    back = await ann.sign_in_there((await ann.begin()).to, "ann")
    assert (await ann.browser.get(back)).status == 303
    again = await ann.browser.get(back)
    assert again.status == 400
    assert "has come before" in again.words


async def test_whoever_must_begin_again_is_led_to_where_they_began(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    for_ann = f'href="/install/hosted?as=user%3A{ann.user["id"]}"'
    back = await ann.sign_in_there((await ann.begin()).to, "ann")
    question = (await ann.browser.get(back)).to
    assert for_ann in (await ann.browser.get(back)).text
    assert for_ann in (await ann.answer(question, "cancel")).text
    installation = await ann.connect("ann")
    again = f"{ann.link}?installation={installation}"
    assert f'href="{again}"' in (await ann.answer(await ann.come_back("ann", again), "cancel")).text


async def test_another_browser_of_the_same_person_cannot_end_it(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    back = await ann.sign_in_there((await ann.begin()).to, "ann")
    other = await hosted.people.browser()
    await other.sign_in(ann.user["email"], "correct horse battery")
    page = await other.get(back)
    assert page.status == 403
    assert "another browser" in page.words
    assert (await ann.browser.get(back)).status == 303, "it still waits for the browser that began it"


async def test_another_person_cannot_end_it_or_see_whose_account_it_is(hosted: Hosted) -> None:
    ann, bob = await hosted.person("Ann"), await hosted.person("Bob")
    back = await ann.sign_in_there((await ann.begin()).to, "ann")
    assert (await bob.browser.get(back)).status == 403
    question = (await ann.browser.get(back)).to
    assert (await bob.browser.get(question)).status == 400
    csrf = (await bob.browser.get(bob.link)).value_of("csrf")
    assert (await bob.browser.post(f"{question}/connect", {"csrf": csrf})).status == 400
    assert (await counts(hosted))["accounts"] == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": "", "error": "access_denied"}, "did not let you in"),
        ({"code": "", "error": "server_error"}, "server_error"),
        ({"iss": "https://evil.example"}, "another provider"),
        ({"iss": ""}, "another provider"),
        ({"code": ""}, "without a code"),
        ({"code": "made-up"}, "does not take its own code"),
    ],
)
async def test_an_answer_that_is_no_good_says_why_and_keeps_nothing(
    hosted: Hosted, changes: dict[str, str], said: str
) -> None:
    ann = await hosted.person("Ann")
    back = urlsplit(await ann.sign_in_there((await ann.begin()).to, "ann"))
    answer = {name: values[0] for name, values in parse_qs(back.query).items()} | changes
    query = "&".join(f"{name}={value}" for name, value in answer.items() if value)
    page = await ann.browser.get(f"{back.path}?{query}")
    assert page.status == 400
    assert said in page.words
    assert "Begin again" in page.words
    assert await counts(hosted) == NOTHING


async def test_a_parameter_that_comes_twice_is_no_answer(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    back = await ann.sign_in_there((await ann.begin()).to, "ann")
    page = await ann.browser.get(f"{back}&code=another")
    assert page.status == 400


async def test_after_ten_minutes_it_is_over(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    back = await ann.sign_in_there((await ann.begin()).to, "ann")
    await hosted.rows("update account_sign_ins set expires_at = now() - interval '1 second'")
    page = await ann.browser.get(back)
    assert page.status == 400
    assert "ten minutes" in page.words
    await hosted.unended.sweep()
    assert await counts(hosted) == NOTHING


async def test_of_one_person_twenty_are_under_way_at_most(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    for _ in range(22):
        assert (await ann.begin()).status == 303
    await hosted.unended.sweep()
    assert (await counts(hosted))["account_sign_ins"] == 20


async def test_an_entry_that_moves_while_somebody_is_away_gets_no_code_and_no_account(hosted: Hosted) -> None:
    ann, bob = await hosted.person("Ann"), await hosted.person("Bob")
    back = await ann.sign_in_there((await ann.begin()).to, "ann")
    question = await bob.come_back("bob")
    async with changing(hosted.deps.pool, NOBODY) as write:
        await entries.change(
            write,
            hosted.deps.safeguards,
            hosted.entry.id,
            lambda now: replace(entry_with(now, {}), reached=Remote("https://elsewhere.example/mcp")),
        )
    tokens_asked = (await hosted.idp.counts()).get("/token", 0)
    page = await ann.browser.get(back)
    assert "was changed while you were away" in page.words
    assert (await hosted.idp.counts()).get("/token", 0) == tokens_asked
    assert "was changed meanwhile" in (await bob.answer(question, "connect")).words
    assert (await counts(hosted))["accounts"] == 0


async def test_signing_in_again_says_when_it_is_another_account(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    installation = await ann.connect("ann")
    again = f"{ann.link}?installation={installation}"
    assert "Account so far" in (await ann.browser.get(again)).words
    ann.jar.cookie_jar.clear()
    question = await ann.come_back("bob", again)
    asked = await ann.browser.get(question)
    assert "another account than so far: that was ann@corp.test" in asked.words
    assert (await ann.answer(question, "connect")).status == 303
    (row,) = await hosted.rows("select account_name, version from accounts")
    assert row == {"account_name": "bob@corp.test", "version": 2}


async def test_the_next_sign_in_asks_for_what_it_had_and_what_the_server_needs(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    installation = await ann.connect("ann")
    async with transaction(hosted.deps.pool) as connection:
        await accounts.want_scopes(connection, installation, ["write"], 100)
    begun = await ann.begin(f"{ann.link}?installation={installation}")
    asked = parse_qs(urlsplit(begun.to).query)["scope"][0].split()
    assert {"openid", "email", "read", "write"} <= set(asked)


async def test_an_entry_with_scopes_asks_nobody_for_more_whatever_the_server_wants(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    installation = await ann.connect("ann")
    async with transaction(hosted.deps.pool) as connection:
        await accounts.want_scopes(connection, installation, ["write"], 100)
    async with changing(hosted.deps.pool, NOBODY) as write:
        scopes = {"credential_placement": {"scopes": ["openid"]}}
        await entries.change(write, hosted.deps.safeguards, hosted.entry.id, partial(entry_with, given=scopes))
    for link in (ann.link, f"{ann.link}?installation={installation}"):
        begun = await ann.begin(link, name="another")
        assert parse_qs(urlsplit(begun.to).query)["scope"] == ["openid"], link


async def test_nobody_else_signs_in_for_a_persons_installation(hosted: Hosted) -> None:
    ann, root = await hosted.person("Ann"), await hosted.person("Root", "admin")
    installation = await ann.connect("ann")
    page = await root.browser.get(f"{root.link}?installation={installation}")
    assert page.status == 403


async def test_the_same_page_takes_a_key_where_the_entry_asks_for_one(hosted: Hosted) -> None:
    async with changing(hosted.deps.pool, NOBODY) as write:
        wanted = a_wanted_entry(
            "https://keys.example/mcp", slug="keyed", name="Keyed", credential=StaticCredential("bearer")
        )
        await entries.create(write, hosted.deps.safeguards, wanted)
    ann = await hosted.person("Ann")
    refused = await ann.begin("/install/keyed", credential="")
    assert refused.status == 422
    made = await ann.begin("/install/keyed", credential="k-1")
    assert made.status == 303
    (row,) = await hosted.rows("select id, secret_names from installations")
    again = f"/install/keyed?installation={row['id']}"
    assert "One is stored" in (await ann.browser.get(again)).words
    assert (await ann.begin(again, credential="k-2")).status == 303


async def test_a_second_one_of_a_name_is_refused_before_anybody_goes_to_the_provider(
    hosted: Hosted,
) -> None:
    ann = await hosted.person("Ann")
    await ann.connect("ann", name="mine")
    again = await ann.begin(name="mine")
    assert again.status == 409
    assert "mine" in again.words


async def test_no_secret_of_a_sign_in_is_on_a_page_in_a_log_or_readable_in_a_row(
    hosted: Hosted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ann = await hosted.person("Ann")
    begun = await ann.begin()
    state = parse_qs(urlsplit(begun.to).query)["state"][0]
    back = await ann.sign_in_there(begun.to, "ann")
    code = parse_qs(urlsplit(back).query)["code"][0]
    question = (await ann.browser.get(back)).to
    asked = await ann.browser.get(question)
    done = await ann.answer(question, "connect")
    shown = await ann.browser.get(done.to)
    (row,) = await hosted.rows("select installation_id from accounts")
    async with transaction(hosted.deps.pool) as connection:
        account = await accounts.one(connection, row["installation_id"])
    assert account is not None
    tokens = hosted.deps.seals.open_account_tokens(account)
    tables = ("accounts", "account_sign_ins", "upstream_clients", "audit", "installations", "outbox")
    kept = "".join([str(await hosted.rows(f"select * from {name}")) for name in tables])
    told = caplog.text + asked.text + shown.text + kept
    for secret in (state, code, tokens.access_token, tokens.refresh_token):
        assert secret not in told
