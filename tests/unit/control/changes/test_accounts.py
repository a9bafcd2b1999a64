from datetime import UTC, datetime, timedelta

from control.changes import accounts as changes
from control.changes.write import changing
from control.registry.account import AccountTokens
from control.store import accounts, installations
from control.store.pool import Pool, transaction
from tests.fakes.registry import an_account
from tests.unit.control.changes.acting import ADMIN, SAFEGUARDS, audit_of, new_entry, new_installation

GIVEN = an_account(account_name="octocat", expires_at=datetime.now(UTC) + timedelta(hours=1), scopes=("repo",))


async def test_an_account_is_kept_sealed_and_another_one_takes_its_place(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        installation = await new_installation(write, await new_entry(write), name="Mine")
        first = await changes.keep(write, SAFEGUARDS.seals, installation, GIVEN, AccountTokens("one", "r1"))
        second = await changes.keep(write, SAFEGUARDS.seals, installation, GIVEN, AccountTokens("two", "r2"))
    async with transaction(pool, readonly=True) as connection:
        kept = await accounts.one(connection, installation.id)
        assert await accounts.many(connection, [installation.id]) == {installation.id: kept}
    assert kept == second
    assert (first.version, second.version) == (1, 2)
    assert SAFEGUARDS.seals.open_account_tokens(second) == AccountTokens("two", "r2")
    assert b"two" not in second.tokens


async def test_an_installation_with_another_account_is_discovered_anew(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        installation = await new_installation(write, await new_entry(write), name="Mine")
        await changes.keep(write, SAFEGUARDS.seals, installation, GIVEN, AccountTokens("s3cret", "r1"))
    async with transaction(pool, readonly=True) as connection:
        after = await installations.one(connection, installation.id)
    assert after is not None
    assert (after.state, after.state_reason) == ("new", "")
    told = str([dict(line) for line in await audit_of(pool)])
    assert "octocat" in told
    assert "s3cret" not in told
