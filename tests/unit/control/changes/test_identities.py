from __future__ import annotations

from typing import Any

import pytest

from control.changes import identities, kept_tokens, teams, users
from control.changes.write import Write, changing
from control.registry.actions import Role
from control.registry.identity import Identity, SignInGiven
from control.registry.identity_provider import IdentityProvider
from control.sign_in.session import begin
from control.store import browser_sessions
from control.store import identities as stored
from control.store.pool import Pool, StoreConflict
from tests.fakes.providers import ISSUER, a_person
from tests.unit.control.changes.acting import ADMIN, audit_of, new_provider, new_team, new_user


async def known(write: Write, role: Role = "member") -> tuple[IdentityProvider, Identity]:
    """A provider, and a user who is known by it; and an admin beside them."""
    await new_user(write, "Root", "admin")
    provider = await new_provider(write, "corp", ISSUER, highest_role="admin")
    user = await new_user(write, "ann", role)
    return provider, await identities.link(write, provider, a_person(), user.id)


async def role_of(write: Write, identity: Identity) -> str:
    return str(await write.connection.fetchval("select role from users where id = $1", identity.user_id))


async def again(write: Write, identity: Identity) -> Identity:
    found = await stored.one(write.connection, identity.id)
    assert found is not None
    return found


async def test_an_identity_is_one_users(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider, _ = await known(write)
        other = await new_user(write, "bea")
    with pytest.raises(StoreConflict, match="identities_subject"):
        async with changing(pool, ADMIN) as write:
            await identities.link(write, provider, a_person(), other.id)


@pytest.mark.parametrize(
    ("before", "claimed", "after"),
    [
        ("member", ["editor"], "editor"),
        ("member", ["editor", "member"], "member"),
        ("member", ["admin", "editor"], "editor"),
        ("editor", ["member"], "editor"),
        ("editor", ["admin", "member"], "member"),
        ("admin", ["editor"], "admin"),
    ],
    ids=[
        "raised",
        "raised and lowered",
        "lowered to less",
        "given by people",
        "above what people gave",
        "an admin's",
    ],
)
async def test_a_role_follows_the_claims_that_gave_it(
    pool: Pool, before: Role, claimed: list[Role], after: str
) -> None:
    async with changing(pool, ADMIN) as write:
        provider, identity = await known(write, before)
        for role in claimed:
            await identities.apply_claims(write, provider, await again(write, identity), a_person(role=role))
        assert await role_of(write, identity) == after


async def test_a_role_is_never_more_than_the_providers_highest(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider = await new_provider(write, "corp", ISSUER, highest_role="member")
        identity = await identities.make_person(write, provider, a_person())
        assert not await identities.apply_claims(write, provider, identity, a_person(role="admin"))
        assert await role_of(write, identity) == "member"


async def test_the_last_admin_keeps_their_role_whatever_claims_say(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider, identity = await known(write)
        await identities.apply_claims(write, provider, identity, a_person(role="admin"))
        await write.connection.execute("update users set role = 'member' where id <> $1", identity.user_id)
        now = await again(write, identity)
        assert not await identities.apply_claims(write, provider, now, a_person(role="member"))
        assert await role_of(write, identity) == "admin"


async def test_teams_come_and_go_with_claims(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider, identity = await known(write)
        red, blue = await new_team(write, "Red"), await new_team(write, "Blue")

        async def claims(**teams_given: Any) -> dict[str, str]:
            await identities.apply_claims(write, provider, identity, a_person(teams=teams_given["teams"]))
            standing = await stored.standing(write.connection, identity.user_id, provider.id)
            assert standing is not None
            return dict(standing.teams)

        assert await claims(teams={red.id: "member"}) == {red.id: "member"}
        assert await claims(teams={red.id: "admin", blue.id: "member"}) == {red.id: "admin", blue.id: "member"}
        assert await claims(teams=None) == {red.id: "admin", blue.id: "member"}
        assert await claims(teams={blue.id: "member"}) == {blue.id: "member"}
        assert await claims(teams={}) == {}


async def test_a_rule_for_a_team_that_is_gone_gives_nothing(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider, identity = await known(write)
        red = await new_team(write, "Red")
        await teams.delete(write, red.id)
        assert not await identities.apply_claims(write, provider, identity, a_person(teams={red.id: "member"}))


async def test_whether_claims_would_change_something_is_known_before(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider, identity = await known(write)
        red = await new_team(write, "Red")
        for person in (a_person(), a_person(teams={red.id: "member"}), a_person(role="editor"), a_person(teams={})):
            now = await again(write, identity)
            standing = await stored.standing(write.connection, identity.user_id, provider.id)
            assert standing is not None
            foreseen = identities.differs(standing, now, person)
            assert await identities.apply_claims(write, provider, now, person) is foreseen


async def test_what_came_back_once_does_not_come_back(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        assert await identities.use_state(write, "a" * 64, 60.0)
        assert not await identities.use_state(write, "a" * 64, 60.0)
        assert await identities.use_state(write, "b" * 64, 60.0)


async def test_an_answer_about_tokens_of_before_a_sign_in_changes_nothing(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider, identity = await known(write)
        asked = await identities.sign_in(write, provider, identity, a_person(), SignInGiven(b"one"))
        await identities.sign_in(write, provider, identity, a_person(), SignInGiven(b"two"))
        assert not await kept_tokens.keep(write, asked, b"three", None)
        assert not await identities.shut_out(write, provider, asked)
        assert (await again(write, identity)).tokens == b"two"


async def test_the_trail_names_the_provider_that_changed_somebody(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider, identity = await known(write)
    async with changing(pool, identities.acting_for(provider)) as write:
        await identities.apply_claims(write, provider, identity, a_person(role="editor"))
    assert (await audit_of(pool))[-1]["actor"] == "identity provider Corp"


async def test_whom_people_shut_out_stays_out_when_they_sign_in(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider, identity = await known(write)
        await users.disable(write, identity.user_id)
        await identities.sign_in(write, provider, identity, a_person(), SignInGiven())
        standing = await stored.standing(write.connection, identity.user_id, provider.id)
    assert standing is not None
    assert standing.disabled


async def test_who_is_unlinked_is_out_of_the_browsers_that_the_provider_let_them_into(pool: Pool) -> None:
    """Perhaps it was somebody else, who had been given the address."""
    async with changing(pool, ADMIN) as write:
        provider, identity = await known(write)
        other = await new_user(write, "bea")
        ways: dict[str, Any] = {
            "by it": {"method": "oidc", "provider_id": provider.id},
            "not": {"method": "password"},
        }
        begun = {
            (user_id, how): (await begin(write.connection, user_id, address="", agent="", **way))[1].id
            for user_id in (identity.user_id, other.id)
            for how, way in ways.items()
        }
        await identities.unlink(write, identity.id)
        left = {
            one.id
            for user_id in (identity.user_id, other.id)
            for one in await browser_sessions.of_user(write.connection, user_id)
        }
    assert left == set(begun.values()) - {begun[identity.user_id, "by it"]}
