"""Who a person of a provider is here, on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from control.changes import identities as changes
from control.changes import identity_providers, roles
from control.changes.write import Write, changing
from control.identity.matching import Unmatched, matched
from control.registry.identity_provider import IdentityProvider
from control.store.pool import Pool
from tests.fakes.providers import a_person, provider_fields
from tests.unit.control.changes.acting import ADMIN, SAFEGUARDS, new_role, new_user

MAKES = {"create_people": True}


async def provider(write: Write, **fields: Any) -> IdentityProvider:
    return await identity_providers.create(write, provider_fields(**fields), "secret", SAFEGUARDS)


async def refused(pool: Pool, person: Any, **fields: Any) -> str:
    """Why a person is nobody, where Ann is a member with the address ann@corp.test."""
    async with changing(pool, ADMIN) as write:
        await ann(write)
        made = await provider(write, **fields)
        with pytest.raises(Unmatched) as nobody:
            await matched(write, made, person)
    return nobody.value.why


async def ann(write: Write, role: Any = "member") -> str:
    user = await new_user(write, "ann", role)
    await write.connection.execute("update users set email = 'Ann@corp.test' where id = $1", user.id)
    return user.id


async def test_a_verified_address_of_an_allowed_domain_finds_a_person_once_and_for_ever(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        user_id, made = await ann(write), await provider(write)
        first = await matched(write, made, a_person(email="ann@CORP.test"))
        again = await matched(write, made, a_person(email="", email_verified=False))
    assert (first.user_id, again.id) == (user_id, first.id)


NOBODY = {
    "email_verified false": (a_person(email_verified=False), {}, "not_verified"),
    "a@b@c": (a_person(email=""), {}, "no_email"),  # what claims.py makes of it
    "a domain that the IdP is not allowed": (a_person(email="ann@other.test"), {}, "foreign_domain"),
    "a domain below an allowed one": (a_person(email="ann@x.corp.test"), {}, "foreign_domain"),
    "no domain allowed": (a_person(), {"allowed_domains": ()}, "foreign_domain"),
    "matching switched off": (a_person(), {"match_email": False, **MAKES}, "nobody"),
    "nobody with the address": (a_person(email="bob@corp.test"), {}, "nobody"),
}


@pytest.mark.parametrize(("person", "fields", "why"), [pytest.param(*case, id=name) for name, case in NOBODY.items()])
async def test_nobody_is_found_by_an_address_that_proves_nothing(
    pool: Pool, person: Any, fields: dict[str, Any], why: str
) -> None:
    assert await refused(pool, person, **fields) == why


@pytest.mark.parametrize("subject", [pytest.param("ann", id="A-5: same sub at two IdPs")])
async def test_the_same_subject_at_two_issuers_is_two_people(pool: Pool, subject: str) -> None:
    async with changing(pool, ADMIN) as write:
        one = await provider(write, **MAKES)
        other = await provider(write, slug="other", issuer="https://other.example.com", **MAKES)
        here = await matched(write, one, a_person(subject=subject))
        there = await matched(write, other, a_person(subject=subject, issuer=other.issuer, email="ann2@corp.test"))
    assert here.user_id != there.user_id


async def test_an_address_that_was_given_again_finds_nobody_who_is_known_by_another_account(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        await ann(write)
        made = await provider(write)
        known = await matched(write, made, a_person())
        with pytest.raises(Unmatched) as nobody:
            await matched(write, made, a_person(subject="ann-who-came-later"))
        await changes.unlink(write, known.id)
        later = await matched(write, made, a_person(subject="ann-who-came-later"))
    assert nobody.value.why == "other_subject"
    assert later.user_id == known.user_id


@pytest.mark.parametrize("highest", ["member", "editor"])
async def test_nobody_is_found_who_may_do_more_than_the_provider_may_give(pool: Pool, highest: str) -> None:
    async with changing(pool, ADMIN) as write:
        await ann(write, "admin")
        made = await provider(write, highest_role=highest)
        with pytest.raises(Unmatched) as nobody:
            await matched(write, made, a_person())
    assert nobody.value.why == "higher_role"


async def test_a_role_of_ones_own_counts_as_what_somebody_may_do(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        user_id, made = await ann(write), await provider(write)
        reader = await new_role(write, "Auditor", "audit:read")
        await roles.give(write, reader.id, user_id)
        with pytest.raises(Unmatched) as nobody:
            await matched(write, made, a_person())
    assert nobody.value.why == "higher_role"


async def test_whoever_is_not_here_yet_is_made_a_member_where_the_settings_say_so(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await provider(write, **MAKES)
        identity = await matched(write, made, a_person(name=""))
        user = await write.connection.fetchrow("select name, email, role from users where id = $1", identity.user_id)
    assert tuple(user) == ("ann", "ann@corp.test", "member")
