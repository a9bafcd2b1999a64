from __future__ import annotations

from datetime import timedelta
from typing import Any

from control.changes import accounts
from control.changes.write import Write, changing
from control.registry.account import AccountTokens
from control.store import renewals, upstream_clients
from control.store.pool import Pool
from core.identifiers import new_id
from tests.fakes.registry import an_account
from tests.unit.control.changes.acting import ADMIN, SAFEGUARDS, new_entry, new_installation

DAY, WEEK = timedelta(days=1), timedelta(days=7)


async def accounts_at(write: Write, *endpoints: str) -> list[str]:
    """Installations with accounts at these token endpoints, all of them due, the first one for longest."""
    entry, made = await new_entry(write), []
    for number, endpoint in enumerate(endpoints):
        installation = await new_installation(write, entry, name=f"I{number}")
        given = an_account(token_endpoint=endpoint)
        await accounts.keep(write, SAFEGUARDS.seals, installation, given, AccountTokens("a", "r"))
        await write.connection.execute(
            "update accounts set used_at = now(), refresh_at = now() - make_interval(mins => $2) "
            "where installation_id = $1", installation.id, 60 - number,
        )  # fmt: skip
        made.append(installation.id)
    return made


async def due(write: Write, **changes: Any) -> dict[str, list[tuple[str, int]]]:
    usual: dict[str, Any] = {"used_within": DAY, "idle_after": WEEK, "but_for": (), "of_each": 10, "most": 10}
    return await renewals.due(write.connection, **{**usual, **changes})


async def test_accounts_are_due_by_provider_the_longest_first(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        one, two, three = await accounts_at(write, "a", "b", "a")
        assert await due(write) == {"a": [(one, 1), (three, 1)], "b": [(two, 1)]}


async def test_one_provider_crowds_out_no_other(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        one, _, _, four = await accounts_at(write, "a", "a", "a", "b")
        assert await due(write, of_each=1) == {"a": [(one, 1)], "b": [(four, 1)]}
        assert await due(write, but_for=["a"]) == {"b": [(four, 1)]}
        assert await due(write, most=1) == {"a": [(one, 1)]}


async def test_an_account_is_judged_by_the_clock_of_the_database(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        (one,) = await accounts_at(write, "a")

        async def judged(settings: str) -> tuple[bool, bool, bool]:
            await write.connection.execute(f"update accounts set {settings}")
            found = await renewals.for_renewal(write.connection, one)
            assert found is not None
            return found.is_held, found.is_resting, found.has_ended

        assert await judged("version = 1") == (False, False, False)
        assert await judged("refresh_until = now() + interval '1 hour'") == (True, False, False)
        assert await judged("refresh_until = now() - interval '1 s'") == (False, False, False)
        assert await judged("failing_since = now(), refresh_at = now() + interval '1 hour'") == (False, True, False)
        assert await judged("refresh_at = now() - interval '1 s'") == (False, False, False)
        assert await judged("expires_at = now() - interval '1 s'") == (False, False, True)


async def test_what_is_not_there_is_none(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        assert await renewals.for_renewal(write.connection, new_id()) is None
        assert await upstream_clients.one(write.connection, new_id()) is None
