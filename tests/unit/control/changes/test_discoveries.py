"""What discovery saw, kept: without a proxy, without HTTP and without Redis."""

from __future__ import annotations

from dataclasses import replace

from control.changes import discoveries, installations
from control.changes.write import changing
from control.store import installations as store
from control.store.pool import Pool
from tests.unit.control.changes.acting import (
    ADMIN,
    SAFEGUARDS,
    audit_of,
    discovered,
    forget,
    new_entry,
    new_installation,
    outbox_of,
)


async def test_a_discovered_installation_is_ready_with_what_was_seen(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        assert [tool.name for tool in await discovered(write, entry, installation, "now", "then")] == ["now", "then"]
        after = await store.one(write.connection, installation.id)
        assert after is not None
        assert (after.state, after.server) == ("ready", {"era": "modern"})


async def test_nobody_decided_it_so_the_trail_says_nothing(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        await discovered(write, entry, installation, "now")
        await discoveries.keep_failure(write, entry, installation, "unreachable", "It is away.")
    # Workers ask again what it speaks after the discovery that went well; one that failed tells them nothing.
    assert (await audit_of(pool), await outbox_of(pool)) == ([], [("installation", installation.id, 0)])


async def test_an_installation_that_needs_a_sign_in_is_announced_once(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        for _ in range(2):
            await discoveries.keep_failure(write, entry, installation, "needs_sign_in", "Give them again.")
    assert await outbox_of(pool) == [("installation", installation.id, 0)]


async def test_an_answer_to_what_has_changed_meanwhile_is_not_kept(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        pinned = await installations.change(write, SAFEGUARDS, installation.id, {"protocol": "legacy"})
        older = replace(entry, version=entry.version - 1)
        for of, asked in ((entry, installation), (older, pinned.installation)):
            assert not await discoveries.keep_server(write, of, asked, {}, ())
            assert not await discoveries.keep_failure(write, of, asked, "unreachable", "It is away.")
        after = await store.one(write.connection, installation.id)
    assert after is not None
    assert after.state == "new"
