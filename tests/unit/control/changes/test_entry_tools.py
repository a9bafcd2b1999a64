"""What people decide about an entry's tools, without HTTP and without Redis."""

from __future__ import annotations

import pytest

from control.changes import entry_tools
from control.changes.refusals import NotThere, Stale
from control.changes.write import changing
from control.store.pool import Pool
from tests.unit.control.changes.acting import (
    ADMIN,
    NOBODY,
    audit_of,
    discovered,
    forget,
    new_entry,
    new_installation,
)


async def test_a_tool_is_put_into_quarantine_and_let_out_again(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        (tool,) = await discovered(write, entry, await new_installation(write, entry), "search")
        shut = await entry_tools.set_state(write, entry.id, tool.id, "quarantined", version=tool.version)
        assert (shut.state, shut.version) == ("quarantined", tool.version + 1)
        assert (await entry_tools.set_state(write, entry.id, tool.id, "active")).state == "active"
    named = {"entry": "github", "name": "search"}
    assert [(line["before"], line["after"]) for line in (await audit_of(pool))[-2:]] == [
        (named | {"state": "active"}, named | {"state": "quarantined"}),
        (named | {"state": "quarantined"}, named | {"state": "active"}),
    ]


async def test_a_tool_of_another_entry_or_of_a_version_that_is_gone_is_left_alone(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry, other = await new_entry(write), await new_entry(write, "other")
        (tool,) = await discovered(write, entry, await new_installation(write, entry), "search")
        for of, tool_id in ((other.id, tool.id), (entry.id, NOBODY)):
            with pytest.raises(NotThere):
                await entry_tools.set_state(write, of, tool_id, "quarantined")
        with pytest.raises(Stale):
            await entry_tools.set_state(write, entry.id, tool.id, "quarantined", version=tool.version + 1)


async def test_what_somebody_has_looked_at_is_recorded_once(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        await discovered(write, entry, installation, "search", description="Old.")
        (tool,) = await discovered(write, entry, installation, "search", description="New.")
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        with pytest.raises(Stale):
            await entry_tools.acknowledge(write, entry.id, tool.id, version=tool.version - 1)
        for _ in range(2):
            await entry_tools.acknowledge(write, entry.id, tool.id)
        with pytest.raises(NotThere):
            await entry_tools.acknowledge(write, entry.id, NOBODY)
    (line,) = await audit_of(pool)
    assert line["before"]["differences"] == [{"at": "description", "before": "Old.", "after": "New."}]
    assert line["after"] == {"entry": "github", "name": "search", "changed_at": None, "differences": []}
