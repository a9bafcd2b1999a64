"""What runtimes report of servers, kept: without a runtime, HTTP or Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from control.changes import installations, server_states
from control.changes.write import Write, changing
from control.registry.row_seals import RowSeals
from control.registry.self_hosted import SelfHosted
from control.registry.server_state import LONGEST_MESSAGE, ServerState
from control.store import installations as installation_rows
from control.store import server_states as store
from control.store.notifications import listen
from control.store.pool import Pool, transaction
from core.keys import new_key, parse_key_ring
from core.tasks import Tasks
from tests.fakes.registry import a_server_state
from tests.unit.control.changes.account_cases import new_account
from tests.unit.control.changes.acting import (
    ADMIN,
    NOBODY,
    SAFEGUARDS,
    audit_of,
    forget,
    new_entry,
    new_installation,
    outbox_of,
)


@pytest.fixture
async def installed(pool: Pool) -> str:
    async with changing(pool, ADMIN) as write:
        made = await new_installation(write, await new_entry(write))
    return made.id


async def report(pool: Pool, installation_id: str, **changes: Any) -> bool:
    """Keep this report; what was announced before is forgotten."""
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        return await server_states.keep(write, a_server_state(installation_id=installation_id, **changes))


async def kept(pool: Pool, installation_id: str) -> ServerState:
    async with transaction(pool, readonly=True) as connection:
        found = await store.one(connection, installation_id)
    assert found is not None
    return found


async def test_what_a_runtime_reports_stands_with_the_installation(pool: Pool, installed: str) -> None:
    resolved = {"packages": [["mcp-server-time", "1.2"]]}
    assert await report(pool, installed, phase="starting", endpoint="", resolved=resolved, message="one\ntwo\x00\x1b")
    state = await kept(pool, installed)
    assert (state.phase, state.resolved, state.message) == ("starting", resolved, "one\ntwo  ")
    async with transaction(pool, readonly=True) as connection:
        found = await installation_rows.one(connection, installed)
    assert found is not None
    assert found.server_state == state


async def test_a_report_of_an_older_generation_never_replaces_one_of_a_newer(pool: Pool, installed: str) -> None:
    assert await report(pool, installed, generation=3)
    assert not await report(pool, installed, generation=2, phase="failed", cause="crashed")
    assert (await kept(pool, installed)).phase == "ready"
    assert await report(pool, installed, generation=3, phase="failed", cause="crashed")
    assert (await kept(pool, installed)).cause == "crashed"


async def test_another_place_begins_anew(pool: Pool, installed: str) -> None:
    assert await report(pool, installed, generation=3)
    assert await report(pool, installed, generation=1, place="cluster", phase="pulling")
    assert (await kept(pool, installed)).phase == "pulling"


async def test_the_moment_of_the_change_moves_with_phase_and_cause_alone(pool: Pool, installed: str) -> None:
    await report(pool, installed, phase="starting")
    first = (await kept(pool, installed)).changed_at
    await report(pool, installed, phase="starting", message="still", restarts=2)
    assert (await kept(pool, installed)).changed_at == first
    await report(pool, installed, phase="starting", cause="crashed")
    second = (await kept(pool, installed)).changed_at
    await report(pool, installed, phase="failed", cause="crashed")
    third = (await kept(pool, installed)).changed_at
    assert first is not None
    assert second is not None
    assert third is not None
    assert first < second < third


async def test_what_is_known_already_is_not_written_again(pool: Pool, installed: str) -> None:
    assert await report(pool, installed)
    assert not await report(pool, installed)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, {"phase": "starting"}, None),
        (None, {}, -1),
        ({"phase": "starting"}, {}, -1),
        ({}, {"phase": "failed", "cause": "crashed"}, 0),
        ({}, {"phase": "stopping"}, 0),
        ({}, {"phase": "degraded", "cause": "image_pull"}, None),
        ({}, {"endpoint": "http://127.0.0.1:40002/mcp"}, -1),
        ({}, {"generation": 2}, -1),
        ({}, {"restarts": 1}, -1),
        ({}, {"message": "well"}, None),
        ({"phase": "pulling"}, {"phase": "failed", "cause": "image_pull"}, None),
    ],
)
async def test_proxies_hear_of_what_they_remember_of_an_installation(
    pool: Pool, installed: str, before: dict[str, Any] | None, after: dict[str, Any], told: int | None
) -> None:
    if before is not None:
        await report(pool, installed, **before)
    assert await report(pool, installed, **after)
    assert await outbox_of(pool) == ([] if told is None else [("installation", installed, told)])
    assert await audit_of(pool) == []


async def test_a_long_message_is_cut(pool: Pool, installed: str) -> None:
    await report(pool, installed, message="x" * 5_000)
    message = (await kept(pool, installed)).message
    assert (len(message), message[-4:]) == (LONGEST_MESSAGE, "x...")


async def test_a_report_of_an_installation_that_is_gone_is_nothing(pool: Pool, installed: str) -> None:
    assert not await report(pool, NOBODY)
    await report(pool, installed)
    async with changing(pool, ADMIN) as write:
        await installations.delete(write, installed)
    assert not await report(pool, installed, phase="stopping")


async def test_a_server_that_answers_is_to_be_asked_once_for_each_generation(pool: Pool, installed: str) -> None:
    async def to_ask() -> bool:
        async with transaction(pool, readonly=True) as connection:
            return await store.to_ask(connection, installed)

    await report(pool, installed, phase="starting", generation=4)
    assert not await to_ask()
    await report(pool, installed, generation=4)
    assert await to_ask()
    async with changing(pool, ADMIN) as write:
        await server_states.asked(write, installed, 4)
    assert not await to_ask()
    await report(pool, installed, generation=5)
    assert await to_ask()


async def test_servers_are_counted_by_phase(pool: Pool, installed: str) -> None:
    await report(pool, installed, restarts=3)
    async with transaction(pool, readonly=True) as connection:
        assert await store.counted(connection) == store.Counted({"ready": 1}, 3)


async def test_an_installation_keeps_the_first_token_that_its_bridge_was_given(pool: Pool, installed: str) -> None:
    seals = RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key()))
    async with transaction(pool) as connection:
        first = await store.bridge_token(connection, installed, seals.bridge_token(installed, "one"))
        second = await store.bridge_token(connection, installed, seals.bridge_token(installed, "two"))
        assert await store.bridge_token(connection, NOBODY, seals.bridge_token(NOBODY, "x")) is None
    assert first == second
    assert seals.open_bridge_token(installed, second) == "one"


async def renamed(write: Write, installation_id: str) -> None:
    await installations.change(write, SAFEGUARDS, installation_id, {"name": "Another"})


async def given_a_token(write: Write, installation_id: str) -> None:
    found = await installation_rows.one(write.connection, installation_id)
    assert found is not None
    await new_account(write, found)


async def wanted_again(write: Write, installation_id: str) -> None:
    await write.execute("update installations set restarts_wanted = 1 where id = $1", installation_id)
    await write.announce()
    write.observed()


@pytest.mark.parametrize("act", [renamed, given_a_token, wanted_again, installations.delete])
async def test_whoever_runs_servers_is_woken_by_what_may_concern_them(
    database: str, pool: Pool, installed: str, act: Callable[[Write, str], Awaitable[None]]
) -> None:
    tasks, woken = Tasks("test"), asyncio.Event()
    _ = tasks.spawn("listen", listen(database, "archway_servers", woken.set))
    async with asyncio.timeout(30):
        await woken.wait()  # once at the start
        woken.clear()
        async with changing(pool, ADMIN) as write:
            await act(write, installed)
        await woken.wait()
    await tasks.close()


async def test_what_is_kept_of_a_server_wakes_nobody(database: str, pool: Pool, installed: str) -> None:
    tasks, woken = Tasks("test"), asyncio.Event()
    _ = tasks.spawn("listen", listen(database, "archway_servers", woken.set))
    async with asyncio.timeout(30):
        await woken.wait()
    woken.clear()
    await report(pool, installed)
    async with transaction(pool) as connection:  # what comes after it has come
        await connection.execute("select pg_notify('archway_servers', '')")
        assert not woken.is_set()
    await tasks.close()


async def test_a_deleted_installation_takes_its_state_along(pool: Pool, installed: str) -> None:
    await report(pool, installed)
    async with changing(pool, ADMIN) as write:
        await installations.delete(write, installed)
    async with transaction(pool, readonly=True) as connection:
        assert await store.one(connection, installed) is None


async def test_what_it_came_to_is_known_while_it_starts_again(pool: Pool, installed: str) -> None:
    resolved = {"packages": [["files", "1.0.0"]]}
    await report(pool, installed, resolved=resolved)
    await report(pool, installed, phase="starting", endpoint="")
    assert (await kept(pool, installed)).resolved == resolved
    await report(pool, installed, resolved=None)
    assert (await kept(pool, installed)).resolved is None


@pytest.mark.parametrize(("package", "told"), [("files", 1), ("files@1.0.0", 0)])
async def test_a_package_without_a_version_that_comes_to_another_one_is_in_the_audit_trail(
    pool: Pool, package: str, told: int
) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write, reached=SelfHosted(command=("npx", "-y", package)))
        files = (await new_installation(write, entry)).id
    for version in ("1.0.0", "1.1.0"):
        await report(pool, files, phase="starting", endpoint="")
        await report(pool, files, resolved={"packages": [["files", version]]})
    found = [one for one in await audit_of(pool) if "packages" in (one["after"] or {})]
    assert [(one["before"], one["after"]) for one in found] == [
        ({"packages": [["files", "1.0.0"]]}, {"packages": [["files", "1.1.0"]]})
    ] * told
