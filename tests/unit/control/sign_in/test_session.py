"""Browser sessions, over a real PostgreSQL."""

from __future__ import annotations

import pytest

from control.changes import users
from control.changes.write import changing
from control.sign_in.session import begin, end, session_by
from control.store import browser_sessions
from control.store.pool import Pool, StoreConflict, transaction
from core.identifiers import new_id
from tests.unit.control.changes.acting import ADMIN, new_user

FROM = {"address": "192.0.2.1", "agent": "Firefox/150"}


@pytest.fixture
async def ann(pool: Pool) -> str:
    async with changing(pool, ADMIN) as write:
        await new_user(write, "Root", "admin")
        return (await new_user(write, "Ann")).id


async def begun(pool: Pool, user_id: str, **how: str) -> str:
    async with transaction(pool) as connection:
        secret, _ = await begin(connection, user_id, **{"method": "password", **FROM, **how})  # type: ignore[arg-type]
    return secret


async def holds(pool: Pool, secret: str) -> bool:
    async with transaction(pool) as connection:
        return await session_by(connection, secret) is not None


async def moved(pool: Pool, column: str, by: str) -> None:
    """As if it had happened earlier."""
    async with transaction(pool) as connection:
        await connection.execute(f"update browser_sessions set {column} = {column} - interval '{by}'")


async def test_a_session_is_found_by_its_secret_which_is_kept_nowhere(pool: Pool, ann: str) -> None:
    secret = await begun(pool, ann)
    async with transaction(pool) as connection:
        session = await session_by(connection, secret)
        (row,) = await connection.fetch("select t::text as line from browser_sessions t")
    assert session is not None
    assert (session.user_id, session.method, session.address, session.agent) == (ann, "password", *FROM.values())
    assert secret not in row["line"]


@pytest.mark.parametrize("secret", ["", "x" * 43, "x" * 500, "'; drop", "\udcff" * 43])
async def test_a_made_up_secret_is_nobodys(pool: Pool, ann: str, secret: str) -> None:
    await begun(pool, ann)
    assert not await holds(pool, secret)


async def test_each_sign_in_has_a_secret_and_a_form_token_of_its_own(pool: Pool, ann: str) -> None:
    async with transaction(pool) as connection:
        first = await begin(connection, ann, method="password", **FROM)
        second = await begin(connection, ann, method="password", **FROM)
    assert len({first[0], second[0], first[1].csrf, second[1].csrf}) == 4


@pytest.mark.parametrize(("column", "by"), [("last_used_at", "12 hours"), ("expires_at", "7 days")])
async def test_a_session_that_idles_or_is_too_old_is_over(pool: Pool, ann: str, column: str, by: str) -> None:
    secret = await begun(pool, ann)
    await moved(pool, column, by)
    assert not await holds(pool, secret)


async def test_a_person_who_came_by_their_provider_is_asked_again_within_eight_hours(pool: Pool, ann: str) -> None:
    secret = await begun(pool, ann, method="oidc")
    await moved(pool, "expires_at", "7 hours 59 minutes")
    assert await holds(pool, secret)
    await moved(pool, "expires_at", "1 minute")
    assert not await holds(pool, secret)


async def test_when_it_was_last_used_is_written_now_and_then_only(pool: Pool, ann: str) -> None:
    secret = await begun(pool, ann)

    async def last_used() -> object:
        assert await holds(pool, secret)
        async with transaction(pool) as connection:
            return await connection.fetchval("select last_used_at from browser_sessions")

    first = await last_used()
    assert await last_used() == first
    await moved(pool, "last_used_at", "6 minutes")
    assert await last_used() >= first  # type: ignore[operator]


async def test_a_person_who_is_disabled_has_no_session_at_once_nor_when_enabled_again(pool: Pool, ann: str) -> None:
    secret = await begun(pool, ann)
    async with changing(pool, ADMIN) as write:
        await users.disable(write, ann)
    assert not await holds(pool, secret)
    async with changing(pool, ADMIN) as write:
        await users.enable(write, ann)
    assert not await holds(pool, secret)


async def test_whoever_is_disabled_behind_our_back_has_none_either(pool: Pool, ann: str) -> None:
    secret = await begun(pool, ann)
    async with transaction(pool) as connection:
        await connection.execute("update users set disabled_at = now() where id = $1", ann)
    assert not await holds(pool, secret)


async def test_a_person_who_is_deleted_takes_their_sessions_along(pool: Pool, ann: str) -> None:
    secret = await begun(pool, ann)
    async with changing(pool, ADMIN) as write:
        await users.delete(write, ann)
    assert not await holds(pool, secret)
    with pytest.raises(StoreConflict):
        await begun(pool, ann)


async def test_ending_one_leaves_the_others_and_ending_all_leaves_one_if_asked(pool: Pool, ann: str) -> None:
    async with transaction(pool) as connection:
        made = [await begin(connection, ann, method="link", **FROM) for _ in range(4)]
        await end(connection, made[0][1].id)
        await end(connection, new_id())
    assert [await holds(pool, secret) for secret, _ in made] == [False, True, True, True]
    async with transaction(pool) as connection:
        ended = await browser_sessions.delete_all_of(connection, ann, but=made[3][1].id)
        assert len(ended) == 2
    assert [await holds(pool, secret) for secret, _ in made] == [False, False, False, True]


async def test_one_person_has_so_many_sessions_and_the_oldest_goes(pool: Pool, ann: str) -> None:
    first = await begun(pool, ann)
    async with transaction(pool) as connection:
        for _ in range(49):
            await begin(connection, ann, method="password", **FROM)
    assert await holds(pool, first)
    await begun(pool, ann)
    assert not await holds(pool, first)


async def test_what_is_over_is_forgotten_when_another_begins(pool: Pool, ann: str) -> None:
    await begun(pool, ann)
    await moved(pool, "expires_at", "8 days")
    await begun(pool, ann)
    async with transaction(pool) as connection:
        assert await connection.fetchval("select count(*) from browser_sessions") == 1


async def test_a_browsers_name_is_one_short_printable_line(pool: Pool, ann: str) -> None:
    secret = await begun(pool, ann, agent="evil\n\x1b[31m" + "x" * 1_000)
    async with transaction(pool) as connection:
        session = await session_by(connection, secret)
    assert session is not None
    assert session.agent.startswith("evil??[31mxxx")
    assert len(session.agent) == 256
