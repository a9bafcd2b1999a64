"""Changes of assignments, without HTTP and without Redis."""

from __future__ import annotations

import pytest

from control.changes import assignments
from control.changes.assignments import WantedTools
from control.changes.discoveries import FailedState, keep_failure
from control.changes.refusals import NotNow, NotThere, Stale
from control.changes.write import changing
from control.registry.broken_rule import BrokenRule
from control.store.pool import Pool
from tests.unit.control.changes.acting import (
    ADMIN,
    NOBODY,
    discovered,
    forget,
    new_entry,
    new_gateway,
    new_installation,
    outbox_of,
)


async def test_all_tools_of_an_entry_are_assigned_at_once_and_again_to_no_effect(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry, gateway = await new_entry(write), await new_gateway(write)
        await discovered(write, entry, await new_installation(write, entry), "now", "then")
        wanted = WantedTools(entry="github", tools=["*"])
        first = await assignments.create(write, gateway.id, wanted)
        assert [one.exposed_name for one in first.assignments] == ["github__now", "github__then"]
        assert len(first.created) == 2
        again = await assignments.create(write, gateway.id, wanted)
    assert (again.assignments, again.created) == (first.assignments, frozenset())


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (WantedTools(entry="other", tools=["*"]), "entry"),
        (WantedTools(entry="github", tools=["now", "never"]), r"tools\[1\]"),
        (WantedTools(entry="github", tools=["*"], installation=NOBODY), "installation"),
        (WantedTools(entry="github", tools=["*"], exposed_name="x"), "exposed_name"),
    ],
)
async def test_what_cannot_be_assigned_is_named(pool: Pool, wanted: WantedTools, field: str) -> None:
    async with changing(pool, ADMIN) as write:
        entry, gateway = await new_entry(write), await new_gateway(write)
        await discovered(write, entry, await new_installation(write, entry), "now")
        with pytest.raises(BrokenRule, match=f"^{field}:"):
            await assignments.create(write, gateway.id, wanted)


async def test_an_entry_without_tools_is_to_be_installed_first(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        await new_entry(write)
        with pytest.raises(NotNow, match="github has no tools yet"):
            await assignments.create(write, (await new_gateway(write)).id, WantedTools(entry="github", tools=["*"]))


@pytest.mark.parametrize(
    ("state", "command"),
    [
        ("unreachable", "installations discover github@organisation"),
        ("credential_refused", "installations update github@organisation"),
        ("needs_sign_in", "installations update github@organisation"),
    ],
)
@pytest.mark.parametrize("wanted", ["*", "now"])
async def test_an_entry_whose_server_could_not_be_asked_says_why_it_has_no_tools(
    pool: Pool, state: FailedState, command: str, wanted: str
) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        asked = await new_installation(write, entry)
        assert await keep_failure(write, entry, asked, state, "It said no.")
        with pytest.raises(NotNow) as refused:
            await assignments.create(
                write, (await new_gateway(write)).id, WantedTools(entry="github", tools=[wanted])
            )
    told = f"github has no tools yet: its installation github@organisation is {state}. It said no. "
    assert str(refused.value).startswith(told)
    assert f"`archway {command}" in str(refused.value)


async def test_a_gateway_takes_no_more_definitions_than_a_snapshot_holds(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with changing(pool, ADMIN) as write:
        entry, gateway = await new_entry(write), await new_gateway(write)
        await discovered(write, entry, await new_installation(write, entry), "now", "then")
        monkeypatch.setattr(assignments, "MOST_BYTES", 80)
        await assignments.create(write, gateway.id, WantedTools(entry="github", tools=["now"]))
    with pytest.raises(NotNow, match=r"would have \d+ bytes; at most 80 are allowed. Put some"):
        async with changing(pool, ADMIN) as write:
            await assignments.create(write, gateway.id, WantedTools(entry="github", tools=["*"]))


async def test_an_assignment_gets_another_name_and_another_pin(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry, gateway = await new_entry(write), await new_gateway(write)
        installation = await new_installation(write, entry)
        await discovered(write, entry, installation, "now")
        made = await assignments.create(write, gateway.id, WantedTools(entry="github", tools=["now"]))
        (before,) = made.assignments
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        named = await assignments.change(write, gateway.id, before.id, {"exposed_name": "clock"}, version=1)
        assert (named.exposed_name, named.installation_id) == ("clock", None)
        pinned = await assignments.change(write, gateway.id, before.id, {"installation": installation.id})
        assert (pinned.exposed_name, pinned.installation_id) == ("clock", installation.id)
        with pytest.raises(Stale):
            await assignments.delete(write, gateway.id, before.id, version=1)
        with pytest.raises(NotThere):
            await assignments.delete(write, gateway.id, NOBODY)
    assert [kind for kind, *_ in await outbox_of(pool)] == ["gateway", "gateway"]
