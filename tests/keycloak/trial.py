"""Single sign-on and tokens at gateways with Keycloak, as its page in docs/ has it. Run by `make keycloak` alone.

What npm `oidc-provider` shows in every run of the tests (`tests/control/test_single_sign_on*.py`,
`test_provider_tokens.py`, `test_presence.py`), shown once more with the provider that many companies have.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import aiohttp
import jwt
import pytest
from yarl import URL

from control.changes import gateways, teams, users
from control.changes import identity_providers as changes
from control.changes.write import changing
from control.identity.discovery import NotApproved
from control.identity.key_sets import KeySets
from control.identity.presence import Presence
from control.identity.refreshes import Refreshes
from control.providers.asking import Asker
from control.public.deps import PublicDeps
from control.registry.identity_provider import IdentityProvider, TeamRule
from control.registry.team import NewTeam
from control.registry.user import NewUser
from core.resolve import CallerQuestion, CallerVerdict, JwtProof
from tests.control.asking_proxy import AskingProxy
from tests.fakes.keycloak import CLIENT_ID, CLIENT_SECRET, PASSWORD, Keycloak
from tests.fakes.keycloak_front import KeycloakFront
from tests.fakes.providers import provider_fields
from tests.fakes.registry import gateway_fields
from tests.fixtures_people import ISSUER, NOBODY, Browser, People, Shown

pytestmark = pytest.mark.timeout(900)  # the first test waits for Keycloak's first start
CALLBACK = "/sign-in/oidc/corp/callback"
WORK = "https://tools.test/v1/mcp/work"


@dataclass
class Corp:
    """Keycloak behind its proxy, Archway that knows it, and Ann at both. `eng`: her team here."""

    keycloak: Keycloak
    front: KeycloakFront
    people: People
    deps: PublicDeps
    proxy: AskingProxy
    key_sets: KeySets
    presence: Presence
    provider: IdentityProvider
    ann: str
    eng: str

    async def there_and_back(self, browser: Browser) -> str:
        """Off to Keycloak, where Ann signs in: the path and query with which her browser comes back."""
        off = await browser.get("/sign-in/oidc/corp")
        assert off.status == 303, off.words
        # Its cookies are for https alone, and browsers take loopback for that.
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(self.keycloak.issuer).origin())
        async with aiohttp.ClientSession(cookie_jar=jar) as at_keycloak:
            back = await self.keycloak.sign_in(at_keycloak, off.to)
        assert back.startswith(ISSUER + CALLBACK)
        return back.removeprefix(ISSUER)

    async def sign_in(self, browser: Browser) -> Shown:
        return await browser.get(await self.there_and_back(browser))

    async def signed_in(self) -> Browser:
        browser = await self.people.browser()
        page = await self.sign_in(browser)
        assert (page.status, await browser.is_in()) == (303, True), (page.words, await self.why())
        return browser

    async def given(self, client: str = "agent") -> dict[str, str]:
        """The tokens that Keycloak gives Ann's program."""
        return await self.keycloak.tokens("corp", client, username="ann", password=PASSWORD, scope="openid")

    async def verdict(self, token: str) -> CallerVerdict:
        """Control's word on a token that was shown to a proxy."""
        question = CallerQuestion.of(JwtProof.of(token))
        answer: CallerVerdict = await self.proxy.ask_again("/internal/token", question, CallerVerdict)
        return answer

    async def verdict_in_the_end(self, token: str) -> CallerVerdict:
        """The same for a token whose key is asked for: a busy Keycloak may take longer than a proxy waits."""
        for _ in range(60):
            answer = await self.verdict(token)
            if answer.principal is not None:
                break
            await asyncio.sleep(0.5)
        return answer

    async def hours_pass(self, hours: int) -> None:
        """By the clock of everything that looks at one: so long ago were keys fetched and people asked about."""
        for table, columns in {
            "identity_provider_states": ("tried_at", "fetched_at", "discovered_at"),
            "identities": ("checked_at", "check_tried_at"),
        }.items():
            moved = ", ".join(f"{column} = {column} - make_interval(hours => $1)" for column in columns)
            await self.people.rows(f"update {table} set {moved}", hours)

    async def why(self) -> list[tuple[str, str]]:
        """The reasons that an admin is told, each with the cure."""
        rows = await self.people.rows("select reason, cure from sign_in_attempts where reason <> '' order by id")
        return [(row["reason"], row["cure"]) for row in rows]


@pytest.fixture
async def front(keycloak_url: str) -> AsyncIterator[KeycloakFront]:
    async with KeycloakFront(keycloak_url) as made:
        yield made


