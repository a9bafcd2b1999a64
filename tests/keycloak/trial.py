"""Single sign-on and tokens at gateways with Keycloak, as its page in docs/ has it. Run by `make keycloak` alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from control.changes import gateways, teams, users
from control.changes import identity_providers as changes
from control.changes.write import changing
from control.identity.asking import Asker
from control.identity.key_sets import KeySets
from control.identity.presence import Presence
from control.public.deps import PublicDeps
from control.registry.identity_provider import TeamRule
from control.registry.team import NewTeam
from control.registry.user import NewUser
from core.resolve import CallerQuestion, CallerVerdict, JwtProof
from tests.control.asking_proxy import AskingProxy
from tests.fakes.keycloak import CLIENT_ID, CLIENT_SECRET, PASSWORD, Keycloak, running
from tests.fakes.providers import provider_fields
from tests.fakes.registry import gateway_fields
from tests.fixtures_people import ISSUER, NOBODY, People

CALLBACK = "/sign-in/oidc/corp/callback"
WORK = "https://tools.test/v1/mcp/work"


@pytest.fixture(scope="module")
def keycloak_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data: Path = tmp_path_factory.mktemp("keycloak")
    with running(data) as url:
        yield url


@pytest.fixture
async def keycloak(keycloak_url: str) -> AsyncIterator[Keycloak]:
    async with aiohttp.ClientSession() as session:
        made = Keycloak(keycloak_url, session)
        await made.set_up(ISSUER + CALLBACK, WORK)
        yield made


@pytest.mark.timeout(900)
async def test_a_person_signs_in_is_asked_about_calls_and_is_out_when_they_are_gone(
    keycloak: Keycloak, people: People, public_deps: PublicDeps, proxy: AskingProxy
) -> None:
    async with changing(people.pool, NOBODY) as write:
        await users.create(write, NewUser(name="Root", email="root@corp.test", role="admin"))
        ann = await users.create(write, NewUser(name="Ann", email="ann@corp.test", role="member"))
        eng = await teams.create(write, NewTeam(name="Engineering", description=""))
        wanted = provider_fields(
            issuer=keycloak.issuer, client_id=CLIENT_ID, scopes=("openid", "profile", "email", "offline_access"),
            authorize_parameters={"prompt": ""}, teams_claim="groups", team_rules=(TeamRule("eng", eng.id),),
            audiences=(WORK,),
        )  # fmt: skip
        provider = await changes.create(write, wanted, CLIENT_SECRET, public_deps.safeguards)
        naming = gateway_fields(identity_provider_id=provider.id, identity_provider_audience=WORK)
        await gateways.create(write, naming)

    browser = await people.browser()
    off = await browser.get("/sign-in/oidc/corp")
    # Its cookies are for https alone, and browsers take loopback for that.
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(keycloak.issuer).origin())
    async with aiohttp.ClientSession(cookie_jar=jar) as at_keycloak:
        back = await keycloak.sign_in(at_keycloak, off.to)
    page = await browser.get(back.removeprefix(ISSUER))
    assert (page.status, await browser.is_in()) == (303, True), page.words
    members = await people.rows("select user_id from memberships where team_id = $1", eng.id)
    assert [row["user_id"] for row in members] == [ann.id]

    async def verdict() -> CallerVerdict:
        given = await keycloak.tokens("corp", "agent", username="ann", password=PASSWORD, scope="openid")
        answer: CallerVerdict = await proxy.ask_again(
            "/internal/token", CallerQuestion.of(JwtProof.of(given["access_token"])), CallerVerdict
        )
        refused: CallerVerdict = await proxy.ask_again(
            "/internal/token", CallerQuestion.of(JwtProof.of(given["id_token"])), CallerVerdict
        )
        assert refused.principal is None
        return answer

    called = await verdict()
    assert called.principal is not None
    assert (called.principal.id, called.client) == (ann.id, "agent")
    await keycloak.rotate()
    await people.rows("update identity_provider_states set tried_at = tried_at - interval '2 minutes'")
    assert (await verdict()).principal is not None

    asker = Asker(public_deps.egress, public_deps.safeguards.addresses)
    presence = Presence(people.pool, asker, KeySets(people.pool, asker, public_deps.signer), public_deps.seals)
    await people.rows("update identities set checked_at = checked_at - interval '5 hours'")
    assert await presence.ask_about_due() == 1
    assert await browser.is_in()
    await keycloak.disable_ann()
    await people.rows("update identities set checked_at = checked_at - interval '5 hours', check_tried_at = null")
    assert await presence.ask_about_due() == 1
    assert not await browser.is_in()
