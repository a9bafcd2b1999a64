"""Whether people are still there at their provider: with a real OpenID provider, asked with what it gave them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from control.changes import identities as identity_changes
from control.changes import identity_providers as changes
from control.changes import teams, users
from control.changes.write import changing
from control.identity.key_sets import KeySets
from control.identity.presence import OLDER_S, Presence
from control.identity.refreshes import Refreshes
from control.identity.token_endpoint import ProviderTokens, unpacked
from control.providers.asking import Asker
from control.public.deps import PublicDeps
from control.registry.identity import Identity, SignInGiven
from control.registry.identity_provider import IdentityProvider, TeamRule
from control.registry.team import NewTeam
from control.registry.user import NewUser
from control.store import identities
from control.store.pool import transaction
from tests.fakes.identity_provider import CLIENT_SECRET
from tests.fakes.identity_provider import IdentityProvider as Idp
from tests.fakes.providers import a_person, provider_fields
from tests.fixtures_idp import CALLBACK
from tests.fixtures_people import ISSUER, NOBODY, Browser, People

SCOPES = ("openid", "profile", "email", "offline_access")


@dataclass
class Signed:
    """Ann, who has signed in, and what asks about her."""

    idp: Idp
    people: People
    deps: PublicDeps
    provider: IdentityProvider
    presence: Presence
    browser: Browser
    ann: str

    async def pass_by(self, hours: float) -> None:
        """So many hours have passed since the provider was last asked about her."""
        await self.people.rows(
            """update identities set checked_at = checked_at - make_interval(hours => $1),
                   check_tried_at = check_tried_at - make_interval(hours => $1)""",
            int(hours),
        )

    async def identity(self) -> Identity:
        async with transaction(self.people.pool, readonly=True) as connection:
            (found,) = await identities.of_user(connection, self.ann)
        return found

    async def refresh_token(self) -> str:
        identity = await self.identity()
        assert identity.tokens is not None
        return unpacked(self.deps.seals.open_provider_tokens(identity.id, identity.tokens)).refresh_token

    async def is_disabled(self) -> bool:
        ((disabled,),) = await self.people.rows("select disabled_at is not null from users where id = $1", self.ann)
        return bool(disabled)


async def sign_in(idp: Idp, browser: Browser) -> int:
    off = await browser.get("/sign-in/oidc/corp")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as at_provider:
        back = await idp.sign_in(at_provider, off.to, "ann")
    assert back.startswith(ISSUER + CALLBACK)
    return (await browser.get(back.removeprefix(ISSUER))).status


@pytest.fixture
async def signed(idp: Idp, people: People, public_deps: PublicDeps) -> Signed:
    async with changing(people.pool, NOBODY) as write:
        await users.create(write, NewUser(name="Root", email="root@corp.test", role="admin"))
        ann = await users.create(write, NewUser(name="Ann", email="ann@corp.test", role="member"))
        wanted = provider_fields(issuer=idp.issuer, scopes=SCOPES)
        provider = await changes.create(write, wanted, CLIENT_SECRET, public_deps.safeguards)
    browser = await people.browser()
    assert await sign_in(idp, browser) == 303
    asker = Asker(public_deps.egress, public_deps.safeguards.addresses)
    key_sets = KeySets(people.pool, asker, public_deps.signer)
    presence = Presence(people.pool, Refreshes(people.pool, asker, key_sets, public_deps.seals))
    return Signed(idp, people, public_deps, provider, presence, browser, ann.id)


async def test_a_person_is_asked_about_once_in_four_hours(signed: Signed) -> None:
    assert await signed.presence.ask_about_due() == 0
    await signed.pass_by(OLDER_S / 3_600 + 1)
    before = await signed.refresh_token()
    assert await signed.presence.ask_about_due() == 1
    assert await signed.refresh_token() != before  # the provider gives another each time, and it is kept
    assert await signed.presence.ask_about_due() == 0
    assert await signed.browser.is_in()


async def test_whoever_has_vanished_at_the_provider_is_out(signed: Signed) -> None:
    await signed.idp.person("ann", None)
    await signed.pass_by(5)
    await signed.presence.ask_about_due()
    assert await signed.is_disabled()
    assert not await signed.browser.is_in()
    identity = await signed.identity()
    assert (identity.gone_at is not None, identity.tokens) == (True, None)
    assert await signed.presence.ask_about_due() == 0


async def test_whoever_comes_back_there_is_let_in_again_here(signed: Signed) -> None:
    await signed.idp.person("ann", None)
    await signed.pass_by(5)
    await signed.presence.ask_about_due()
    await signed.idp.reset()
    assert await sign_in(signed.idp, await signed.people.browser()) == 303
    assert not await signed.is_disabled()


async def test_whom_an_admin_shut_out_the_provider_does_not_let_in(signed: Signed) -> None:
    await signed.idp.person("ann", None)
    await signed.pass_by(5)
    await signed.presence.ask_about_due()
    async with changing(signed.people.pool, NOBODY) as write:
        await users.disable(write, signed.ann)  # who is out already: now by an admin's word
    await signed.idp.reset()
    assert await sign_in(signed.idp, await signed.people.browser()) == 403
    assert await signed.is_disabled()


async def test_an_outage_signs_nobody_out_and_is_told(signed: Signed) -> None:
    await signed.idp.outage(on=True)
    await signed.pass_by(5)
    assert await signed.presence.ask_about_due() == 1
    assert await signed.browser.is_in()
    assert (await signed.identity()).fault != ""
    assert await signed.presence.ask_about_due() == 0  # in some minutes, not at once
    await signed.idp.outage(on=False)
    await signed.pass_by(1)
    assert await signed.presence.ask_about_due() == 1
    assert (await signed.identity()).fault == ""


async def test_a_provider_that_is_away_is_asked_about_one_person_and_not_about_each(signed: Signed) -> None:
    async with changing(signed.people.pool, NOBODY) as write:
        for number in range(3):
            another = await users.create(write, NewUser(name=f"N{number}", email=f"n{number}@x.test", role="member"))
            person = a_person(issuer=signed.idp.issuer, subject=f"n{number}")
            made = await identity_changes.link(write, signed.provider, person, another.id)
            sealed = signed.deps.seals.provider_tokens(made.id, ProviderTokens(refresh_token="rt").packed())
            await identity_changes.sign_in(write, signed.provider, made, person, SignInGiven(sealed))
    await signed.idp.outage(on=True)
    await signed.pass_by(5)
    assert await signed.presence.ask_about_due() == 1


async def test_teams_follow_what_the_provider_says_when_it_is_asked(signed: Signed) -> None:
    async with changing(signed.people.pool, NOBODY) as write:
        eng = await teams.create(write, NewTeam(name="Engineering", description=""))
        ruled: dict[str, Any] = {"teams_claim": "groups", "team_rules": (TeamRule("eng", eng.id),)}
        await changes.change(
            write, signed.provider.id, lambda now: replace(now, **ruled), None, signed.deps.safeguards
        )
    await signed.pass_by(5)
    await signed.presence.ask_about_due()
    assert len(await signed.people.rows("select * from memberships where user_id = $1", signed.ann)) == 1
    await signed.idp.person("ann", {"groups": []})
    await signed.pass_by(5)
    await signed.presence.ask_about_due()
    assert await signed.people.rows("select * from memberships where user_id = $1", signed.ann) == []


async def test_the_last_admin_stays_whatever_the_provider_says(signed: Signed) -> None:
    await signed.people.rows("update users set role = case when id = $1 then 'admin' else 'member' end", signed.ann)
    await signed.idp.person("ann", None)
    await signed.pass_by(5)
    await signed.presence.ask_about_due()
    assert not await signed.is_disabled()
