from dataclasses import replace
from typing import Any

import pytest

from control.internal.wanted_awake import WantedAwake
from control.registry.entry import Entry
from control.registry.idleness import NOTED_EVERY
from control.registry.installation import Installation
from control.registry.self_hosted import SelfHosted
from control.store import entries, installations
from control.store.pool import Pool, transaction
from tests.fakes.registry import an_entry, an_installation
from tests.plugins.moved_clock import MovedClock
from tests.unit.control.changes.test_idle_servers import doze, fall_asleep, found, ours

__all__ = ["ours"]


async def read(pool: Pool, made: Any) -> tuple[Entry, Installation]:
    async with transaction(pool, readonly=True) as connection:
        installation = await installations.one(connection, made.id)
        entry = await entries.one(connection, made.entry_id)
    assert installation is not None
    assert entry is not None
    return entry, installation


async def used_at(pool: Pool, made: Any) -> Any:
    now = await found(pool, made)
    assert now is not None
    return now.used_at


async def test_a_call_is_noted_at_most_once_a_minute(pool: Pool, ours: Any, clock: MovedClock) -> None:
    awake = WantedAwake(pool)
    assert not await awake.called(*await read(pool, ours))
    first = await used_at(pool, ours)
    assert not await awake.called(*await read(pool, ours))
    assert await used_at(pool, ours) == first
    clock.pass_by(NOTED_EVERY.total_seconds() + 1)
    assert not await awake.called(*await read(pool, ours))
    assert await used_at(pool, ours) > first


@pytest.mark.parametrize("asleep", [False, True], ids=["dozing", "asleep"])
async def test_one_that_was_not_awake_is_to_be_read_again(pool: Pool, ours: Any, asleep: bool) -> None:
    awake = WantedAwake(pool)
    await doze(pool, ours)
    if asleep:
        await fall_asleep(pool, ours)
    assert await awake.called(*await read(pool, ours))
    assert not await awake.called(*await read(pool, ours))


async def test_nothing_is_noted_of_servers_that_are_never_ended_or_run_elsewhere() -> None:
    nowhere: Any = None
    awake = WantedAwake(nowhere)
    entry, installation = an_entry(), an_installation()
    assert not await awake.called(entry, installation)
    assert not await awake.called(replace(entry, reached=SelfHosted(command=("x",))), installation)
