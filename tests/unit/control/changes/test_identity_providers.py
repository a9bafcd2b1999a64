from __future__ import annotations

from dataclasses import replace

import pytest

from control.changes import gateways, identities, identity_providers, teams, users
from control.changes.refusals import NotNow, NotThere, Stale
from control.changes.write import changing
from control.registry.broken_rule import BrokenRule
from control.registry.identity_provider import Endpoints
from control.store import identity_providers as stored
from control.store.pool import Pool, transaction
from core.key_sets import PublicKey
from tests.fakes.providers import ISSUER, a_person
from tests.fakes.registry import gateway_fields
from tests.unit.control.changes.acting import ADMIN, NOBODY, SAFEGUARDS, new_provider, new_team, new_user, outbox_of

KEY = PublicKey("RSA", "a", n="n", e="AQAB")
ENDPOINTS = Endpoints(f"{ISSUER}/a", f"{ISSUER}/t", f"{ISSUER}/k")


async def test_a_secret_is_kept_sealed_for_its_provider(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_provider(write, "corp", ISSUER)
    assert made.client_secret is not None
    assert b"secret" not in made.client_secret
    assert SAFEGUARDS.seals.open_client_secret(made.id, made.client_secret) == "secret"


async def test_what_was_seen_of_one_issuer_is_forgotten_with_it(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_provider(write, "corp", ISSUER)
        await identity_providers.claim_try(write, made.id, 60.0)
        await identity_providers.keep_endpoints(write, made, ENDPOINTS)
        await identity_providers.keep_keys(write, made, [KEY], [])
        moved = await identity_providers.change(
            write, made.id, lambda now: replace(now, issuer="https://other.test"), "another", SAFEGUARDS
        )
        state = await stored.state(write.connection, made.id)
        assert await identity_providers.keep_keys(write, made, [KEY], []) is None  # of the issuer before
    assert moved.issuer == "https://other.test"
    assert (state.endpoints, state.keys, state.fetched_at, state.revision) == (None, (), None, 2)
    assert ("provider", ISSUER, 0) in await outbox_of(pool)


async def test_an_issuer_by_which_people_are_known_stays(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_provider(write, "corp", ISSUER)
        await identities.make_person(write, made, a_person())
    with pytest.raises(NotNow):
        async with changing(pool, ADMIN) as write:
            await identity_providers.change(
                write, made.id, lambda now: replace(now, issuer="https://other.test"), "x", SAFEGUARDS
            )


async def test_a_revision_rises_with_other_keys_and_not_with_the_same(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_provider(write, "corp", ISSUER)
        await identity_providers.claim_try(write, made.id, 60.0)
        revisions = []
        for keys in ([KEY], [KEY], [KEY, replace_kid("b")], [replace_kid("b"), KEY]):
            state = await identity_providers.keep_keys(write, made, keys, [])
            assert state is not None
            revisions.append(state.revision)
    assert revisions == [1, 1, 2, 2]
    assert [kind for kind, _, _ in await outbox_of(pool)].count("provider") == 3  # the provider itself, and two news


def replace_kid(kid: str) -> PublicKey:
    return PublicKey("RSA", kid, n="m", e="AQAB")


async def test_one_of_all_who_ask_at_once_may_ask_the_provider(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_provider(write, "corp", ISSUER)
        tries = [await identity_providers.claim_try(write, made.id, 60.0) for _ in range(3)]
        assert await identity_providers.claim_try(write, made.id, 0.0)
    assert tries == [True, False, False]


async def test_a_provider_that_a_gateway_names_cannot_go(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_provider(write, "corp", ISSUER, audiences=("api://a",))
        await gateways.create(write, gateway_fields(identity_provider_id=made.id))
    with pytest.raises(NotNow, match="work"):
        async with changing(pool, ADMIN) as write:
            await identity_providers.delete(write, made.id)


async def test_what_a_provider_gave_goes_with_it_and_what_people_gave_stays(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        await new_user(write, "Root", "admin")
        made = await new_provider(write, "corp", ISSUER)
        given, kept = await new_team(write, "Given"), await new_team(write, "Kept")
        identity = await identities.make_person(write, made, a_person())
        await teams.set_member(write, kept.id, identity.user_id, "admin")
        person = a_person(teams={given.id: "member", kept.id: "member"}, role="editor")
        assert await identities.apply_claims(write, made, identity, person)
        await identity_providers.delete(write, made.id)
        held = await write.connection.fetch(
            "select team_id, role from memberships where user_id = $1", identity.user_id
        )
        role = await write.connection.fetchval("select role from users where id = $1", identity.user_id)
    assert [(row["team_id"], row["role"]) for row in held] == [(kept.id, "admin")]
    assert role == "member"


async def test_a_change_of_what_somebody_else_changed_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_provider(write, "corp", ISSUER)
    for act, refusal in ((made.version + 1, Stale),):
        with pytest.raises(refusal):
            async with changing(pool, ADMIN) as write:
                await identity_providers.delete(write, made.id, act)
    with pytest.raises(NotThere):
        async with changing(pool, ADMIN) as write:
            await identity_providers.delete(write, NOBODY)


async def test_nobody_gives_more_by_rules_than_the_highest_role(pool: Pool) -> None:
    with pytest.raises(BrokenRule):
        async with changing(pool, ADMIN) as write:
            await new_provider(write, "corp", "http://id.example.com")
    async with transaction(pool, readonly=True) as connection:
        assert await stored.all_enabled(connection) == []


async def test_people_of_a_provider_that_is_switched_off_are_announced(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_provider(write, "corp", ISSUER)
        identity = await identities.make_person(write, made, a_person())
        await identity_providers.change(write, made.id, lambda now: replace(now, enabled=False), None, SAFEGUARDS)
    assert ("user", identity.user_id, 0) in await outbox_of(pool)
    async with changing(pool, ADMIN) as write:
        assert (await users.change(write, identity.user_id, {"name": "Ann"})).name == "Ann"