@pytest.fixture
async def corp(
    keycloak_url: str, front: KeycloakFront, people: People, public_deps: PublicDeps, proxy: AskingProxy
) -> AsyncIterator[Corp]:
    async with aiohttp.ClientSession() as session:
        keycloak = Keycloak(keycloak_url, session, front.url)
        await keycloak.set_up(ISSUER + CALLBACK, WORK)
        async with changing(people.pool, NOBODY) as write:
            await users.create(write, NewUser(name="Root", email="root@corp.test", role="admin"))
            ann = await users.create(write, NewUser(name="Ann", email="ann@corp.test", role="member"))
            eng = await teams.create(write, NewTeam(name="Engineering", description=""))
            wanted = provider_fields(
                issuer=keycloak.issuer, client_id=CLIENT_ID,
                scopes=("openid", "profile", "email", "offline_access"), authorize_parameters={"prompt": ""},
                teams_claim="groups", team_rules=(TeamRule("eng", eng.id),), audiences=(WORK,),
            )  # fmt: skip
            provider = await changes.create(write, wanted, CLIENT_SECRET, public_deps.safeguards)
            naming = gateway_fields(identity_provider_id=provider.id, identity_provider_audience=WORK)
            await gateways.create(write, naming)
        asker = Asker(public_deps.egress, public_deps.safeguards.addresses)
        key_sets = KeySets(people.pool, asker, public_deps.signer)
        presence = Presence(people.pool, Refreshes(people.pool, asker, key_sets, public_deps.seals))
        await key_sets.refresh(provider)  # as the admin API does with each that is added or changed
        yield Corp(keycloak, front, people, public_deps, proxy, key_sets, presence, provider, ann.id, eng.id)
        await key_sets.close()


async def test_a_person_signs_in_and_is_in_the_teams_of_their_groups(corp: Corp) -> None:
    await corp.signed_in()
    members = await corp.people.rows("select user_id from memberships where team_id = $1", corp.eng)
    assert [row["user_id"] for row in members] == [corp.ann]


async def test_the_bearer_of_a_token_for_the_gateway_is_the_person(corp: Corp) -> None:
    called = await corp.verdict((await corp.given())["access_token"])
    assert called.principal is not None
    assert (called.principal.id, called.auth, called.client) == (corp.ann, "jwt", "agent")


async def test_tokens_for_anything_else_open_no_gateway(corp: Corp) -> None:
    tokens = await corp.given()
    for refused in (
        tokens["id_token"],
        tokens["refresh_token"],
        (await corp.given("agent-of-another"))["access_token"],
        (await corp.given("agent-of-all"))["access_token"],
    ):
        assert (await corp.verdict(refused)).refusal == "unknown"


async def test_a_sign_in_that_is_for_another_client_too_is_not_believed(corp: Corp) -> None:
    await corp.keycloak.also_for("another")
    page = await corp.sign_in(await corp.people.browser())
    assert page.status == 403
    ((why, cure),) = await corp.why()
    assert why.startswith("id_token: ")
    assert "client_id" in cure


async def test_keys_may_rotate_between_two_sign_ins_and_two_calls(corp: Corp) -> None:
    await corp.signed_in()
    before = (await corp.given())["access_token"]
    assert (await corp.verdict(before)).principal is not None
    await corp.keycloak.rotate()
    await corp.people.rows("update identity_provider_states set tried_at = tried_at - interval '2 minutes'")
    after = (await corp.given())["access_token"]
    assert jwt.get_unverified_header(after)["kid"] != jwt.get_unverified_header(before)["kid"]
    assert (await corp.verdict_in_the_end(after)).principal is not None
    assert (await corp.verdict(before)).principal is not None  # Keycloak publishes the key of before on
    await corp.signed_in()


async def test_an_outage_of_an_hour_takes_nobodys_access(corp: Corp) -> None:
    browser = await corp.signed_in()
    token = (await corp.given())["access_token"]
    assert (await corp.verdict(token)).principal is not None
    on_her_way = await corp.people.browser()
    back = await corp.there_and_back(on_her_way)
    await corp.hours_pass(4)
    corp.front.is_down = True
    await corp.hours_pass(1)
    assert await corp.presence.ask_about_due() == 1
    assert await browser.is_in()
    assert (await corp.verdict(token)).principal is not None
    assert (await on_her_way.get(back)).status == 503
    assert "archway identity-providers test corp" in (await corp.why())[-1][1]
    corp.front.is_down = False
    await corp.hours_pass(1)
    assert await corp.presence.ask_about_due() == 1
    assert await browser.is_in()
    await corp.signed_in()


async def test_hosts_that_are_foreign_to_the_issuer_are_used_once_they_are_approved(corp: Corp) -> None:
    corp.front.tells_host = False
    with pytest.raises(NotApproved):
        await corp.key_sets.refresh(corp.provider)
    assert (await (await corp.people.browser()).get("/sign-in/oidc/corp")).status == 503
    ((why, cure),) = await corp.why()
    assert corp.keycloak.own_origin in why
    assert "archway identity-providers test corp" in cure
    async with changing(corp.people.pool, NOBODY) as write:
        approved = await changes.change(
            write, corp.provider.id, lambda now: replace(now, approved_hosts=(corp.keycloak.own_origin,)), None,
            corp.deps.safeguards,
        )  # fmt: skip
    await corp.key_sets.refresh(approved)
    await corp.signed_in()
    assert (await corp.verdict((await corp.given())["access_token"])).principal is not None


async def test_whoever_was_disabled_there_is_out_once_they_are_asked_about(corp: Corp) -> None:
    browser = await corp.signed_in()
    await corp.hours_pass(5)
    assert await corp.presence.ask_about_due() == 1
    assert await browser.is_in()
    await corp.keycloak.disable_ann()
    await corp.hours_pass(5)
    assert await corp.presence.ask_about_due() == 1
    assert not await browser.is_in()
