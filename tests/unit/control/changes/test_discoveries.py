"""What discovery saw, kept: without a proxy, without HTTP and without Redis."""

from __future__ import annotations

from dataclasses import replace

from control.changes import discoveries, entry_tools, installations
from control.changes.write import changing
from control.registry.tool_definitions import found_tools
from control.store import entries as entry_store
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
        assert (after.state, after.server) == (
            "ready",
            {"era": "modern", "added": ["now", "then"], "changed": [], "gone": []},
        )


async def test_the_trail_says_nothing_of_a_discovery_without_news(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        await discovered(write, entry, installation, "now")
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        await discovered(write, entry, installation, "now")
        await discoveries.keep_failure(write, entry, installation, "unreachable", "It is away.")
    # Workers ask again what it speaks after the discovery that went well; one that failed tells them nothing.
    assert (await audit_of(pool), await outbox_of(pool)) == ([], [("installation", installation.id, 0)])


async def test_what_a_server_caused_leaves_workers_their_sessions_with_it(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        await discovered(write, entry, installation, "now")
    await forget(pool)
    found = found_tools([{"name": "now", "inputSchema": {"type": "object"}}], [])
    async with changing(pool, ADMIN) as write:
        assert await discoveries.keep_server(write, entry, installation, {"era": "modern"}, found.tools, heard=True)
    assert await outbox_of(pool) == []
    async with changing(pool, ADMIN) as write:
        assert await discoveries.keep_server(write, entry, installation, {"era": "legacy"}, found.tools, heard=True)
    assert await outbox_of(pool) == [("installation", installation.id, 0)]


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


async def test_the_trail_says_what_is_new_what_changed_and_what_is_gone_and_who_asked(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        await discovered(write, entry, installation, "now", "then", "later", description="Old.")
        await discovered(write, entry, installation, "then", "now", description="Old.")
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        await discovered(write, entry, installation, "now", "later", "never", description="New.")
    (line,) = await audit_of(pool)
    assert (line["actor"], line["action"], line["object_kind"], line["object_id"]) == (
        "Ann", "discover", "entry", entry.id,
    )  # fmt: skip
    place = {"at": "description", "before": "Old.", "after": "New."}
    assert line["after"] == {
        "installation": "github@organisation",
        "added": ["later", "never"],
        "changed": ["now", "later"],
        "gone": ["then"],
        "differences": [{"name": "now", "differences": [place]}, {"name": "later", "differences": [place]}],
    }


async def test_the_entry_tells_of_its_latest_discovery_and_keeps_its_version(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        await discovered(write, entry, installation, "now")
        after = await entry_store.one(write.connection, entry.id)
    assert after is not None
    assert after.version == entry.version
    assert after.discovery["at"]
    told = {name: after.discovery[name] for name in ("by", "installation", "added", "changed", "gone")}
    assert told == {
        "by": "Ann", "installation": "github@organisation", "added": ["now"], "changed": [], "gone": [],
    }  # fmt: skip


async def test_a_tool_that_changed_stays_so_until_somebody_has_looked_or_it_is_as_before(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        seen = []
        for text in ("One.", "Two.", "Three.", "Three.", "One.", "Two."):
            (tool,) = await discovered(write, entry, installation, "now", description=text)
            seen.append((tool.known_definition or {}).get("description"))
            assert (tool.changed_at is None) is (tool.known_definition is None)
        assert seen == [None, "One.", "One.", "One.", None, "One."]
        looked = await entry_tools.acknowledge(write, entry.id, tool.id, version=tool.version)
        assert (looked.changed_at, looked.known_definition, looked.version) == (None, None, tool.version + 1)
        (tool,) = await discovered(write, entry, installation, "now", description="Two.")
        assert tool.changed_at is None


async def test_a_hash_that_is_reckoned_in_another_way_is_no_change_of_a_tool(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        await discovered(write, entry, installation, "now")
        (found,) = found_tools([{"name": "now", "inputSchema": {"type": "object"}}], []).tools
        await write.execute("update entry_tools set pin = 1, definition_sha256 = $1", found.first_sha256)
        (tool,) = await discovered(write, entry, installation, "now")
        assert tool.changed_at is None
        await write.execute("update entry_tools set pin = 1, definition_sha256 = $1", "of another text")
        (tool,) = await discovered(write, entry, installation, "now")
        assert tool.changed_at is not None


async def test_a_line_of_the_audit_trail_about_a_tool_says_which_tool_it_was(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        await discovered(write, entry, installation, "now", description="One.")
        (tool,) = await discovered(write, entry, installation, "now", description="Two.")
        await entry_tools.set_state(write, entry.id, tool.id, "quarantined")
        await entry_tools.set_state(write, entry.id, tool.id, "active")
        await entry_tools.acknowledge(write, entry.id, tool.id)
    told = [
        line[side] for line in await audit_of(pool) if line["object_kind"] == "tool" for side in ("before", "after")
    ]
    assert [(one["entry"], one["name"]) for one in told] == [("github", "now")] * 6
