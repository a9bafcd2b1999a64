"""Changes of how people sign in, without HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from control.changes import people, tokens, users
from control.changes.refusals import NotAllowed, NotNow, NotThere
from control.changes.write import Write, changing
from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.sign_in_link import Purpose
from control.sign_in.session import begin, new_secret
from control.store import browser_sessions, known_devices, sign_in_links
from control.store.pool import Pool, transaction
from core.tokens import digest
from tests.unit.control.changes.acting import ADMIN, NOBODY, audit_of, forget, new_user

HASH, OTHER_HASH = "$argon2id$one", "$argon2id$two"


@dataclass(slots=True)
class Two:
    """An admin and a member, as callers."""

    root: Caller
    ann: Caller


@pytest.fixture
async def two(pool: Pool) -> Two:
    async with changing(pool, ADMIN) as write:
        root, ann = await new_user(write, "Root", "admin"), await new_user(write, "Ann")
    await forget(pool)
    return Two(Caller(root.id, "Root", "admin"), Caller(ann.id, "Ann", "member"))


async def made(write: Write, user_id: str, purpose: Purpose = "reset") -> str:
    secret = new_secret()
    await people.make_link(write, user_id, purpose, digest(secret))
    return secret


async def is_open(pool: Pool, secret: str) -> bool:
    async with transaction(pool, readonly=True) as connection:
        return await sign_in_links.open_by_digest(connection, digest(secret)) is not None


async def sessions_of(pool: Pool, user_id: str) -> list[str]:
    async with transaction(pool, readonly=True) as connection:
        return [one.id for one in await browser_sessions.of_user(connection, user_id)]


async def signed_in(pool: Pool, user_id: str) -> str:
    async with transaction(pool) as connection:
        return (await begin(connection, user_id, method="password", address="", agent=""))[1].id


async def test_a_link_opens_once(pool: Pool, two: Two) -> None:
    async with changing(pool, two.root) as write:
        secret = await made(write, two.ann.user_id)
    assert await is_open(pool, secret)
    async with changing(pool, two.ann) as write:
        assert (await people.use_link(write, digest(secret))).state == "used"
    assert not await is_open(pool, secret)
    with pytest.raises(NotThere):
        async with changing(pool, two.ann) as write:
            await people.use_link(write, digest(secret))


async def test_of_many_who_open_it_at_once_one_is_let_in(pool: Pool, two: Two) -> None:
    async with changing(pool, two.root) as write:
        secret = await made(write, two.ann.user_id)

    async def opens() -> bool:
        try:
            async with changing(pool, two.ann) as write:
                await people.use_link(write, digest(secret))
                await asyncio.sleep(0.05)
        except NotThere:
            return False
        return True

    assert sum(await asyncio.gather(*(opens() for _ in range(5)))) == 1


async def test_a_link_is_its_persons_alone(pool: Pool, two: Two) -> None:
    async with changing(pool, two.root) as write:
        secret = await made(write, two.ann.user_id)
    with pytest.raises(NotThere):
        async with changing(pool, two.root) as write:
            await people.use_link(write, digest(secret))
    assert await is_open(pool, secret)


async def test_a_link_that_is_too_old_or_of_somebody_disabled_opens_nothing(pool: Pool, two: Two) -> None:
    async with changing(pool, two.root) as write:
        old, shut = await made(write, two.ann.user_id), await made(write, two.ann.user_id)
    async with transaction(pool) as connection:
        await connection.execute(
            "update sign_in_links set expires_at = expires_at - interval '24 hours' where digest = $1", digest(old)
        )
    assert (await is_open(pool, old), await is_open(pool, shut)) == (False, True)
    async with changing(pool, two.root) as write:
        await users.disable(write, two.ann.user_id)
    assert not await is_open(pool, shut)


async def test_a_link_that_is_taken_back_opens_nothing(pool: Pool, two: Two) -> None:
    async with changing(pool, two.root) as write:
        secret = await made(write, two.ann.user_id)
        link = await sign_in_links.open_by_digest(write.connection, digest(secret))
        assert link is not None
        await people.delete_link(write, two.ann.user_id, link.id)
        with pytest.raises(NotThere):
            await people.delete_link(write, two.ann.user_id, link.id)
    assert not await is_open(pool, secret)


async def test_nobody_but_an_admin_makes_or_takes_back_a_link_not_even_for_themselves(pool: Pool, two: Two) -> None:
    async with changing(pool, two.ann) as write:
        with pytest.raises(NotAllowed, match="Only an admin"):
            await made(write, two.ann.user_id)
        with pytest.raises(NotThere):
            await people.delete_link(write, two.ann.user_id, NOBODY)


async def test_an_admin_who_was_demoted_meanwhile_makes_none(pool: Pool, two: Two) -> None:
    async with changing(pool, ADMIN) as write:
        await new_user(write, "Other", "admin")
        await users.change(write, two.root.user_id, {"role": "member"})
    async with changing(pool, two.root) as write:
        with pytest.raises(NotAllowed):
            await made(write, two.ann.user_id)


async def test_a_token_that_ends_makes_no_link_since_what_it_leads_to_does_not(pool: Pool, two: Two) -> None:
    ends = datetime.now(UTC) + timedelta(days=1)
    async with changing(pool, ADMIN) as write:
        token, _ = await tokens.create(
            write, tokens.WantedToken(name="t", use="api", user_id=two.root.user_id, expires_at=ends)
        )
    async with changing(pool, replace(two.root, token_id=token.id, token_expires_at=ends)) as write:
        with pytest.raises(NotAllowed, match="ends"):
            await made(write, two.ann.user_id)


async def test_somebody_disabled_gets_no_link_nor_an_invitation_who_has_a_password(pool: Pool, two: Two) -> None:
    async with changing(pool, two.ann) as write:
        await people.set_password(write, HASH)
    async with changing(pool, two.root) as write:
        with pytest.raises(NotNow, match="password already"):
            await made(write, two.ann.user_id, "invitation")
        await users.disable(write, two.ann.user_id)
        with pytest.raises(NotNow, match="disabled"):
            await made(write, two.ann.user_id)
        with pytest.raises(NotThere):
            await made(write, NOBODY)


async def test_a_way_in_without_a_password_is_for_oneself(pool: Pool, two: Two) -> None:
    async with changing(pool, two.root) as write:
        await made(write, two.root.user_id, "sign_in")
        with pytest.raises(BrokenRule):
            await made(write, two.ann.user_id, "sign_in")


async def test_one_person_has_so_many_links_and_the_oldest_goes(pool: Pool, two: Two) -> None:
    async with changing(pool, two.root) as write:
        secrets = [await made(write, two.ann.user_id) for _ in range(11)]
    assert [await is_open(pool, one) for one in secrets] == [False] + [True] * 10


async def test_a_password_that_is_set_ends_sessions_closes_links_and_forgets_devices(pool: Pool, two: Two) -> None:
    async with changing(pool, two.root) as write:
        secret = await made(write, two.ann.user_id)
        await known_devices.remember(write.connection, "d" * 64, two.ann.user_id)
    await signed_in(pool, two.ann.user_id)
    mine = await signed_in(pool, two.root.user_id)
    async with changing(pool, two.ann) as write:
        await people.set_password(write, HASH)
    assert await sessions_of(pool, two.ann.user_id) == []
    assert await sessions_of(pool, two.root.user_id) == [mine]
    assert not await is_open(pool, secret)
    async with transaction(pool) as connection:
        assert not await known_devices.is_known(connection, "d" * 64, two.ann.user_id)


async def test_the_trail_says_that_a_password_was_set_and_nothing_of_it(pool: Pool, two: Two) -> None:
    for hashed in (HASH, OTHER_HASH):
        async with changing(pool, two.ann) as write:
            await people.set_password(write, hashed)
    first, second = await audit_of(pool)
    assert first["before"] == {"user_id": two.ann.user_id, "changed_at": None}
    assert first["after"] == second["before"]
    assert HASH not in str([dict(first), dict(second)])
    assert (first["actor"], first["object_kind"]) == ("Ann", "password")


async def test_a_hash_that_is_made_anew_ends_nothing_and_a_password_that_changed_meanwhile_stays(
    pool: Pool, two: Two
) -> None:
    async with changing(pool, two.ann) as write:
        await people.set_password(write, HASH)
    session = await signed_in(pool, two.ann.user_id)
    async with changing(pool, two.ann) as write:
        await people.hash_anew(write, "$argon2id$older", "$argon2id$x")
        await people.hash_anew(write, HASH, OTHER_HASH)
    async with transaction(pool) as connection:
        assert await connection.fetchval("select hash from passwords") == OTHER_HASH
    assert await sessions_of(pool, two.ann.user_id) == [session]


async def test_a_person_ends_their_own_sessions_and_an_admin_anybodys(pool: Pool, two: Two) -> None:
    his, hers = await signed_in(pool, two.root.user_id), await signed_in(pool, two.ann.user_id)
    async with changing(pool, two.ann) as write:
        for act in (people.end_session(write, his), people.end_sessions_of(write, two.root.user_id)):
            with pytest.raises(NotThere):
                await act
        await people.end_session(write, hers)
        assert await people.end_sessions_of(write, two.ann.user_id) == 0
    hers = await signed_in(pool, two.ann.user_id)
    kept = await signed_in(pool, two.ann.user_id)
    async with changing(pool, two.root) as write:
        assert await people.end_sessions_of(write, two.ann.user_id, but=kept) == 1
        await people.end_session(write, kept)
        with pytest.raises(NotThere):
            await people.end_session(write, hers)
        with pytest.raises(NotThere):
            await people.end_sessions_of(write, NOBODY)


async def test_the_trail_tells_of_each_session_that_was_ended_and_no_secret(pool: Pool, two: Two) -> None:
    await signed_in(pool, two.ann.user_id)
    await signed_in(pool, two.ann.user_id)
    async with changing(pool, two.root) as write:
        await people.end_sessions_of(write, two.ann.user_id)
    lines = await audit_of(pool)
    assert [(line["action"], line["object_kind"]) for line in lines] == [("delete", "session")] * 2
    assert "csrf" not in str([dict(line) for line in lines])
